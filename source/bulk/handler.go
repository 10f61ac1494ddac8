package bulk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
	"golang.org/x/time/rate"
)

// Journal keeps events.
type Journal interface {
	// Accept keeps documents, one a line, and returns nil once all are durable. An error
	// with a method RetryAfter() time.Duration asks to come again.
	Accept(ctx context.Context, docs []byte, count int) error
}

// Who is somebody whose credentials were right.
type Who struct {
	Name   string
	Scopes []string
}

func (w Who) may(scope string) bool {
	return slices.Contains(w.Scopes, scope) || slices.Contains(w.Scopes, "admin")
}

// ErrCredentials is in the error of an Authenticator that knows that credentials are wrong.
// Any other error says that this cannot be told now.
var ErrCredentials = errors.New("missing or wrong credentials")

// Authenticator knows who may send.
type Authenticator interface {
	// Key looks at the part of "Authorization: ApiKey …" that follows, Basic at a user
	// and a password. The error of wrong ones is not shown.
	Key(ctx context.Context, encoded string) (Who, error)
	Basic(ctx context.Context, user, password string) (Who, error)
}

// Config says how a Handler works. Journal and Auth must be set.
type Config struct {
	Journal Journal
	Auth    Authenticator
	// Full, if it is set, is asked before a body is read: the error of Accept that would
	// follow anyway, or nil.
	Full func(context.Context) error
	// MaxBodyBytes bounds a body, compressed and not; MaxDocumentBytes an event, and
	// MaxMemoryBytes all bodies under way.
	MaxBodyBytes, MaxDocumentBytes, MaxMemoryBytes int64
	// Rate is how many requests a second one key may make; 0: any.
	Rate int
	// Version is the version of Elasticsearch that is said to be spoken.
	Version string
	// Log takes what went wrong here, without any secret.
	Log *slog.Logger
}

// Handler answers the requests of clients.
type Handler struct {
	cfg    Config
	uuid   string
	memory *semaphore.Weighted
	limits sync.Map // name of a key → *rate.Limiter
	stats  counters
	bodies sync.Pool // of *body
	texts  sync.Pool // of *[]byte
}

// New makes a Handler.
func New(cfg Config) *Handler {
	if cfg.Journal == nil || cfg.Auth == nil {
		panic("bulk: a handler needs a journal and an authenticator")
	}
	h := &Handler{cfg: cfg, memory: semaphore.NewWeighted(cfg.MaxMemoryBytes)}
	h.uuid = fmt.Sprintf("%022x", rand.Uint64())
	h.bodies.New = func() any { return &body{} }
	return h
}

// Stats is what a Handler has done.
type Stats struct {
	Requests, Events, Bytes int64
	// Refused counts items by reason, and requests that were refused as a whole.
	Refused map[string]int64
}

type counters struct {
	requests, events, bytes atomic.Int64
	refused                 sync.Map // reason → *atomic.Int64
}

func (c *counters) refuse(reason string, n int64) {
	v, ok := c.refused.Load(reason)
	if !ok {
		v, _ = c.refused.LoadOrStore(reason, new(atomic.Int64))
	}
	v.(*atomic.Int64).Add(n)
}

// Stats tells what the Handler has done.
func (h *Handler) Stats() Stats {
	s := Stats{Requests: h.stats.requests.Load(), Events: h.stats.events.Load(), Bytes: h.stats.bytes.Load(), Refused: map[string]int64{}}
	h.stats.refused.Range(func(reason, n any) bool {
		s.Refused[reason.(string)] = n.(*atomic.Int64).Load()
		return true
	})
	return s
}

// ServeHTTP answers a request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.stats.requests.Add(1)
	w.Header().Set("X-Elastic-Product", "Elasticsearch")
	who, err := h.who(r)
	switch {
	case err == nil:
	case !errors.Is(err, ErrCredentials):
		// A client takes 401 for an end, and throws its events away.
		h.stats.refuse("credentials unknown", 1)
		h.cfg.Log.Error("nobody knows whether the credentials of a request are right", "error", err)
		h.fail(w, r, &failure{http.StatusServiceUnavailable, "unavailable", "the credentials cannot be looked up now", time.Second})
		return
	default:
		h.stats.refuse("credentials", 1)
		w.Header().Add("WWW-Authenticate", `Basic realm="security", charset="UTF-8"`)
		w.Header().Add("WWW-Authenticate", "ApiKey")
		h.fail(w, r, &failure{http.StatusUnauthorized, "security_exception", "missing or wrong credentials for REST request [" + shown(r.URL.Path) + "]", 0})
		return
	}
	if f := h.limited(who); f != nil {
		h.fail(w, r, f)
		return
	}
	op := operationOf(r)
	if op.run == nil {
		h.handshake(w, r)
		return
	}
	if !who.may("ingest") {
		h.stats.refuse("scope", 1)
		h.fail(w, r, &failure{http.StatusForbidden, "security_exception", "action [indices:data/write/bulk] is unauthorized: the key has not the scope ingest", 0})
		return
	}
	if h.cfg.Full != nil {
		if err := h.cfg.Full(r.Context()); err != nil {
			h.fail(w, r, h.notTaken(err, 1))
			return
		}
	}
	if f := op.run(h, w, r, op); f != nil {
		h.fail(w, r, f)
	}
}

