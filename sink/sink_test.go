package sink_test

import (
	"bufio"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/sink"
)

// hostile is an alert whose texts an attacker wrote.
func hostile(id string) *alert.Kept {
	command := "evil \"x\" | =\\ \r\nSubject: spoofed\r\n.\r\n<script>alert(1)</script> \x1b[31m\u2028"
	doc, _ := json.Marshal(map[string]any{"host": map[string]any{"name": "h|1\n"}, "user.name": "u=2", "process": map[string]any{"command_line": command}, "kibana.alert.uuid": id})
	return &alert.Kept{
		ID: id, RuleID: "rule|1", RuleName: "Rule\r\nBcc: all@example.com", Severity: "high", RiskScore: 73, Tags: []string{"OS: Windows"}, Reason: command,
		Time: event.FromTime(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)), Timed: true, Document: doc,
	}
}

func open(t *testing.T, c sink.Config) sink.Sink {
	t.Helper()
	s, err := c.Open("default")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestFilter(t *testing.T) {
	f := func(want bool, filter sink.Filter) {
		t.Helper()
		if got := filter.Wants(hostile("1")); got != want {
			t.Errorf("%+v: %v", filter, got)
		}
	}
	f(true, sink.Filter{})
	f(true, sink.Filter{Severity: "high"})
	f(false, sink.Filter{Severity: "critical"})
	f(true, sink.Filter{Rules: []string{"x", "rule|*"}})
	f(true, sink.Filter{Rules: []string{"Rule*"}})
	f(false, sink.Filter{Rules: []string{"x*"}})
	f(true, sink.Filter{Tags: []string{"a", "OS: Windows"}})
	f(false, sink.Filter{Tags: []string{"a"}})
	block := hostile("1")
	block.BuildingBlock = true
	if (&sink.Filter{}).Wants(block) || !(&sink.Filter{BuildingBlocks: true}).Wants(block) {
		t.Error("building blocks")
	}
	if (&sink.Filter{Severity: "loud"}).Check() == nil || (&sink.Filter{Rules: []string{"["}}).Check() == nil || (&sink.Filter{Severity: "low"}).Check() != nil {
		t.Error("checks")
	}
}

func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "alerts.jsonl")
	if err := os.WriteFile(path, []byte(`{"torn":`), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, sink.Config{Kind: "file", File: sink.File{Path: path}})
	if errs := s.Deliver(t.Context(), []*alert.Kept{hostile("1"), hostile("2")}); errs != nil {
		t.Fatal(errs)
	}
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	if errs := s.Deliver(t.Context(), []*alert.Kept{hostile("3")}); errs != nil {
		t.Fatal(errs)
	}
	lines := func(path string) []string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	}
	if got := lines(path + ".1"); len(got) != 3 || got[1] != string(hostile("1").Document) {
		t.Errorf("%q", got)
	}
	if got := lines(path); len(got) != 1 || got[0] != string(hostile("3").Document) {
		t.Errorf("%q", got)
	}
}

// receiver answers with statuses in turn and keeps what it got.
type receiver struct {
	*httptest.Server
	bodies  []string
	headers []http.Header
}

func receive(t *testing.T, answer func(n int, w http.ResponseWriter)) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.bodies, r.headers = append(r.bodies, string(body)), append(r.headers, req.Header)
		answer(len(r.bodies), w)
	}))
	t.Cleanup(r.Close)
	return r
}

