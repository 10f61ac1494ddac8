package config

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/shrike-project/shrike/sink"
)

// report tells what is wrong with the value of a key.
type report func(key, code, message, hint string)

// check reports values that cannot be used.
func (c *Config) check(r report) {
	bad := func(key, message, hint string) { r(key, "bad-value", key+": "+message, hint) }
	c.Listen.check(bad)
	if c.Data == "" {
		bad("data", "the data folder has no name", "")
	}
	c.Journal.check(bad)
	if c.Store.URL != "" && !strings.HasPrefix(c.Store.URL, "postgres://") && !strings.HasPrefix(c.Store.URL, "postgresql://") {
		bad("store.url", "it is no address of a PostgreSQL database", "it begins with postgres://; leave it out for SQLite")
	}
	if c.Limits.Document > c.Limits.Body {
		bad("limits.document", "an event may be larger than the body that holds it", "see limits.body")
	}
	for _, n := range []struct {
		key   string
		value int64
		least int64
	}{{"limits.body", int64(c.Limits.Body), 1 << 10}, {"limits.document", int64(c.Limits.Document), 1 << 10}, {"limits.memory", int64(c.Limits.Memory), 1 << 20},
		{"limits.rate", int64(c.Limits.Rate), 0}, {"limits.connections", int64(c.Limits.Connections), 1}, {"detect.jobs", int64(c.Detect.Jobs), 0}, {"detect.keys", int64(c.Detect.Keys), 0}} {
		if n.value < n.least {
			bad(n.key, "it has to be "+strconv.FormatInt(n.least, 10)+" at least", "")
		}
	}
	c.checkInputs(bad)
	c.checkSinks(bad)
	oneOf := func(key, value string, of ...string) {
		if !slices.Contains(of, value) {
			bad(key, fmt.Sprintf("%q is none of %s", value, strings.Join(of, ", ")), "")
		}
	}
	oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	oneOf("log.format", c.Log.Format, "text", "json")
}

func (j *Journal) check(bad func(key, message, hint string)) {
	if j.URL != "" {
		for address := range strings.SplitSeq(j.URL, ",") {
			if u, err := url.Parse(address); err != nil || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
				bad("journal.url", fmt.Sprintf("%q is no address of a NATS server", address), "it begins with nats:// or tls://; several are separated by commas")
			}
		}
	}
	switch {
	case j.Replicas < 1 || j.Replicas > 5:
		bad("journal.replicas", "it has to be from 1 to 5", "1, or 3 to survive the loss of a server")
	case j.Replicas > 1 && j.URL == "":
		bad("journal.replicas", "the embedded journal is one server", "see journal.url")
	}
	if j.Size < 64<<20 {
		bad("journal.size", "the journal needs 64MiB at least", "")
	}
	if j.Keep > j.Size {
		bad("journal.keep", "more is kept than the journal may hold", "see journal.size")
	}
}

// checkInputs looks at what can be known without connecting.
func (c *Config) checkInputs(bad func(key, message, hint string)) {
	names := map[string]bool{}
	for i := range c.Inputs {
		in, key := &c.Inputs[i], fmt.Sprintf("inputs[%d]", i)
		switch {
		case in.Name == "":
			bad(key, "the input has no name", `name = "…", by which its positions are kept`)
		case names[in.Name]:
			bad(key+".name", fmt.Sprintf("another input is called %q", in.Name), "")
		}
		names[in.Name] = true
		if !slices.Contains(InputKinds, in.Kind) {
			bad(key+".kind", fmt.Sprintf("%q is none of %s", in.Kind, strings.Join(InputKinds, ", ")), "")
			continue
		}
		if err := in.check(); err != nil {
			bad(key+"."+in.Kind, err.Error(), "")
		}
	}
}

// checkSinks opens each sink, which looks at its settings, and closes it again.
func (c *Config) checkSinks(bad func(key, message, hint string)) {
	names := map[string]bool{}
	for i := range c.Sinks {
		s, key := &c.Sinks[i], fmt.Sprintf("sinks[%d]", i)
		switch {
		case s.Name == "":
			bad(key, "the sink has no name", `name = "…", by which it is known in the outbox`)
		case names[s.Name]:
			bad(key+".name", fmt.Sprintf("another sink is called %q", s.Name), "")
		}
		names[s.Name] = true
		if err := s.Filter.Check(); err != nil {
			bad(key+".filter", err.Error(), "")
		}
		if !slices.Contains(sink.Kinds, s.Kind) {
			bad(key+".kind", fmt.Sprintf("%q is none of %s", s.Kind, strings.Join(sink.Kinds, ", ")), "")
			continue
		}
		if s.Kind == "file" && s.File.Path != "" {
			continue // opening makes it
		}
		opened, err := s.Open(c.Space)
		if err != nil {
			bad(key, err.Error(), "")
			continue
		}
		_ = opened.Close()
	}
}

func (l *Listen) check(bad func(key, message, hint string)) {
	host, port, err := net.SplitHostPort(l.Address)
	if err != nil {
		bad("listen.address", fmt.Sprintf("%q is no host and port", l.Address), "as in 127.0.0.1:9280")
		return
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil {
		bad("listen.address", fmt.Sprintf("%q is no port", port), "a number from 0, any free one, to 65535")
	} else if n == 0 && !loopback(host) {
		bad("listen.address", "any free port is for loopback only", "")
	}
	if (l.Cert == "") != (l.Key == "") {
		bad("listen.cert", "certificate and key belong together", "name both, or none")
	}
}

// TLS tells whether the server speaks TLS.
func (l *Listen) TLS() bool {
	host, _, _ := net.SplitHostPort(l.Address)
	return l.Cert != "" || !l.Plain && !loopback(host)
}

func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
