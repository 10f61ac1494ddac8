// Package server is shrike serve: ingest, detection, storage and API in one process.
//
//	inputs (files, Kafka, NATS) ─┐
//	HTTP ─▶ bulk ─▶ journal ─▶ Live ─▶ store ─▶ deliver ─▶ sinks
//	    └▶ web ─▶ store
//
// The package wires the others together and owns the order in which they begin and
// end. It is part of the program, not of its promised interface.
package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/config"
	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/pipeline"
	"github.com/shrike-project/shrike/rule"
	"github.com/shrike-project/shrike/source/bulk"
	"github.com/shrike-project/shrike/source/nats"
	"github.com/shrike-project/shrike/store"
)

// Options say how a server runs.
type Options struct {
	Config *config.Config
	// LoadRules reads the rules at paths; with none, those that ship with Shrike.
	LoadRules func(paths []string) *rule.Set
	// Version is Shrike's.
	Version string
	Log     *slog.Logger
}

// Server is a server that is open: everything is ready, and nobody is served yet.
type Server struct {
	opt      Options
	cfg      *config.Config
	log      *slog.Logger
	lock     *flock.Flock
	store    *store.Store
	journal  *nats.Journal
	live     atomic.Pointer[pipeline.Live]
	lease    atomic.Pointer[store.Lease] // nil: another process judges the events
	from     uint64                      // the first block that is read
	bulk     *bulk.Handler
	metrics  *metrics
	listener net.Listener
	clients  *connections
	cert     *tls.Certificate // nil: no TLS
	started  time.Time

	book     ruleBook
	reading  sync.Mutex // of rules
	rules    atomic.Pointer[loadedRules]
	replay   atomic.Uint64
	position atomic.Uint64 // the last block all of whose alerts are stored
	failing  atomic.Pointer[error]

	// Backfills run in the background, one at a time, until ending is done.
	filling    sync.Mutex
	filled     atomic.Pointer[BackfillResult] // the last one
	background sync.WaitGroup
	ending     context.Context
	end        context.CancelFunc

	inputs   []*input
	sinks    []*outlet
	firstKey string
}

// stateName is the name of the state of detection in the store.
const stateName = "live"

// Open opens a server. Close has to be called in the end.
func Open(ctx context.Context, opt Options) (*Server, error) {
	s := &Server{opt: opt, cfg: opt.Config, log: opt.Log, started: time.Now(), metrics: newMetrics(), clients: newConnections(opt.Config.Limits.Connections)}
	s.ending, s.end = context.WithCancel(context.WithoutCancel(ctx))
	for _, step := range []func(context.Context) error{s.openData, s.openStore, s.openJournal, s.openSinks, s.openDetection, s.openInputs, s.openHTTP, s.makeFirstKey} {
		if err := step(ctx); err != nil {
			_ = s.Close()
			return nil, err
		}
	}
	s.measure()
	return s, nil
}