func TestWebhook(t *testing.T) {
	r := receive(t, func(n int, w http.ResponseWriter) {
		switch n {
		case 2:
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(429)
		case 3:
			w.WriteHeader(400)
		case 4:
			http.Redirect(w, &http.Request{Method: "GET"}, "http://127.0.0.1:1/", http.StatusFound)
		case 5:
			w.WriteHeader(500)
		}
	})
	s := open(t, sink.Config{Kind: "webhook", Webhook: sink.Webhook{URL: r.URL, Secret: "k", Headers: map[string]string{"X-Team": "soc"}}})
	errs := s.Deliver(t.Context(), []*alert.Kept{hostile("1"), hostile("2"), hostile("3"), hostile("4"), hostile("5")})
	var refusal *sink.Refusal
	var later interface{ RetryAfter() time.Duration }
	if len(errs) != 5 || errs[0] != nil || !errors.As(errs[1], &later) || later.RetryAfter() != 7*time.Second || !errors.As(errs[2], &refusal) || !errors.As(errs[3], &refusal) || errors.As(errs[4], &refusal) || errs[4] == nil {
		t.Errorf("%v", errs)
	}
	var at int64
	var sum string
	if _, err := fmt.Sscanf(r.headers[0].Get("X-Shrike-Signature"), "t=%d,v1=%s", &at, &sum); err != nil {
		t.Fatal(err)
	}
	m := hmac.New(sha256.New, []byte("k"))
	_, _ = fmt.Fprintf(m, "%d.%s", at, r.bodies[0])
	if hex.EncodeToString(m.Sum(nil)) != sum || r.headers[0].Get("X-Team") != "soc" || r.bodies[0] != string(hostile("1").Document) {
		t.Errorf("signature %s over %s", sum, r.bodies[0])
	}
	s = open(t, sink.Config{Kind: "webhook", Webhook: sink.Webhook{URL: r.URL, Batch: 2}})
	if errs := s.Deliver(t.Context(), []*alert.Kept{hostile("1"), hostile("2"), hostile("3")}); errs[0] != nil || errs[2] != nil {
		t.Error(errs)
	}
	var list []any
	if err := json.Unmarshal([]byte(r.bodies[5]), &list); err != nil || len(list) != 2 {
		t.Errorf("%v %s", err, r.bodies[5])
	}
	s = open(t, sink.Config{Kind: "webhook", Webhook: sink.Webhook{URL: r.URL, Template: `{"text":{{json (.Get "process.command_line")}},"host":{{json (.Get "host.name")}}}`}})
	if errs := s.Deliver(t.Context(), []*alert.Kept{hostile("1")}); errs[0] != nil {
		t.Error(errs)
	}
	if last := r.bodies[len(r.bodies)-1]; !json.Valid([]byte(last)) || !strings.Contains(last, `"host":"h|1\n"`) {
		t.Errorf("body %s", last)
	}
}

func TestElasticsearch(t *testing.T) {
	r := receive(t, func(n int, w http.ResponseWriter) {
		if n == 2 {
			w.WriteHeader(503)
			return
		}
		_, _ = io.WriteString(w, `{"errors":true,"items":[{"create":{"status":201}},{"create":{"status":409,"error":{"type":"version_conflict_engine_exception","reason":"there"}}},{"create":{"status":400,"error":{"type":"document_parsing_exception","reason":"bad"}}},{"create":{"status":429,"error":{"type":"es_rejected_execution_exception","reason":"busy"}}}]}`)
	})
	s := open(t, sink.Config{Kind: "elasticsearch", Elasticsearch: sink.Elasticsearch{URL: r.URL, APIKey: "key"}})
	list := []*alert.Kept{hostile("1"), hostile("2"), hostile("3"), hostile("4")}
	errs := s.Deliver(t.Context(), list)
	var refusal *sink.Refusal
	if len(errs) != 4 || errs[0] != nil || errs[1] != nil || !errors.As(errs[2], &refusal) || errors.As(errs[3], &refusal) || errs[3] == nil {
		t.Errorf("%v", errs)
	}
	if lines := strings.Split(r.bodies[0], "\n"); len(lines) != 9 || lines[0] != `{"create":{"_id":"1"}}` || lines[1] != string(list[0].Document) || r.headers[0].Get("Authorization") != "ApiKey key" {
		t.Errorf("sent %q", lines)
	}
	if errs := s.Deliver(t.Context(), list); len(errs) != 4 || errors.As(errs[0], &refusal) {
		t.Errorf("%v", errs)
	}
}

