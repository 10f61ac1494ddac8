package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/config"
	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/pipeline"
	"github.com/shrike-project/shrike/rule"
	"github.com/shrike-project/shrike/server"
	"github.com/shrike-project/shrike/sink"
)

const pairRule = `[metadata]
creation_date = "2026/01/01"
[rule]
name = "Pair"
description = "d"
rule_id = "pair"
type = "eql"
language = "eql"
severity = "high"
risk_score = 73
query = '''
sequence by host.name with maxspan=1m
  [process where process.name == "a.exe"]
  [process where process.name == "b.exe"]
'''
`

const oneRule = `[metadata]
creation_date = "2026/01/01"
[rule]
name = "One"
description = "d"
rule_id = "one"
type = "eql"
language = "eql"
severity = "low"
risk_score = 21
query = 'process where process.name == "a.exe" and process.pid > 50'
`

// running is a server that serves.
type running struct {
	t       *testing.T
	cfg     *config.Config
	key     string
	server  *server.Server
	cancel  context.CancelFunc
	done    chan error
	address string
}

func load(paths []string) *rule.Set {
	l := rule.NewLoader()
	for _, path := range paths {
		_ = l.Load(os.DirFS(path), ".", path)
	}
	return l.Set()
}

func start(t *testing.T, cfg *config.Config, key string) *running {
	t.Helper()
	s, err := server.Open(t.Context(), server.Options{Config: cfg, LoadRules: load, Version: "test", Log: slog.New(slog.NewTextHandler(t.Output(), nil))})
	if err != nil {
		t.Fatal(err)
	}
	if s.FirstKey() != "" {
		key = s.FirstKey()
	}
	ctx, cancel := context.WithCancel(context.Background())
	r := &running{t: t, cfg: cfg, key: key, server: s, cancel: cancel, done: make(chan error, 1), address: s.Address()}
	go func() { r.done <- s.Run(ctx) }()
	t.Cleanup(r.stop)
	return r
}

func (r *running) stop() {
	if r.cancel == nil {
		return
	}
	r.cancel()
	if err := <-r.done; err != nil {
		r.t.Error(err)
	}
	if err := r.server.Close(); err != nil {
		r.t.Error(err)
	}
	r.cancel = nil
}

// ask makes a request and reads the answer, of which it gives the status.
func (r *running) ask(method, path, body string, into any) int {
	r.t.Helper()
	req, err := http.NewRequest(method, r.address+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "ApiKey "+r.key)
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	if into != nil {
		if err := json.Unmarshal(text, into); err != nil {
			r.t.Fatalf("%s %s: %v: %s", method, path, err, text)
		}
	}
	return answer.StatusCode
}

// settle waits until all events are judged.
func (r *running) settle() {
	r.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		var st struct {
			Position uint64
			Journal  struct{ Last uint64 }
		}
		if r.ask("GET", "/v1/status", "", &st); st.Position == st.Journal.Last {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatal("events are not judged")
		}
	}
}

// ids gives the ids of all alerts.
func (r *running) ids() []string {
	ids := map[string]bool{}
	for after := ""; ; {
		var page struct {
			Alerts []struct{ ID string }
			Next   string
		}
		if code := r.ask("GET", "/v1/alerts?limit=100&building_blocks=true&after="+after, "", &page); code != 200 {
			r.t.Fatal(code)
		}
		for _, a := range page.Alerts {
			ids[a.ID] = true
		}
		if after = page.Next; after == "" {
			return slices.Sorted(maps.Keys(ids))
		}
	}
}

