package bulk_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/source/bulk"
)

// memory is a journal that keeps lines.
type memory struct {
	mu    sync.Mutex
	lines []string
	err   error
}

func (m *memory) Accept(_ context.Context, docs []byte, count int) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	list := strings.Split(strings.TrimSuffix(string(docs), "\n"), "\n")
	if len(list) != count || !bytes.HasSuffix(docs, []byte("\n")) {
		return fmt.Errorf("%d lines, %d said", len(list), count)
	}
	m.lines = append(m.lines, list...)
	return nil
}

type later struct{}

func (later) Error() string             { return "full" }
func (later) RetryAfter() time.Duration { return 1500 * time.Millisecond }

// failingReader must not be read.
type failingReader struct{ t *testing.T }

func (f failingReader) Read([]byte) (int, error) {
	f.t.Error("a body was read")
	return 0, io.EOF
}

type auth struct{}

func (auth) Key(_ context.Context, encoded string) (bulk.Who, error) {
	switch encoded {
	case "good":
		return bulk.Who{Name: "a", Scopes: []string{"ingest"}}, nil
	case "reader":
		return bulk.Who{Name: "r", Scopes: []string{"read"}}, nil
	case "unknowable":
		return bulk.Who{}, errors.New("secret reason")
	}
	return bulk.Who{}, bulk.ErrCredentials
}

func (auth) Basic(_ context.Context, user, password string) (bulk.Who, error) {
	if user == "u" && password == "p" {
		return bulk.Who{Name: "u", Scopes: []string{"admin"}}, nil
	}
	return bulk.Who{}, bulk.ErrCredentials
}

func handler(j bulk.Journal, change func(*bulk.Config)) *bulk.Handler {
	cfg := bulk.Config{Journal: j, Auth: auth{}, MaxBodyBytes: 1 << 20, MaxDocumentBytes: 64 << 10, MaxMemoryBytes: 4 << 20, Version: "8.17.0", Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&cfg)
	}
	return bulk.New(cfg)
}

