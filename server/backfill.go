package server

// Backfill: rules over events that were there before them.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/config"
	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/pipeline"
	"github.com/shrike-project/shrike/rule"
	"github.com/shrike-project/shrike/source/nats"
	"github.com/shrike-project/shrike/store"
)

// Backfill says what rules are run over what events. Alerts are marked manual, and have
// the ids that live detection gives them: what is there already is not stored again.
type Backfill struct {
	// Rules are those that run, Source the events.
	Rules  []*rule.Rule
	Source pipeline.Source
	Within pipeline.Range
	Jobs   int
	Detect config.Detect
	Space  string
	Store  *store.Store
	// Sinks gives the sinks of an alert; nil: none.
	Sinks func(*alert.Kept) []string
}

// BackfillResult is what a backfill found.
type BackfillResult struct {
	Events  int64     `json:"events"`
	Outside int64     `json:"outside"` // of the stretch of time
	Alerts  int64     `json:"alerts"`
	Fresh   int64     `json:"fresh"`
	Began   time.Time `json:"began"`
	// Took is in seconds. Error is why it ended early; "" if it did not.
	Took  float64 `json:"seconds"`
	Error string  `json:"error,omitempty"`
}

// backfillStep is how many alerts are stored together.
const backfillStep = 500

// Run runs a backfill to the end of its source.
func (b *Backfill) Run(ctx context.Context) (BackfillResult, error) {
	r := BackfillResult{Began: time.Now().UTC()}
	var held []*alert.Kept
	flush := func() error {
		fresh, err := b.Store.Commit(ctx, store.Commit{Alerts: held, Sinks: b.Sinks})
		r.Alerts += int64(len(held))
		r.Fresh += int64(len(fresh))
		held = nil
		return err
	}
	d := detect.New(b.Rules, detect.Options{IgnoreIndex: b.Detect.IgnoreIndex})
	if len(d.Rules()) == 0 {
		return r, errors.New("none of the rules can run")
	}
	sum, _, err := pipeline.Detect(ctx, b.Source, d, pipeline.DetectOptions{
		Scan:   pipeline.ScanOptions{Jobs: b.Jobs, Within: b.Within},
		Run:    alert.Run{Now: r.Began, UUID: r.Began.Format("backfill-20060102T150405.000"), Space: b.Space, Manual: true},
		Stream: detect.StreamOptions{Lateness: detect.Unlimited, MaxKeys: b.Detect.Keys},
		Emit: func(a *alert.Alert) error {
			if held = append(held, a.Keep()); len(held) < backfillStep {
				return nil
			}
			return flush()
		},
	})
	if err == nil && len(held) > 0 {
		err = flush()
	}
	r.Events, r.Outside, r.Took = sum.Events, sum.Outside, time.Since(r.Began).Seconds()
	return r, err
}

// pastJournal is the journal up to a block. It makes way for what is to be judged now.
type pastJournal struct {
	reader *nats.Reader
	last   uint64
	busy   func() bool // nil: never
	read   uint64
}

// Next implements pipeline.Source.
func (p *pastJournal) Next(ctx context.Context) (event.Batch, error) {
	for p.busy != nil && p.busy() {
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return event.Batch{}, ctx.Err()
		}
	}
	if p.read >= p.last {
		return event.Batch{}, io.EOF
	}
	b, err := p.reader.Next(ctx)
	if err != nil {
		return b, err
	}
	if p.read = b.Sequence; b.Sequence > p.last { // those before it are gone
		return event.Batch{}, io.EOF
	}
	b.Ack = nil
	return b, nil
}

// RunOverJournal runs a backfill over the journal of a server that is down.
func (b *Backfill) RunOverJournal(ctx context.Context, c *config.Config) (BackfillResult, error) {
	lock := flock.New(filepath.Join(c.Data, "lock"))
	if ok, err := lock.TryLock(); err != nil || !ok {
		return BackfillResult{}, errors.Join(err, errors.New("a server uses the journal: ask it with POST /v1/backfill, or name files"))
	}
	defer func() { _ = lock.Unlock() }()
	j, err := openJournal(ctx, c)
	if err != nil {
		return BackfillResult{}, err
	}
	defer j.Close()
	st, err := j.Stats(ctx)
	if err != nil {
		return BackfillResult{}, err
	}
	reader := j.Reader(st.First)
	defer reader.Close()
	b.Source = &pastJournal{reader: reader, last: st.Last}
	return b.Run(ctx)
}

// BackfillRequest asks a server for a backfill over its journal.
type BackfillRequest struct {
	// Rules are ids or names, with * for anything; From and To a stretch of the events'
	// time, From included, To not; zero: no bound.
	Rules []string  `json:"rules"`
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
}

// within gives the range of a request.
func (q *BackfillRequest) within() (r pipeline.Range) {
	if !q.From.IsZero() {
		from := event.FromTime(q.From)
		r.Since = &from
	}
	if !q.To.IsZero() {
		to := event.FromTime(q.To)
		r.Until = &to
	}
	return r
}

// ChooseRules gives the rules whose id or name fits one of the patterns.
func ChooseRules(rules []*rule.Rule, patterns []string) (chosen []*rule.Rule) {
	for _, r := range rules {
		for _, pattern := range patterns {
			byID, _ := path.Match(pattern, r.RuleID)
			byName, _ := path.Match(strings.ToLower(pattern), strings.ToLower(r.Name))
			if byID || byName || strings.EqualFold(pattern, r.Name) {
				chosen = append(chosen, r)
				break
			}
		}
	}
	return chosen
}

// errBusy tells that a backfill runs already.
var errBusy = errors.New("a backfill runs already")

// startBackfill runs a backfill beside live detection, one at a time, until it is done
// or the server stops. Live events go first.
func (s *Server) startBackfill(q BackfillRequest) error {
	rules := ChooseRules(s.rules.Load().Detector.Rules(), q.Rules)
	if len(rules) == 0 {
		return fmt.Errorf("no rule that runs is called %s", strings.Join(q.Rules, ", "))
	}
	if !s.filling.TryLock() {
		return errBusy
	}
	last := s.position.Load()
	reader := s.journal.Reader(1)
	b := &Backfill{
		Rules: rules, Within: q.within(), Jobs: 1, Detect: s.cfg.Detect, Space: s.cfg.Space, Store: s.store, Sinks: s.wanted,
		Source: &pastJournal{reader: reader, last: last, busy: s.behind},
	}
	s.background.Go(func() {
		defer s.filling.Unlock()
		defer reader.Close()
		r, err := b.Run(s.ending)
		s.wake()
		if err != nil {
			r.Error = err.Error()
		}
		s.filled.Store(&r)
		s.log.Info("backfill", "rules", len(rules), "events", r.Events, "alerts", r.Alerts, "fresh", r.Fresh, "error", r.Error)
	})
	return nil
}

// behind tells whether live events wait.
func (s *Server) behind() bool {
	ctx, cancel := context.WithTimeout(s.ending, time.Second)
	defer cancel()
	st, err := s.journal.Stats(ctx)
	return err == nil && lag(st, s.position.Load()) > 8
}
