package config_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/shrike-project/shrike/config"
)

func env(name string) (string, bool) {
	v, ok := map[string]string{"PW": "s3cret", "HOME": "/h"}[name]
	return v, ok
}

func TestDefaultsAreSound(t *testing.T) {
	c, problems := config.Read("c.toml", nil, env)
	if len(problems) > 0 || !reflect.DeepEqual(c, config.Default()) {
		t.Errorf("problems %v, %+v", problems, c)
	}
}

func TestPrintedIsReadAgain(t *testing.T) {
	text := "data = '${HOME}/d'\n[[inputs]]\nname = 'k'\nkind = 'kafka'\nkafka = {brokers = ['h:1'], topics = ['t'], group = 'g', mechanism = 'plain', user = 'u', password = '${PW}'}\n[[sinks]]\nname = 'w'\nkind = 'webhook'\nfilter.severity = 'high'\nwebhook.url = 'http://u:${PW}@h/'\nwebhook.secret = '${PW}'\nwebhook.headers = {a = '${PW}'}\n[limits]\nbody = '3MiB'\ndocument='1000KB'\n[journal]\nage = '36h'\n[store]\nurl = 'postgres://u:${PW}@h/db'\n"
	c, problems := config.Read("c.toml", []byte(text), env)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if c.Data != "/h/d" || c.Limits.Body != 3<<20 || c.Limits.Document != 1e6 || c.Store.URL != "postgres://u:s3cret@h/db" {
		t.Errorf("read %+v", c)
	}
	var out strings.Builder
	if err := c.Print(&out); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "s3cret") {
		t.Errorf("a secret is printed:\n%s", out.String())
	}
	again, problems := config.Read("printed", []byte(out.String()), env)
	if len(problems) > 0 {
		t.Fatalf("%v\n%s", problems, out.String())
	}
	var twice strings.Builder
	if err := again.Print(&twice); err != nil || twice.String() != out.String() {
		t.Errorf("printed and read again: %v\n%s\nwant\n%s", err, twice.String(), out.String())
	}
}

func TestProblemsHaveTheirPlace(t *testing.T) {
	f := func(text string, want ...string) {
		t.Helper()
		_, problems := config.Read("c.toml", []byte(text), env)
		var got []string
		for _, p := range problems {
			got = append(got, p.Error()+" "+p.Hint)
		}
		if len(got) != len(want) {
			t.Errorf("%q: %d problems %q, expected %q", text, len(got), got, want)
			return
		}
		for i := range want {
			if !strings.Contains(got[i], want[i]) {
				t.Errorf("%q: %q, expected %q", text, got[i], want[i])
			}
		}
	}
	f("data = 'x'\n[lisen]\naddress = ''\n", `c.toml:2:2: unknown key "lisen" [unknown-key] did you mean listen?`)
	f("[lisen]\n[limits]\nrate = -1\n", "unknown key", "limits.rate")
	f("[listen]\n\nadress = '127.0.0.1:1'\nfoo = 1\n", `c.toml:3:1: unknown key "listen.adress" [unknown-key] did you mean address?`, `c.toml:4:1: unknown key "listen.foo"`)
	f("[listen]\naddress = 'nowhere'\n[log]\nlevel = 'loud'", `c.toml:2:1: listen.address: "nowhere" is no host and port`, `c.toml:4:1: log.level: "loud" is none of debug, info, warn, error`)
	f("[store]\nurl = 'postgres://u:${NOPE}@h/db'", `c.toml:2:1: store.url: the environment variable "NOPE" is not set`)
	f("data = 'a$${b}c'")
	f("[limits]\nbody = 'many'\n", `c.toml:2:8`)
	f("[journal]\nurl = 'nats://a:4222,http://b'\nreplicas = 9", `c.toml:2:1: journal.url: "http://b" is no address of a NATS server`, `c.toml:3:1: journal.replicas: it has to be from 1 to 5`)
	f("[journal]\nreplicas = 3", `c.toml:2:1: journal.replicas: the embedded journal is one server`)
	f("[limits]\nbody = '1MiB'\n", `c.toml:1:2: limits.document: an event may be larger`)
	f("a = [", `c.toml:1:`)
	f("[journal]\nurl = 'http://x'\nkeep = '99GiB'\n", "journal.url", "journal.keep")
	f("[listen]\ncert = 'a.pem'", "listen.cert: certificate and key belong together")
	f("[[sinks]]\nname = 'a'\nkind = 'pigeon'\n[[sinks]]\nname = 'a'\nkind = 'webhook'\n[sinks.webhook]\nurl = 'x'\n", `c.toml:3:1: sinks[0].kind: "pigeon" is none of`, "c.toml:4:3: sinks[1]: sink a: webhook.url", "c.toml:5:1: sinks[1].name: another sink is called")
	f("[[sinks]]\nname = 'a'\nkind = 'stdout'\n[sinks.filter]\nseverty = 'high'\n", `c.toml:5:1: unknown key "sinks.filter.severty" [unknown-key] did you mean severity?`)
	f("[[inputs]]\nname = 'a'\nkind = 'file'\n[[inputs]]\nname = 'a'\nkind = 'kafka'\n[inputs.kafka]\nbrokers = ['h:1']\n[[inputs]]\nname = 'c'\nkind = 'nats'\n[inputs.nats]\nurl = 'nats://h'\n",
		"c.toml:1:3: inputs[0].file: no paths are named", "c.toml:5:1: inputs[1].name: another input is called", "c.toml:7:9: inputs[1].kafka: no topics are named", "inputs[2].nats: stream is missing")
	f("[limits]\nrate = -1", "limits.rate: it has to be 0 at least")
}

func TestTLSOffLoopback(t *testing.T) {
	f := func(l config.Listen, want bool) {
		t.Helper()
		if l.TLS() != want {
			t.Errorf("%+v: TLS %v", l, l.TLS())
		}
	}
	f(config.Listen{Address: "127.0.0.1:1"}, false)
	f(config.Listen{Address: "localhost:1"}, false)
	f(config.Listen{Address: "[::1]:1"}, false)
	f(config.Listen{Address: "0.0.0.0:1"}, true)
	f(config.Listen{Address: ":1"}, true)
	f(config.Listen{Address: "10.0.0.1:1", Plain: true}, false)
	f(config.Listen{Address: "127.0.0.1:1", Cert: "a"}, true)
}