// who tells who sent a request.
func (h *Handler) who(r *http.Request) (Who, error) {
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch {
	case strings.EqualFold(scheme, "ApiKey"):
		return h.cfg.Auth.Key(r.Context(), strings.TrimSpace(rest))
	case strings.EqualFold(scheme, "Basic"):
		if user, password, ok := r.BasicAuth(); ok {
			return h.cfg.Auth.Basic(r.Context(), user, password)
		}
	}
	return Who{}, ErrCredentials
}

// limited holds a key to its rate.
func (h *Handler) limited(who Who) *failure {
	if h.cfg.Rate <= 0 {
		return nil
	}
	l, ok := h.limits.Load(who.Name)
	if !ok {
		l, _ = h.limits.LoadOrStore(who.Name, rate.NewLimiter(rate.Limit(h.cfg.Rate), h.cfg.Rate))
	}
	if l.(*rate.Limiter).Allow() {
		return nil
	}
	h.stats.refuse("rate", 1)
	return &failure{http.StatusTooManyRequests, "es_rejected_execution_exception", "the key sends too many requests a second", time.Second}
}

// operation is a request that brings events.
type operation struct {
	run   func(*Handler, http.ResponseWriter, *http.Request, operation) *failure
	index string // that of the address
	id    string
	// create tells that the document must not be there before.
	create bool
}

// operationOf tells what a request asks for; its run is nil if it brings no events.
func operationOf(r *http.Request) operation {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	write := r.Method == http.MethodPost || r.Method == http.MethodPut
	switch n := len(parts); {
	case !write:
	case n == 1 && parts[0] == "_bulk":
		return operation{run: (*Handler).bulk}
	case r.URL.Path == "/v1/events" && r.Method == http.MethodPost:
		return operation{run: (*Handler).lines}
	case n < 2 || strings.HasPrefix(parts[0], "_"):
	case n == 2 && parts[1] == "_bulk":
		return operation{run: (*Handler).bulk, index: parts[0]}
	case n == 2 && parts[1] == "_doc" && r.Method == http.MethodPost:
		return operation{run: (*Handler).document, index: parts[0], create: r.URL.Query().Get("op_type") == "create"}
	case n == 3 && (parts[1] == "_doc" || parts[1] == "_create"):
		return operation{run: (*Handler).document, index: parts[0], id: parts[2], create: parts[1] == "_create" || r.URL.Query().Get("op_type") == "create"}
	}
	return operation{}
}

// accept hands documents to the journal.
func (h *Handler) accept(ctx context.Context, docs []byte, count int) *failure {
	if count == 0 {
		return nil
	}
	err := h.cfg.Journal.Accept(ctx, docs, count)
	if err == nil {
		h.stats.events.Add(int64(count))
		h.stats.bytes.Add(int64(len(docs)))
		return nil
	}
	return h.notTaken(err, count)
}

// notTaken answers for events that the journal did not take, or will not.
func (h *Handler) notTaken(err error, count int) *failure {
	var later interface{ RetryAfter() time.Duration }
	if errors.As(err, &later) {
		h.stats.refuse("journal full", int64(count))
		return &failure{http.StatusTooManyRequests, "es_rejected_execution_exception", "rejected execution: the journal takes no events now", later.RetryAfter()}
	}
	h.stats.refuse("journal failed", int64(count))
	h.cfg.Log.Error("events were not accepted", "events", count, "error", err)
	return &failure{http.StatusServiceUnavailable, "unavailable_shards_exception", "the journal failed; the reason is in the server's log", 5 * time.Second}
}

// failure is the refusal of a whole request.
type failure struct {
	status int
	kind   string
	reason string
	retry  time.Duration // 0: nobody knows
}

// fail answers a request with an error in Elasticsearch's shape.
func (h *Handler) fail(w http.ResponseWriter, r *http.Request, f *failure) {
	if f.retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((f.retry+time.Second-1)/time.Second)))
	}
	cause := appendText(appendText([]byte(`{"type":`), f.kind), "")
	cause = append(cause[:len(cause)-2], `,"reason":`...)
	cause = append(appendText(cause, f.reason), '}')
	b := append(append([]byte(`{"error":{"root_cause":[`), cause...), `],`...)
	b = append(b, cause[1:len(cause)-1]...)
	b = append(b, `},"status":`...)
	h.answer(w, r, f.status, append(strconv.AppendInt(b, int64(f.status), 10), '}'))
}

// answer writes an answer, of which the client may want a part.
func (h *Handler) answer(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	if f := newFilter(r.URL.Query().Get("filter_path")); f != nil && status < 300 {
		body = f.apply(body)
	}
	h.write(w, r, status, body)
}

func (h *Handler) write(w http.ResponseWriter, r *http.Request, status int, body []byte) {
	kind := "application/json"
	if accepted := r.Header.Get("Accept"); strings.Contains(accepted, "vnd.elasticsearch+json") {
		kind = "application/vnd.elasticsearch+json;compatible-with=8"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a client that went away is no concern of ours
	}
}

// shown cuts a text of a client short, for an answer.
func shown(text string) string {
	if len(text) > 200 {
		return text[:200] + "…"
	}
	return text
}

// Server makes the HTTP server for handlers of events: with limits of time on what
// clients send, so that slow ones do not hold connections for ever.
func Server(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute, WriteTimeout: 3 * time.Minute,
		IdleTimeout: 5 * time.Minute, MaxHeaderBytes: 64 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