// openData makes the data folder, and sees that no other process uses it.
func (s *Server) openData(context.Context) error {
	if err := os.MkdirAll(s.cfg.Data, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	s.lock = flock.New(filepath.Join(s.cfg.Data, "lock"))
	ok, err := s.lock.TryLock()
	if err != nil {
		return fmt.Errorf("lock the data folder: %w", err)
	}
	if !ok {
		s.lock = nil
		return fmt.Errorf("the data folder %s is in use by another process", s.cfg.Data)
	}
	return nil
}

// StorePath gives the address of the store of a configuration.
func StorePath(c *config.Config) string {
	if c.Store.URL != "" {
		return c.Store.URL
	}
	return filepath.Join(c.Data, "shrike.db")
}

func (s *Server) openStore(ctx context.Context) (err error) {
	s.store, err = store.Open(ctx, StorePath(s.cfg))
	return err
}

// makeFirstKey makes a key if there is none. It is the last step of opening: a start that
// fails would make a key that nobody gets to see.
func (s *Server) makeFirstKey(ctx context.Context) error {
	keys, err := s.store.Keys(ctx)
	if err != nil || len(keys) > 0 {
		return err
	}
	_, s.firstKey, err = s.store.CreateKey(ctx, "first", []string{"admin"}, time.Time{})
	return err
}

func (s *Server) openJournal(ctx context.Context) (err error) {
	s.journal, err = openJournal(ctx, s.cfg)
	return err
}

func openJournal(ctx context.Context, c *config.Config) (*nats.Journal, error) {
	j := c.Journal
	return nats.Open(ctx, nats.Config{
		Dir: filepath.Join(c.Data, "journal"), URL: j.URL, Replicas: j.Replicas, MaxBytes: int64(j.Size), KeepBytes: int64(j.Keep), KeepAge: time.Duration(j.Age),
	})
}

// openDetection reads rules and state, and finds where to go on in the journal.
func (s *Server) openDetection(ctx context.Context) error {
	d := s.cfg.Detect
	s.book = ruleBook{load: s.opt.LoadRules, paths: s.cfg.Rules, detect: detect.Options{IgnoreIndex: d.IgnoreIndex}}
	loaded := s.book.read(time.Now())
	s.rules.Store(loaded)
	s.report(loaded)
	if len(loaded.Detector.Rules()) == 0 {
		return errors.New("no rule can run")
	}
	return s.makeLive(ctx)
}

// makeLive makes what judges events, with the state that is stored.
func (s *Server) makeLive(ctx context.Context) error {
	state, err := s.state(ctx)
	if err != nil {
		return err
	}
	s.reading.Lock() // or the rules that are read meanwhile would be forgotten
	defer s.reading.Unlock()
	d := s.cfg.Detect
	live, err := pipeline.NewLive(s.rules.Load().Detector, state, pipeline.LiveOptions{
		Jobs: d.Jobs, MaxEventBytes: int(s.cfg.Limits.Document) + 1024, Store: committer{s}, StateEvery: time.Duration(d.State),
		Run:    alert.Run{UUID: s.started.UTC().Format("shrike-20060102T150405.000"), Space: s.cfg.Space},
		Stream: detect.StreamOptions{Lateness: time.Duration(d.Lateness), MaxKeys: d.Keys, MostWaiting: int(d.Waiting)},
		Stored: s.committed, Saved: s.replay.Store, Failing: s.storeFails,
	})
	if err == nil {
		s.live.Store(live)
	}
	return err
}

// state reads the state of detection. One that cannot be read, or that is ahead of the
// journal, is no reason to stop: what the journal has is judged again.
func (s *Server) state(ctx context.Context) (*pipeline.State, error) {
	st, err := s.journal.Stats(ctx)
	if err != nil {
		return nil, err
	}
	s.from = 1
	state, err := ReadState(ctx, s.store)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil, nil
	case err != nil && !errors.Is(err, pipeline.ErrState):
		return nil, err
	case err != nil:
		s.log.Error("the state of detection is damaged: all of the journal is judged again, and sequences begin anew", "error", err)
		return nil, nil
	}
	if state.Position > st.Last {
		s.log.Error("the journal has lost its end", "judged", state.Position, "last", st.Last)
		state.Position = st.Last
	}
	s.from = state.Position + 1
	s.position.Store(state.Position)
	return state, nil
}

// ReadState gives the state of detection in a store; store.ErrNotFound if there is none
// yet.
func ReadState(ctx context.Context, s *store.Store) (*pipeline.State, error) {
	text, err := s.Large(ctx, stateName)
	if err != nil {
		return nil, err
	}
	return pipeline.ReadState(text)
}

// committer gives what detection found to the store.
type committer struct{ s *Server }

// Commit implements pipeline.Committer.
func (c committer) Commit(ctx context.Context, alerts []*alert.Kept, suppressed []alert.Suppressed) (int, error) {
	fresh, err := c.s.store.Commit(ctx, store.Commit{Alerts: alerts, Suppressed: suppressed, Sinks: c.s.wanted, Lease: c.s.lease.Load()})
	return len(fresh), deposed(err)
}

// Save implements pipeline.Committer.
func (c committer) Save(ctx context.Context, write func(io.Writer) error) error {
	return deposed(c.s.store.SaveLarge(ctx, stateName, c.s.lease.Load(), write))
}

// deposed says that it is no use to try again what another process does now.
func deposed(err error) error {
	if errors.Is(err, store.ErrDeposed) {
		return fmt.Errorf("%w: %w", pipeline.ErrNotWanted, err)
	}
	return err
}

// committed is told what was stored.
func (s *Server) committed(c pipeline.Committed) {
	s.metrics.stored(c)
	if n := len(c.Batches); n > 0 {
		s.position.Store(c.Batches[n-1].Sequence)
	}
	if c.Fresh > 0 {
		s.wake()
	}
}

// storeFails is told that storing fails, or goes well again.
func (s *Server) storeFails(err error) {
	if err == nil {
		s.failing.Store(nil)
		s.log.Info("the store takes alerts again")
		return
	}
	s.metrics.storing.Inc()
	if s.failing.Swap(&err) == nil {
		s.log.Error("the store takes no alerts; it is tried again, and nothing is lost meanwhile", "error", err)
	}
}

// FirstKey is the secret of the key that was made because there was none; "" if there
// was one.
func (s *Server) FirstKey() string { return s.firstKey }

