package pipeline

import (
	"fmt"
	"maps"
	"time"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/detect"
)

// Bounds of a group that waits for the one before it to be stored. Beyond them
// nothing more is taken from the workers.
const (
	mostGroupAlerts  = 5000
	mostGroupBytes   = 64 << 20
	mostGroupBatches = 4096
)

// group is what is stored in one go.
type group struct {
	alerts     []*alert.Kept
	suppressed []alert.Suppressed
	bytes      int
	batches    []CommittedBatch
	acks       []func()
	state      *frozenState // nil: not due
}

func (g *group) full() bool {
	return len(g.alerts)+len(g.suppressed) >= mostGroupAlerts || g.bytes >= mostGroupBytes || len(g.batches) >= mostGroupBatches
}

// gatherer takes what the workers found, in order, and makes groups of it.
type gatherer struct {
	l       *Live
	rules   *ruleSet // those of the stream
	stream  *detect.Stream
	builder *alert.Builder
	state   *State
	group   *group
	saved   time.Time // when the last state was made
	took    time.Duration
	changed bool // something was judged since then
	refused map[string]int64
	samples []RefusedSample
	err     error
}

// gather runs until there are no more batches, and has the rest stored with its state.
// After an error it has reading stopped and takes no more.
func (l *Live) gather(inOrder <-chan liveWork, groups chan<- *group, stop func()) error {
	defer close(groups)
	g := &gatherer{l: l, state: l.state, group: &group{}, saved: l.opt.Now(), refused: map[string]int64{}}
	g.use(l.rules.Load())
	if err := g.restore(); err != nil {
		stop()
		return err
	}
	fail := func(err error) {
		if g.err = err; err != nil {
			stop()
		}
	}
	tick := time.NewTicker(min(l.opt.StateEvery, time.Second))
	defer tick.Stop()
	in := inOrder
	for in != nil || g.pending() {
		from, to := in, chan<- *group(nil)
		if g.group.full() {
			from = nil
		}
		if g.pending() {
			to = groups // one without alerts costs no transaction
		}
		if from == nil && to == nil {
			break // only after an error
		}
		select {
		case job, ok := <-from:
			if !ok {
				in = nil
				fail(g.save())
				continue
			}
			out := <-job.result
			if g.err == nil {
				fail(g.take(job, out))
			}
		case to <- g.group:
			g.group = &group{}
		case <-tick.C:
			if g.err == nil && g.stateDue() {
				fail(g.save())
			}
		}
	}
	return g.err
}

// pending tells whether something has yet to be stored.
func (g *gatherer) pending() bool {
	return g.err == nil && (len(g.group.batches) > 0 || g.group.state != nil || len(g.group.alerts) > 0 || len(g.group.suppressed) > 0)
}

// stateDue tells whether a state should be made. Making one takes a twentieth of the
// time at most.
func (g *gatherer) stateDue() bool {
	return g.changed && g.l.opt.Now().Sub(g.saved) >= max(g.l.opt.StateEvery, 20*g.took)
}

// take takes a batch.
func (g *gatherer) take(job liveWork, out *outcome[found]) error {
	now := g.l.opt.Now()
	g.state.next(job.batch.Sequence, now)
	if job.rules != g.rules {
		snapshot := g.stream.Snapshot().Bytes()
		g.use(job.rules)
		if err := g.stream.Restore(snapshot); err != nil {
			return fmt.Errorf("go on with sequences after a change of the rules: %w", err)
		}
	}
	if g.changed = true; g.state.of != g.rules.detector {
		g.state.begin(g.rules.detector, job.batch.Sequence, now)
	}
	g.builder.At(now)
	for _, f := range out.results {
		if err := g.found(f); err != nil {
			return err
		}
	}
	g.refuse(out)
	if out.ack != nil {
		g.group.acks = append(g.group.acks, out.ack)
	}
	g.group.batches = append(g.group.batches, CommittedBatch{job.batch.Sequence, job.batch.Received, out.events, out.bytes})
	err := out.err
	if out.done(); g.stateDue() {
		return g.save()
	}
	return err
}

func (g *gatherer) found(f found) error {
	switch {
	case f.kept != nil:
		g.alerts(f.kept)
	case f.newest != nil:
		g.state.reach(*f.newest)
	case f.arrival != nil:
		return g.stream.Observe(f.arrival, func(s *detect.Signal) {
			var all []*alert.Kept
			g.builder.Build(s, func(a *alert.Alert) { all = append(all, a.Keep()) })
			g.alerts(all...)
		})
	}
	return nil
}

// alerts takes an alert with the building blocks of its sequence before it.
func (g *gatherer) alerts(all ...*alert.Kept) {
	if len(all) == 0 {
		return
	}
	if last := all[len(all)-1]; last.Suppression != nil {
		if w, first := g.state.Suppressing.of(last.ID, last.Time, last.Suppression); !first {
			g.group.suppressed = append(g.group.suppressed, alert.Suppressed{Of: w.ID, ID: last.ID, At: last.Time})
			return
		}
	}
	for _, k := range all {
		g.group.alerts = append(g.group.alerts, k)
		g.group.bytes += len(k.Document)
	}
}

// use makes a stream for rules, in its first state.
func (g *gatherer) use(rules *ruleSet) {
	g.rules, g.builder = rules, rules.builder.Fork()
	g.stream = rules.detector.NewStream(g.l.opt.Stream)
}

// restore begins where the state was made.
func (g *gatherer) restore() error {
	if g.state.snapshot == nil {
		return nil
	}
	if err := g.stream.Restore(g.state.snapshot); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	g.state.snapshot = nil
	return nil
}

// save puts the state into the group.
func (g *gatherer) save() error {
	if !g.changed {
		return nil
	}
	start := time.Now()
	frozen, err := g.state.freeze(g.stream.Snapshot())
	if err != nil {
		return fmt.Errorf("write the state of detection: %w", err)
	}
	g.group.state = frozen
	g.saved, g.took, g.changed = g.l.opt.Now(), time.Since(start), false
	g.publish()
	return nil
}

// refuse counts the documents of a batch that are no events.
func (g *gatherer) refuse(out *outcome[found]) {
	for _, r := range out.refused {
		g.refused[string(r.Reason)]++
		if len(g.samples) < maxSamples {
			g.samples = append(g.samples, RefusedSample{File: out.name, Refusal: r})
		}
	}
}

// LiveStatus is how a Live stands.
type LiveStatus struct {
	State  State
	Stream detect.StreamStats
	// Refused counts documents that are no events, by reason, and Samples are the first
	// of them.
	Refused map[string]int64
	Samples []RefusedSample
	// StateTook is for how long judging was held up by the last state.
	StateTook time.Duration
}

// Status tells how things stood when the last state was made; nil before the first.
func (l *Live) Status() *LiveStatus { return l.status.Load() }

func (g *gatherer) publish() {
	g.l.status.Store(&LiveStatus{
		State: *g.state.copy(), Stream: g.stream.Stats(), Refused: maps.Clone(g.refused),
		Samples: g.samples[:len(g.samples):len(g.samples)], StateTook: g.took,
	})
}