func settings(t *testing.T) *config.Config {
	c := config.Default()
	c.Data, c.Listen.Address = filepath.Join(t.TempDir(), "data"), "127.0.0.1:0"
	c.Rules = []string{t.TempDir()}
	write(t, c.Rules[0], "pair.toml", pairRule)
	write(t, c.Rules[0], "one.toml", oneRule)
	return c
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

var day = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// docs makes events, some up to ten seconds late, and gives them as a scan reads them
// and as a shipper sends them.
func docs(from, n int) (hits, body []byte) {
	for i := from; i < from+n; i++ {
		at := day.Add(time.Duration(i)*time.Second - time.Duration(i%7)*1500*time.Millisecond)
		doc := fmt.Sprintf(`{"@timestamp":%q,"event":{"category":"process","type":"start"},"host":{"name":"h%d"},"process":{"name":"%c.exe","pid":%d}}`,
			at.Format(time.RFC3339Nano), i%5, "abc"[i*7%3], i%100)
		hits = fmt.Appendf(hits, "{\"_index\":\"logs-x-default\",\"_source\":%s}\n", doc)
		body = fmt.Appendf(body, "{\"create\":{\"_index\":\"logs-x-default\"}}\n%s\n", doc)
	}
	return hits, body
}

// oneBatch is a source of one batch.
type oneBatch struct {
	data []byte
	gone bool
}

func (o *oneBatch) Next(context.Context) (event.Batch, error) {
	if o.gone {
		return event.Batch{}, io.EOF
	}
	o.gone = true
	return event.Batch{Name: "f", Data: o.data}, nil
}

// scanned gives the ids of a scan of the same events.
func scanned(t *testing.T, c *config.Config, hits []byte) []string {
	ids := map[string]bool{}
	_, _, err := pipeline.Detect(t.Context(), &oneBatch{data: hits}, detect.New(load(c.Rules).Rules, detect.Options{}), pipeline.DetectOptions{
		Stream: detect.StreamOptions{Lateness: detect.Unlimited}, Emit: func(a *alert.Alert) error { ids[a.ID] = true; return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(ids))
}

const last = `{"create":{"_index":"logs-x-default"}}` + "\n" + `{"@timestamp":"2026-03-05T00:00:00Z","event":{"category":"none"}}` + "\n"

// TestLiveIsScan sends events through starts and stops, and holds the alerts to those
// of a scan; and those in a file to those in the store.
func TestLiveIsScan(t *testing.T) {
	c := settings(t)
	out := filepath.Join(t.TempDir(), "alerts.jsonl")
	c.Sinks = []sink.Config{{Name: "file", Kind: "file", File: sink.File{Path: out}}}
	c.Sinks[0].BuildingBlocks = true
	var hits []byte
	key := ""
	for part := range 4 {
		r := start(t, c, key)
		key = r.key
		for i := range 5 {
			h, body := docs(part*500+i*100, 100)
			hits = append(hits, h...)
			if code := r.ask("POST", "/_bulk", string(body), nil); code != 200 {
				t.Fatal(code)
			}
		}
		r.stop()
	}
	r := start(t, c, key)
	r.ask("POST", "/_bulk", last, nil)
	r.settle()
	got, want := r.ids(), scanned(t, c, hits)
	if len(want) < 200 || !slices.Equal(got, want) {
		t.Errorf("%d alerts, a scan gives %d", len(got), len(want))
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		text, _ := os.ReadFile(out)
		lines := bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
		var sent []string
		for _, line := range lines {
			var a struct {
				ID string `json:"kibana.alert.uuid"`
			}
			if json.Unmarshal(line, &a) == nil {
				sent = append(sent, a.ID)
			}
		}
		slices.Sort(sent)
		if slices.Equal(sent, want) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d alerts in the file, expected %d", len(sent), len(want))
		}
	}
	t.Logf("live: %d alerts as in a scan, through 5 starts", len(want))
}

// TestRulesChange reads rules anew: a broken file keeps its rules, a new one joins.
func TestRulesChange(t *testing.T) {
	c := settings(t)
	r := start(t, c, "")
	_, body := docs(0, 100)
	r.ask("POST", "/_bulk", string(body), nil)
	r.settle()
	write(t, c.Rules[0], "one.toml", strings.Replace(oneRule, "process where", "process were", 1))
	write(t, c.Rules[0], "new.toml", strings.NewReplacer(`"One"`, `"New"`, `"one"`, `"new"`, "> 50", ">= 0").Replace(oneRule))
	var answer struct {
		Rules    []struct{ Name, Status string }
		Problems []string
		Kept     []string
	}
	if code := r.ask("POST", "/v1/rules/reload", "", &answer); code != 200 || len(answer.Rules) != 3 || len(answer.Problems) != 1 || len(answer.Kept) != 1 || !strings.Contains(answer.Kept[0], "one.toml") {
		t.Fatalf("%d %+v", code, answer)
	}
	before := len(r.ids())
	_, body = docs(100, 100)
	r.ask("POST", "/_bulk", string(body), nil)
	r.settle()
	found := map[string]int{}
	var page struct {
		Alerts []struct {
			RuleName string `json:"rule_name"`
		}
	}
	r.ask("GET", "/v1/alerts?limit=1000", "", &page)
	for _, a := range page.Alerts {
		found[a.RuleName]++
	}
	if found["New"] != 33 || found["One"] < 20 || before == 0 {
		t.Errorf("alerts by rule %v", found)
	}
}

func TestClosedByDefault(t *testing.T) {
	c := settings(t)
	r := start(t, c, "")
	admin := r.key
	f := func(key, method, path, body string, want int) {
		t.Helper()
		if r.key = key; r.ask(method, path, body, nil) != want {
			t.Errorf("%s %s with key %.8s: %d, expected %d", method, path, key, r.ask(method, path, body, nil), want)
		}
	}
	make := func(scope string) string {
		var k struct{ Encoded, ID string }
		r.key = admin
		if code := r.ask("POST", "/v1/keys", `{"name":"x","scopes":["`+scope+`"]}`, &k); code != 200 || k.Encoded == "" {
			t.Fatal(code)
		}
		return k.Encoded
	}
	ingest, read := make("ingest"), make("read")
	_, body := docs(0, 1)
	for _, path := range []string{"/", "/v1/alerts", "/v1/status", "/metrics", "/debug/pprof/", "/nothing"} {
		f("", "GET", path, "", 401)
	}
	f("", "GET", "/healthz", "", 200)
	f("", "GET", "/readyz", "", 200)
	f("", "POST", "/_bulk", string(body), 401)
	f(read, "POST", "/_bulk", string(body), 403)
	f(ingest, "POST", "/_bulk", string(body), 200)
	f(ingest, "GET", "/v1/alerts", "", 403)
	f(read, "GET", "/v1/alerts", "", 200)
	f(read, "GET", "/metrics", "", 200)
	f(read, "GET", "/debug/pprof/", "", 403)
	f(read, "PATCH", "/v1/alerts/x", "{}", 403)
	f(read, "POST", "/v1/rules/reload", "", 403)
	f(read, "GET", "/v1/keys", "", 403)
	f(admin, "GET", "/v1/alerts?odd=1", "", 400)
	f(admin, "GET", "/v1/alerts?after=odd", "", 400)
	f(admin, "GET", "/v1/alerts?since=odd", "", 400)
	f(admin, "GET", "/v1/alerts/none", "", 404)
	f(admin, "PATCH", "/v1/alerts/none", `{"version":1,"status":"odd"}`, 400)
	f(admin, "PATCH", "/v1/alerts/none", `{"version":1,"sttus":"open"}`, 400)
	f(admin, "PATCH", "/v1/alerts/none", `{"version":1,"status":"open"}`, 404)
	f(admin, "DELETE", "/v1/keys/none", "", 404)
	f(admin, "GET", "/v1/nothing", "", 404)
}

func TestOneProcessPerFolder(t *testing.T) {
	c := settings(t)
	start(t, c, "")
	if _, err := server.Open(t.Context(), server.Options{Config: c, LoadRules: load, Log: slog.New(slog.DiscardHandler)}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("%v", err)
	}
}

func TestTLSOffLoopback(t *testing.T) {
	c := settings(t)
	c.Listen.Address = "0.0.0.0:0"
	s, err := server.Open(t.Context(), server.Options{Config: c, LoadRules: load, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	first := s.Fingerprint()
	if !strings.HasPrefix(s.Address(), "https://") || len(first) != 64 {
		t.Errorf("%s %s", s.Address(), first)
	}
	_ = s.Close()
	if s, err = server.Open(t.Context(), server.Options{Config: c, LoadRules: load, Log: slog.New(slog.DiscardHandler)}); err != nil || s.Fingerprint() != first {
		t.Errorf("the certificate is another at the second start: %v", err)
	}
	_ = s.Close()
}

// TestInputs follows a file through rotations and starts, some while nobody looks.
func TestInputs(t *testing.T) {
	c := settings(t)
	dir := t.TempDir()
	c.Inputs = []config.Input{{Name: "files", Kind: "file", Index: "logs-x-default", File: config.FileInput{Paths: []string{filepath.Join(dir, "events.log")}}}}
	var hits []byte
	appendDocs := func(from int) {
		h, body := docs(from, 100)
		hits = append(hits, h...)
		var plain []byte
		for line := range bytes.Lines(body) {
			if !bytes.HasPrefix(line, []byte(`{"create"`)) {
				plain = append(plain, line...)
			}
		}
		f, err := os.OpenFile(filepath.Join(dir, "events.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.Write(append(plain, "{broken\n"...))
		_ = f.Close()
	}
	key, from := "", 0
	var st struct{ Inputs []server.InputStatus }
	for part := range 3 {
		appendDocs(from) // before the start
		r := start(t, c, key)
		key = r.key
		appendDocs(from + 100)
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			if r.ask("GET", "/v1/status", "", &st); st.Inputs[0].Taken == 200 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%+v", st.Inputs)
			}
		}
		if st.Inputs[0].Refused["invalid JSON"] != 2 {
			t.Errorf("%+v", st.Inputs)
		}
		r.stop()
		if err := os.Rename(filepath.Join(dir, "events.log"), filepath.Join(dir, fmt.Sprintf("events.log.%d", part))); err != nil {
			t.Fatal(err)
		}
		from += 200
	}
	r := start(t, c, key)
	r.ask("POST", "/_bulk", last, nil)
	r.settle()
	if got, want := r.ids(), scanned(t, c, hits); !slices.Equal(got, want) || len(want) < 50 {
		t.Errorf("%d alerts, expected %d as in a scan", len(got), len(want))
	}
}