// Address is where the server listens, as an address of the web.
func (s *Server) Address() string {
	scheme := "http"
	if s.cert != nil {
		scheme = "https"
	}
	return scheme + "://" + s.listener.Addr().String()
}

// Fingerprint is the SHA-256 of the server's certificate; "" without TLS.
func (s *Server) Fingerprint() string {
	if s.cert == nil {
		return ""
	}
	return fingerprint(*s.cert)
}

// Rules tells how many rules run, and how many do not.
func (s *Server) Rules() (run, skipped int) {
	d := s.rules.Load().Detector
	return len(d.Rules()), len(d.Skipped())
}

// Run serves until ctx is done, then stops within the time the configuration allows:
// first no events are taken any more, then what was read is judged and stored.
func (s *Server) Run(ctx context.Context) error {
	stop := time.Duration(s.cfg.Listen.Stop)
	if s.cfg.Memory > 0 {
		debug.SetMemoryLimit(int64(s.cfg.Memory))
	}
	httpServer := bulk.Server(s.handler(), s.log)
	s.clients.bound(httpServer)
	judging, stopJudging := context.WithCancel(context.WithoutCancel(ctx))
	defer stopJudging()
	inputs, stopInputs := context.WithCancel(judging)
	defer stopInputs()
	var wg, fetching sync.WaitGroup
	ended := make(chan error, 2)
	wg.Go(func() { ended <- s.judge(judging, stop) })
	wg.Go(func() {
		err := httpServer.Serve(s.served())
		if !errors.Is(err, http.ErrServerClosed) {
			ended <- fmt.Errorf("serve: %w", err)
		}
	})
	for _, in := range s.inputs {
		fetching.Go(func() { s.runInput(inputs, in) })
	}
	var err error
	select {
	case err = <-ended:
		s.log.Error("the server stops", "error", err)
	case <-ctx.Done():
		s.log.Info("stopping")
	}
	stopInputs()
	fetching.Wait()
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), stop)
	defer cancel()
	if shutErr := httpServer.Shutdown(closing); shutErr != nil {
		_ = httpServer.Close()
	}
	s.end()
	s.background.Wait()
	stopJudging()
	wg.Wait()
	select {
	case lateErr := <-ended:
		err = errors.Join(err, lateErr)
	default:
	}
	return err
}

// served is the listener, with TLS if that is wanted.
func (s *Server) served() net.Listener {
	l := s.listener
	if s.cert != nil {
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{*s.cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}})
	}
	return l
}

// Close gives everything back.
func (s *Server) Close() error {
	var errs []error
	s.end()
	s.background.Wait()
	if s.listener != nil {
		_ = s.listener.Close() // closed already if it served
	}
	for _, o := range s.sinks {
		errs = append(errs, o.sink.Close())
	}
	if s.journal != nil {
		errs = append(errs, s.journal.Close())
	}
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	if s.lock != nil {
		errs = append(errs, s.lock.Unlock())
	}
	return errors.Join(errs...)
}

// Reload reads the rules anew. They judge what arrives from then on.
func (s *Server) Reload() *loadedRules {
	s.reading.Lock()
	defer s.reading.Unlock()
	loaded := s.book.read(time.Now())
	s.report(loaded)
	s.rules.Store(loaded)
	s.live.Load().Use(loaded.Detector)
	return loaded
}

// report logs what became of the rules.
func (s *Server) report(l *loadedRules) {
	for _, p := range l.Problems {
		if !p.Warning {
			s.log.Error("a rule cannot be read", "problem", p.Error(), "hint", p.Hint)
		}
	}
	for _, file := range l.Kept {
		s.log.Warn("a broken file keeps the rules it had", "file", file)
	}
	s.log.Info("rules are read", "running", len(l.Detector.Rules()), "not", len(l.Detector.Skipped()))
}

// maintain keeps journal and store within their bounds, until ctx is done.
func (s *Server) maintain(ctx context.Context) {
	tick := time.NewTicker(10 * time.Second)
	defer tick.Stop()
	for n := 0; ; n++ {
		if replay := s.replay.Load(); replay > 0 {
			if err := s.journal.Judged(ctx, replay, time.Now()); err != nil && ctx.Err() == nil {
				s.log.Error("the journal is not kept within its bounds", "error", err)
			}
		}
		if keep := time.Duration(s.cfg.Store.Keep); keep > 0 && n%360 == 0 {
			if gone, err := s.store.Purge(ctx, time.Now().Add(-keep)); err != nil && ctx.Err() == nil {
				s.log.Error("old alerts are not deleted", "error", err)
			} else if gone > 0 {
				s.log.Info("old alerts are deleted", "alerts", gone)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