func TestSyslog(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	messages := make(chan string, 10)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		in := bufio.NewReader(c)
		for {
			var n int
			if _, err := fmt.Fscanf(in, "%d ", &n); err != nil {
				return
			}
			text := make([]byte, n)
			if _, err := io.ReadFull(in, text); err != nil {
				return
			}
			messages <- string(text)
		}
	}()
	s := open(t, sink.Config{Kind: "syslog", Syslog: sink.Syslog{Address: l.Addr().String()}})
	if errs := s.Deliver(t.Context(), []*alert.Kept{hostile("1"), hostile("2")}); errs != nil {
		t.Fatal(errs)
	}
	m := <-messages
	if !strings.HasPrefix(m, "<35>1 ") || strings.ContainsAny(m, "\n\r\x1b") {
		t.Errorf("%q", m)
	}
	for _, part := range []string{`CEF:0|Shrike|Shrike|1|rule\|1|Rule  Bcc: all@example.com|8|externalId=1`, `duser=u\=2`, `dhost=h|1\n`, `cs2=evil "x" | \=\\ \r\nSubject`, `rt=1772366400000`} {
		if !strings.Contains(m, part) {
			t.Errorf("%q is not in %q", part, m)
		}
	}
	<-messages
	u, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	s = open(t, sink.Config{Kind: "syslog", Syslog: sink.Syslog{Address: u.LocalAddr().String(), Network: "udp", Format: "json", Most: 1200}})
	long := hostile("3")
	long.Document = []byte(`{"pad":"` + strings.Repeat("x", 5000) + `"}`)
	if errs := s.Deliver(t.Context(), []*alert.Kept{long}); errs != nil {
		t.Fatal(errs)
	}
	buf := make([]byte, 9000)
	n, _, err := u.ReadFrom(buf)
	if _, body, ok := strings.Cut(string(buf[:n]), " - "); err != nil || !ok || !json.Valid([]byte(strings.TrimPrefix(body[strings.Index(body, "{"):], " "))) || n > 1200 {
		t.Errorf("%d bytes: %s", n, buf[:n])
	}
	// Nobody is there: it may be tried again.
	_ = l.Close()
	s = open(t, sink.Config{Kind: "syslog", Syslog: sink.Syslog{Address: l.Addr().String()}})
	var refusal *sink.Refusal
	if errs := s.Deliver(t.Context(), []*alert.Kept{hostile("1"), hostile("2")}); len(errs) != 2 || errs[1] == nil || errors.As(errs[0], &refusal) {
		t.Errorf("%v", errs)
	}
}

// smtp is a server that takes one mail.
func smtp(t *testing.T) (address string, mails chan string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	mails = make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		in := bufio.NewReader(c)
		say := func(s string) { _, _ = io.WriteString(c, s+"\r\n") }
		say("220 test")
		var all strings.Builder
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			all.WriteString(line)
			switch verb := strings.ToUpper(strings.Fields(line + " x")[0]); verb {
			case "EHLO", "HELO":
				say("250 test")
			case "DATA":
				say("354 go on")
				for line != ".\r\n" {
					if line, err = in.ReadString('\n'); err != nil {
						return
					}
					all.WriteString(line)
				}
				say("250 taken")
				mails <- all.String()
			case "QUIT":
				say("221 bye")
				return
			default:
				say("250 ok")
			}
		}
	}()
	return l.Addr().String(), mails
}

func TestEmail(t *testing.T) {
	address, mails := smtp(t)
	s := open(t, sink.Config{Kind: "email", Email: sink.Email{Server: address, From: "shrike@example.com", To: []string{"soc@example.com"}, Security: "none"}})
	if errs := s.Deliver(t.Context(), []*alert.Kept{hostile("1"), hostile("2")}); errs != nil {
		t.Fatal(errs)
	}
	m := <-mails
	head, _, _ := strings.Cut(m, "\r\n\r\n")
	_, page, _ := strings.Cut(m, "text/html")
	if strings.Contains(head, "\r\nBcc:") || strings.Contains(m, "\r\nSubject: spoofed") || strings.Contains(page, "<script>") || strings.Count(m, "RCPT TO") != 1 {
		t.Errorf("an attacker's text took effect:\n%s", m)
	}
	if !strings.Contains(m, "text/plain") || !strings.Contains(m, "text/html") {
		t.Errorf("parts are missing:\n%s", m)
	}
	if _, err := (&sink.Config{Kind: "email", Email: sink.Email{Server: address, From: "no address", To: []string{"x"}}}).Open("default"); err == nil {
		t.Error("an odd address was taken")
	}
}

func TestConfigurationsThatCannotWork(t *testing.T) {
	for _, c := range []sink.Config{
		{Kind: "pigeon"}, {Kind: "file"}, {Kind: "webhook", Webhook: sink.Webhook{URL: "ftp://x"}}, {Kind: "webhook", Webhook: sink.Webhook{URL: "http://x", Template: "{{"}},
		{Kind: "elasticsearch", Elasticsearch: sink.Elasticsearch{URL: "http://x", APIKey: "a", User: "b"}}, {Kind: "syslog", Syslog: sink.Syslog{Address: "x"}},
		{Kind: "syslog", Syslog: sink.Syslog{Address: "x:1", Network: "pigeon"}}, {Kind: "syslog", Syslog: sink.Syslog{Address: "x:1", Format: "odd"}},
		{Kind: "email", Email: sink.Email{Server: "x:1"}}, {Kind: "webhook", Webhook: sink.Webhook{URL: "https://x", TLS: sink.TLS{CA: "/no/such/file"}}},
	} {
		if _, err := c.Open("default"); err == nil {
			t.Errorf("%+v was opened", c)
		}
	}
}
