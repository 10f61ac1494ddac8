package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/shrike-project/shrike/source/bulk"
	"github.com/shrike-project/shrike/source/nats"
	"github.com/shrike-project/shrike/store"
	"github.com/shrike-project/shrike/web"
)

// spoken is the version of Elasticsearch whose clients are served.
const spoken = "8.17.0"

func (s *Server) openHTTP(context.Context) error {
	l := s.cfg.Limits
	waiting := &backlog{s: s}
	s.bulk = bulk.New(bulk.Config{
		Journal: waiting, Full: waiting.full, Auth: keys{s.store}, MaxBodyBytes: int64(l.Body), MaxDocumentBytes: int64(l.Document), MaxMemoryBytes: int64(l.Memory),
		Rate: l.Rate, Version: spoken, Log: s.log,
	})
	if s.cfg.Listen.TLS() {
		host, _, _ := net.SplitHostPort(s.cfg.Listen.Address)
		c, err := certificate(s.cfg.Listen.Cert, s.cfg.Listen.Key, s.cfg.Data, host, time.Now())
		if err != nil {
			return err
		}
		s.cert = &c
	}
	var err error
	if s.listener, err = net.Listen("tcp", s.cfg.Listen.Address); err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	return nil
}

// handler tells who answers what.
func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) })
	mux.HandleFunc("GET /readyz", s.ready)
	api := web.New(web.Config{Store: s.store, Status: s.Status, Rules: s.ruleList, Reload: s.reloadAnswer, Backfill: s.backfill, Metrics: s.metrics.handler(), Log: s.log})
	mux.Handle("GET /metrics", api)
	mux.Handle("/v1/", api)
	mux.Handle("GET /debug/pprof/", api)
	mux.Handle("POST /v1/events", s.bulk)
	mux.Handle("/", s.bulk)
	return s.recovering(mux)
}

// recovering keeps the fault of one request from ending the others.
func (s *Server) recovering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if v := recover(); v != nil && v != http.ErrAbortHandler {
				s.log.Error("a request failed by a fault of the program", "method", r.Method, "path", r.URL.Path, "fault", fmt.Sprint(v), "stack", string(debug.Stack()))
				w.WriteHeader(http.StatusInternalServerError)
			}
		}()
		next.ServeHTTP(w, r)
	})
}

// ready tells whether events are taken and alerts stored.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	var faults []string
	if s.failing.Load() != nil {
		faults = append(faults, "the store takes no alerts")
	} else if s.store.Ping(ctx) != nil {
		faults = append(faults, "the store does not answer")
	}
	if _, err := s.journal.Stats(ctx); err != nil {
		faults = append(faults, "the journal does not answer")
	}
	if len(faults) > 0 {
		http.Error(w, strings.Join(faults, "\n"), http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ready\n"))
}

// keys lets clients in that have a key.
type keys struct{ store *store.Store }

func (k keys) Key(ctx context.Context, encoded string) (bulk.Who, error) {
	return who(k.store.Verify(ctx, encoded))
}

func (k keys) Basic(ctx context.Context, user, password string) (bulk.Who, error) {
	return who(k.store.VerifyPair(ctx, user, password))
}

func who(key store.Key, err error) (bulk.Who, error) {
	if errors.Is(err, store.ErrKey) {
		err = bulk.ErrCredentials
	}
	return bulk.Who{Name: key.ID, Scopes: key.Scopes}, err
}

// backlog takes events as long as not too many wait to be judged.
type backlog struct {
	s     *Server
	mu    sync.Mutex
	asked time.Time
	bytes int64 // that wait
}

// Accept implements bulk.Journal.
func (b *backlog) Accept(ctx context.Context, docs []byte, count int) error {
	if err := b.full(ctx); err != nil {
		return err
	}
	return b.s.journal.Accept(ctx, docs, count)
}

func (b *backlog) full(ctx context.Context) error {
	if waiting := b.waiting(ctx); waiting > int64(b.s.cfg.Journal.Backlog) {
		return &nats.FullError{Reason: fmt.Sprintf("%d bytes wait to be judged", waiting), After: time.Second}
	}
	return nil
}

// waiting tells, as of a moment ago, how many bytes of the journal wait.
func (b *backlog) waiting(ctx context.Context) int64 {
	const moment = 100 * time.Millisecond
	b.mu.Lock()
	defer b.mu.Unlock()
	if time.Since(b.asked) < moment {
		return b.bytes
	}
	if st, err := b.s.journal.Stats(ctx); err == nil && st.Blocks > 0 {
		b.bytes = int64(float64(lag(st, b.s.position.Load())) * float64(st.Bytes) / float64(st.Blocks))
	}
	b.asked = time.Now()
	return b.bytes
}