// send makes a request with a good key and gives the answer.
func send(h http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Authorization", "ApiKey good")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestBulkItems(t *testing.T) {
	m := &memory{}
	h := handler(m, nil)
	body := strings.Join([]string{
		`{"create":{"_index":"logs-a-default"}}`, `{"n":1}`,
		`{ "index" : { "_index":"b", "_id":"x\"1", "require_alias":false } }`, `{"n":2}`,
		`{"update":{"_index":"b","_id":"1"}}`, `{"doc":{}}`,
		`{"delete":{"_index":"b","_id":"1"}}`,
		`{"create":{}}`, `{"n":3}`,
		`{"create":{"_index":"c"}}`, `{"n":4,}`,
		`{"create":{"_index":"c"}}`, `[1]`,
		`{"create":{"_index":"bad name"}}`, `{"n":5}`,
		`{"create":{"_index":"c","_id":7}}`, `{"n":6}`,
		`{"index":{"_index":"c"}}`, `{"pad":"` + strings.Repeat("x", 70_000) + `"}`,
	}, "\n") + "\n"
	w := send(h, "POST", "/_bulk", body)
	var answer struct {
		Errors bool
		Items  []map[string]struct {
			Index  string `json:"_index"`
			ID     string `json:"_id"`
			Status int
			Error  struct{ Type, Reason string }
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != 200 || !answer.Errors {
		t.Fatalf("%d %v %s", w.Code, err, w.Body)
	}
	want := []string{"create 201 ", "index 201 ", "update 400 illegal_argument_exception", "delete 400 illegal_argument_exception", "create 400 action_request_validation_exception",
		"create 400 document_parsing_exception", "create 400 document_parsing_exception", "create 400 invalid_index_name_exception", "create 201 ", "index 413 document_parsing_exception"}
	for i, it := range answer.Items {
		for op, a := range it {
			if got := fmt.Sprintf("%s %d %s", op, a.Status, a.Error.Type); i >= len(want) || got != want[i] {
				t.Errorf("item %d: %s", i, got)
			}
			if a.Status == 201 && a.ID == "" {
				t.Errorf("item %d has no id", i)
			}
		}
	}
	if len(answer.Items) != len(want) {
		t.Errorf("%d items", len(answer.Items))
	}
	if got := strings.Join(m.lines, "\n"); got != `{"_index":"logs-a-default","_source":{"n":1}}`+"\n"+`{"_index":"b","_id":"x\"1","_source":{"n":2}}`+"\n"+`{"_index":"c","_id":"7","_source":{"n":6}}` {
		t.Errorf("kept:\n%s", got)
	}
	if s := h.Stats(); s.Events != 3 || s.Refused["document_parsing_exception"] != 3 {
		t.Errorf("stats %+v", s)
	}
	// What is kept is what Shrike reads as a hit.
	set := event.NewFieldSet(nil)
	n := set.Add("n")
	var ev event.Event
	if err := event.NewDecoder(set, "").Decode([]byte(m.lines[1]), &ev); err != nil || ev.Index != "b" || ev.ID != `x"1` || ev.First(n).Text() != "2" {
		t.Errorf("read again: %v %q %q", err, ev.Index, ev.ID)
	}
}

func TestRequests(t *testing.T) {
	big := `{"create":{"_index":"a"}}` + "\n" + `{"pad":"` + strings.Repeat("x", 2<<20) + `"}` + "\n"
	one := `{"create":{"_index":"a"}}` + "\n" + `{"n":1}` + "\n"
	pack := func(text string) string {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = io.WriteString(z, text)
		_ = z.Close()
		return b.String()
	}
	packZstd := func(text string) string {
		z, _ := zstd.NewWriter(nil)
		return string(z.EncodeAll([]byte(text), nil))
	}
	m := &memory{}
	h := handler(m, nil)
	f := func(w *httptest.ResponseRecorder, status int, part string) {
		t.Helper()
		if w.Code != status || !strings.Contains(w.Body.String(), part) || w.Header().Get("X-Elastic-Product") != "Elasticsearch" {
			t.Errorf("%d %s, expected %d and %q", w.Code, w.Body, status, part)
		}
		if !json.Valid(w.Body.Bytes()) && w.Body.Len() > 0 {
			t.Errorf("no JSON: %s", w.Body)
		}
	}
	f(send(h, "POST", "/_bulk", one), 200, `"errors":false`)
	f(send(h, "PUT", "/logs-x/_bulk", `{"create":{}}`+"\n"+`{"n":1}`), 200, `"_index":"logs-x"`)
	f(send(h, "POST", "/_bulk", pack(one), "Content-Encoding", "gzip"), 200, `"status":201`)
	f(send(h, "POST", "/_bulk", pack(one), "Content-Encoding", "gzip"), 200, `"status":201`) // with a reader used again
	f(send(h, "POST", "/_bulk", packZstd(one), "Content-Encoding", "zstd"), 200, `"status":201`)
	f(send(h, "POST", "/_bulk", "no gzip", "Content-Encoding", "gzip"), 400, "cannot be read")
	f(send(h, "POST", "/_bulk", one, "Content-Encoding", "br"), 415, "use gzip or zstd")
	f(send(h, "POST", "/_bulk", pack(big), "Content-Encoding", "gzip"), 413, "content_too_long_exception")
	f(send(h, "POST", "/_bulk", packZstd(big), "Content-Encoding", "zstd"), 413, "content_too_long_exception")
	f(send(h, "POST", "/_bulk", big), 413, "content_too_long_exception")
	f(send(h, "POST", "/_bulk", ""), 400, "request body is required")
	f(send(h, "POST", "/_bulk", `{"foo":{}}`+"\n{}\n"), 400, "Malformed action/metadata line [1]")
	f(send(h, "POST", "/_bulk", one+"rubbish\n"), 400, "Malformed action/metadata line [3]")
	f(send(h, "POST", "/_bulk", `{"create":{"_index":"a"}}`+"\n"), 400, "must be terminated by a newline")
	f(send(h, "POST", "/_bulk", one, "Content-Type", "text/plain"), 406, "is not supported")
	f(send(h, "POST", "/_bulk", one, "Content-Type", "application/vnd.elasticsearch+x-ndjson;compatible-with=8", "Accept", "application/vnd.elasticsearch+json;compatible-with=8"), 200, "")
	f(send(h, "POST", "/_bulk", one, "Authorization", "ApiKey bad"), 401, "security_exception")
	f(send(h, "POST", "/_bulk", one, "Authorization", ""), 401, "security_exception")
	f(send(h, "POST", "/_bulk", one, "Authorization", "ApiKey unknowable"), 503, "cannot be looked up now")
	f(send(h, "POST", "/_bulk", one, "Authorization", "Basic dTpw"), 200, "created")
	f(send(h, "POST", "/_bulk", one, "Authorization", "ApiKey reader"), 403, "scope ingest")
	f(send(h, "GET", "/", "", "Authorization", "ApiKey reader"), 200, `"number":"8.17.0"`)
	f(send(h, "POST", "/_bulk?filter_path=errors,items.*.status", one), 200, `{"errors":false,"items":[{"create":{"status":201}}]}`)
	f(send(h, "POST", "/_bulk?filter_path=errors", one), 200, `{"errors":false}`)
	f(send(h, "POST", "/_bulk?filter_path=errors,items.*.error,items.*.status", one), 200, `{"errors":false,"items":[{"create":{"status":201}}]}`)
	f(send(h, "POST", "/_bulk?filter_path=errors,items.*.error.type,items.*.status", `{"create":{"_index":"a"}}`+"\n{\n"+one), 200, `{"errors":true,"items":[{"create":{"error":{"type":"document_parsing_exception"},"status":400}},{"create":{"status":201}}]}`)
	f(send(h, "POST", "/_bulk?filter_path=items.*.error", one), 200, `{}`)
	f(send(h, "POST", "/_bulk?filter_path=-took,-items.**._shards,-items.*._id", one), 200, `{"errors":false,"items":[{"create":{"_index":"a","_version":1,`)
	f(send(h, "POST", "/a/_doc", "{\n \"n\": 1\n}\n"), 201, `"result":"created"`)
	f(send(h, "PUT", "/a/_create/id7", `{"n":1}`), 201, `"_id":"id7"`)
	f(send(h, "PUT", "/a/_doc/id8", `{"n":1`), 400, "document_parsing_exception")
	f(send(h, "POST", "/v1/events", "{\"n\":1}\n\n{\"n\":}\n{\"n\":2}"), 200, `{"accepted":2,"refused":1,"errors":[{"line":3,"column":6,"reason":"invalid JSON"}]}`)
	f(send(h, "POST", "/v1/events", "x"), 400, `"accepted":0,"refused":1`)
	f(send(h, "GET", "/_cluster/health", ""), 200, "green")
	f(send(h, "GET", "/_cluster/health/a", ""), 200, "green")
	f(send(h, "GET", "/_license", ""), 200, "active")
	f(send(h, "HEAD", "/_index_template/filebeat", ""), 404, "")
	f(send(h, "PUT", "/_index_template/filebeat", "{}"), 200, acknowledged)
	f(send(h, "PUT", "/_ilm/policy/filebeat", "{}"), 200, acknowledged)
	f(send(h, "HEAD", "/filebeat", ""), 404, "")
	f(send(h, "PUT", "/filebeat-8", ""), 200, `"index":"filebeat-8"`)
	f(send(h, "GET", "/_search", ""), 400, "events are taken here")
	f(send(h, "GET", "/_bulk", ""), 405, "")
	f(send(h, "DELETE", "/a/_doc/1", ""), 400, "events are taken here")
	if got := m.lines[len(m.lines)-4]; got != `{"_index":"a","_source":{"n":1}}` {
		t.Errorf("a document of several lines is kept as %s", got)
	}
}

const acknowledged = `{"acknowledged":true}`

func TestBackPressure(t *testing.T) {
	one := `{"create":{"_index":"a"}}` + "\n" + `{"n":1}` + "\n"
	w := send(handler(&memory{err: fmt.Errorf("accept: %w", later{})}, nil), "POST", "/_bulk", one)
	if w.Code != 429 || w.Header().Get("Retry-After") != "2" || !strings.Contains(w.Body.String(), "es_rejected_execution_exception") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	// A body that would be refused is not read.
	unread := httptest.NewRequest("POST", "/_bulk", failingReader{t})
	unread.Header.Set("Authorization", "ApiKey good")
	w = httptest.NewRecorder()
	handler(&memory{}, func(c *bulk.Config) { c.Full = func(context.Context) error { return later{} } }).ServeHTTP(w, unread)
	if w.Code != 429 || w.Header().Get("Retry-After") != "2" {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	w = send(handler(&memory{err: errors.New("secret reason")}, nil), "POST", "/_bulk", one)
	if w.Code != 503 || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	// A body that takes all memory; the next one waits a while and is refused.
	slow := slowJournal{begun: make(chan struct{}), end: make(chan struct{})}
	h := handler(slow, func(c *bulk.Config) { c.MaxMemoryBytes = 100 })
	first := make(chan int)
	go func() { first <- send(h, "POST", "/_bulk", one).Code }()
	<-slow.begun
	if w = send(h, "POST", "/_bulk", one); w.Code != 429 || w.Header().Get("Retry-After") != "1" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	close(slow.end)
	if code := <-first; code != 200 {
		t.Errorf("the first: %d", code)
	}
	h = handler(&memory{}, func(c *bulk.Config) { c.Rate = 2 })
	codes := ""
	for range 3 {
		codes += fmt.Sprint(send(h, "POST", "/_bulk", one).Code, " ")
	}
	if codes != "200 200 429 " {
		t.Errorf("%s", codes)
	}
	// All memory is given back, after good and bad requests.
	h = handler(&memory{}, func(c *bulk.Config) { c.MaxMemoryBytes = 128 << 10 })
	for range 50 {
		_ = send(h, "POST", "/_bulk", "rubbish")
		_ = send(h, "POST", "/_bulk", "rubbish", "Content-Encoding", "gzip")
		_ = send(h, "POST", "/_bulk", strings.Repeat("x", 200_000))
		if w := send(h, "POST", "/_bulk", one); w.Code != 200 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
}

// slowJournal takes events when it is told to.
type slowJournal struct{ begun, end chan struct{} }

func (s slowJournal) Accept(context.Context, []byte, int) error {
	close(s.begun)
	<-s.end
	return nil
}

// FuzzBulk sends bodies: whatever they are, the answer is JSON in the right shape, and
// what is kept is valid, one document a line.
func FuzzBulk(f *testing.F) {
	f.Add([]byte(`{"create":{"_index":"a"}}`+"\n"+`{"n":1}`+"\n"), "items.*.error")
	f.Add([]byte(`{"index":{"_index":"a","_id":"\u0000"}}`+"\n"+`{"n":"\r"}`+"\n"+`{"delete":{}}`), "-**")
	f.Add([]byte("{\"create\":{\"_index\":\"a\"}}\n{\"a\":\"\r\"}\n"), "a**b.*")
	f.Fuzz(func(t *testing.T, body []byte, filter string) {
		m := &memory{}
		r := httptest.NewRequest("POST", "/_bulk", bytes.NewReader(body))
		r.URL.RawQuery = "filter_path=" + strings.ReplaceAll(strings.ReplaceAll(filter, "&", ""), ";", "")
		r.Header.Set("Authorization", "ApiKey good")
		w := httptest.NewRecorder()
		handler(m, nil).ServeHTTP(w, r)
		if !json.Valid(w.Body.Bytes()) || w.Code != 200 && w.Code != 400 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		for _, line := range m.lines {
			if err := event.Valid([]byte(line)); err != nil {
				t.Errorf("kept %q: %v", line, err)
			}
		}
	})
}

// discard is a journal that keeps nothing.
type discard struct{}

func (discard) Accept(context.Context, []byte, int) error { return nil }

func BenchmarkBulk(b *testing.B) {
	doc := `{"@timestamp":"2026-03-02T09:06:46.022Z","event":{"category":["process"],"type":["start"]},"process":{"command_line":"` + strings.Repeat("C:\\\\Windows\\\\System32\\\\cmd.exe /c whoami ", 45) + `"}}`
	var body bytes.Buffer
	for range 500 {
		_, _ = fmt.Fprintf(&body, "{\"create\":{\"_index\":\"logs-endpoint.events.process-default\"}}\n%s\n", doc)
	}
	h := handler(discard{}, func(c *bulk.Config) { c.MaxBodyBytes, c.MaxMemoryBytes = 10<<20, 100<<20 })
	b.SetBytes(int64(body.Len()))
	for b.Loop() {
		r := httptest.NewRequest("POST", "/_bulk", bytes.NewReader(body.Bytes()))
		r.Header.Set("Authorization", "ApiKey good")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
	b.ReportMetric(500*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
