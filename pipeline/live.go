package pipeline

// Live detection: a source that does not end, a store that is told in one go what
// follows from its events.
//
//	Source ─▶ reader ─▶ workers ─▶ in order ─▶ group ─▶ Committer ─▶ Stored
//
// A group grows while the one before it is stored, so a slow disk makes larger
// transactions and not a longer queue. Nothing is given up: when storing fails it is
// tried again, the queue fills, and the source is not read.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/event"
)

// ErrNotWanted is in the error of a Committer that takes nothing any more: Live stops.
var ErrNotWanted = errors.New("nothing is stored any more")

// Committer keeps what Live gives it. Each call is one transaction, durable when it
// returns nil.
type Committer interface {
	// Commit stores alerts, and returns how many of them are new: an alert whose id is
	// there already is not stored twice. Those that were suppressed are counted, each once,
	// with the alerts that stand for them.
	Commit(ctx context.Context, alerts []*alert.Kept, suppressed []alert.Suppressed) (fresh int, err error)
	// Save replaces the state, which write writes; it may be called again.
	Save(ctx context.Context, write func(io.Writer) error) error
}

// LiveOptions say how rules are run over a source that does not end.
type LiveOptions struct {
	// Jobs is the number of workers; 0 stands for one a processor.
	Jobs int
	// MaxEventBytes is the largest document that is decoded; 0: no limit.
	MaxEventBytes int
	// Run is what all alerts have in common; its Now is not used.
	Run alert.Run
	// Stream says how the events of sequences are put into order. Its Lateness must
	// have a bound.
	Stream detect.StreamOptions
	// Store stores what was found.
	Store Committer
	// StateEvery is the time between two states that are stored while events arrive;
	// 0 stands for five seconds. It is longer where making a state is dear.
	StateEvery time.Duration
	// Stored, if it is set, is told after each commit what it held. It is called by
	// one goroutine at a time.
	Stored func(Committed)
	// Saved, if it is set, is told after each state that was saved the sequence of the
	// batch that a later run begins at: the source has to keep it and those behind it.
	Saved func(replay uint64)
	// Failing, if it is set, is told of each failure to store, and with nil that it
	// went well again.
	Failing func(error)
	// Now gives the time; nil stands for time.Now.
	Now func() time.Time
}

// Committed is what a commit held.
type Committed struct {
	Alerts []*alert.Kept
	Fresh  int // of the alerts, those that were not there before
	// Batches are those all of whose alerts are stored.
	Batches []CommittedBatch
	At      time.Time
}

// CommittedBatch is a batch all of whose alerts are stored.
type CommittedBatch struct {
	Sequence uint64
	Received time.Time
	Events   int64
	Bytes    int64
}

// Live runs rules over a source that does not end. Its methods are safe for use by
// many goroutines.
type Live struct {
	opt    LiveOptions
	rules  atomic.Pointer[ruleSet] // for batches to come
	state  *State
	status atomic.Pointer[LiveStatus]
}

// ruleSet is the rules that batches are judged by.
type ruleSet struct {
	detector *detect.Detector
	builder  *alert.Builder
	spent    spending
	before   map[string]detect.Spent // what rules took when other ones ran beside them
}

// NewLive makes a Live that goes on from a state; nil: from the beginning.
func NewLive(d *detect.Detector, from *State, opt LiveOptions) (*Live, error) {
	if opt.Stream.Lateness < 0 {
		return nil, errors.New("live detection needs a bounded lateness")
	}
	if opt.Jobs <= 0 {
		opt.Jobs = runtime.GOMAXPROCS(0)
	}
	if opt.StateEvery <= 0 {
		opt.StateEvery = 5 * time.Second
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if from == nil {
		from = &State{}
	}
	l := &Live{opt: opt, state: from}
	l.Use(d)
	return l, nil
}

// Use has batches that are read from now on judged by other rules. Sequences of the
// rules that stay the same go on.
func (l *Live) Use(d *detect.Detector) {
	rules := &ruleSet{detector: d, builder: alert.NewBuilder(l.opt.Run, d.Fields().Types())}
	rules.spent.rules = make([]detect.Spent, len(d.Rules()))
	if l.rules.Load() != nil {
		rules.before = l.Spent()
	}
	l.rules.Store(rules)
}

// liveWork is a batch on its way through the workers.
type liveWork struct {
	batch  event.Batch
	rules  *ruleSet
	result chan *outcome[found] // buffered: the worker never waits
}

// Run reads the source until it ends or ctx is done, and stores what follows from all
// that was read. It returns after its goroutines ended; storing goes on for the time
// stop at most when ctx is done.
func (l *Live) Run(ctx context.Context, src Source, stop time.Duration) error {
	keeping, cancel := outlive(ctx, stop)
	defer cancel()
	todo := make(chan liveWork, l.opt.Jobs)      // closed by read
	inOrder := make(chan liveWork, l.opt.Jobs*2) // closed by read; bounds the batches under way
	groups := make(chan *group)                  // closed by gather
	states := make(chan *frozenState, 1)         // closed by store
	reading, stopReading := context.WithCancel(ctx)
	defer stopReading()
	var wg sync.WaitGroup
	var sourceErr, storeErr, saveErr error
	wg.Go(func() { sourceErr = l.read(reading, src, todo, inOrder) })
	for range l.opt.Jobs {
		wg.Go(func() { l.work(todo) })
	}
	wg.Go(func() {
		if storeErr = l.store(keeping, groups, states); storeErr != nil {
			stopReading()
			for range groups { // gather goes on until it is told that there is no more
			}
		}
	})
	wg.Go(func() {
		if saveErr = l.save(keeping, states); saveErr != nil {
			stopReading()
		}
	})
	gatherErr := l.gather(inOrder, groups, stopReading)
	wg.Wait()
	if errors.Is(sourceErr, io.EOF) || ctx.Err() != nil && errors.Is(sourceErr, ctx.Err()) {
		sourceErr = nil
	}
	return errors.Join(gatherErr, storeErr, saveErr, sourceErr)
}

// outlive gives a context that ends a while after ctx.
func outlive(ctx context.Context, stop time.Duration) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	detach := context.AfterFunc(ctx, func() { time.AfterFunc(stop, cancel) })
	return out, func() { detach(); cancel() }
}

func (l *Live) read(ctx context.Context, src Source, todo, inOrder chan<- liveWork) error {
	defer close(todo)
	defer close(inOrder)
	for {
		b, err := src.Next(ctx)
		if err != nil {
			return err
		}
		job := liveWork{batch: b, rules: l.rules.Load(), result: make(chan *outcome[found], 1)}
		select {
		case inOrder <- job:
			todo <- job // workers always go on until todo is closed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// work judges batches. When the rules change, the worker makes itself anew.
func (l *Live) work(todo <-chan liveWork) {
	var rules *ruleSet
	var builder *alert.Builder
	var w *worker[found]
	for job := range todo {
		if rules != job.rules {
			rules, builder = job.rules, job.rules.builder.Fork()
			matcher := rules.detector.NewMatcher()
			j := &judge{d: rules.detector, matcher: matcher, builder: builder}
			w = newWorker(storing(j, newSampler(matcher, &rules.spent)), ScanOptions{MaxEventBytes: l.opt.MaxEventBytes})
		}
		builder.At(l.opt.Now())
		job.result <- w.do(job.batch)
	}
}

// storing gives judges that make alerts ready to be stored, and tell how new the
// newest event of a batch was. What rules take is measured by s.
func storing(j *judge, s *sampler) Judge[found] {
	j.keep = true
	judge := arriving(j)
	var newest reach
	look := judge.Event
	judge.Event = func(ev *event.Event, at event.Extent, emit func(found)) {
		if when, ok := ev.Time(); ok {
			newest.to(when)
		}
		s.look(ev)
		look(ev, at, emit)
	}
	pause := judge.Pause
	judge.Pause = func(seen Seen, emit func(found)) error {
		s.hand()
		if newest.known {
			at := newest.time
			emit(found{newest: &at})
			newest = reach{}
		}
		return pause(seen, emit)
	}
	return judge
}

// store stores groups, each until it is stored or ctx is done. A state is handed on
// only after the alerts of all that it has judged; of those that wait to be saved, the
// latest counts.
func (l *Live) store(ctx context.Context, groups <-chan *group, states chan *frozenState) error {
	defer close(states)
	for g := range groups {
		fresh := 0
		if len(g.alerts)+len(g.suppressed) > 0 {
			err := l.persist(ctx, func() (err error) {
				fresh, err = l.opt.Store.Commit(ctx, g.alerts, g.suppressed)
				return err
			})
			if err != nil {
				return fmt.Errorf("store %d alerts: %w", len(g.alerts), err)
			}
		}
		for _, ack := range g.acks {
			ack()
		}
		if l.opt.Stored != nil {
			l.opt.Stored(Committed{Alerts: g.alerts, Fresh: fresh, Batches: g.batches, At: l.opt.Now()})
		}
		if g.state == nil {
			continue
		}
		select {
		case <-states: // older
		default:
		}
		states <- g.state
	}
	return nil
}

// save saves states, each until it is saved or ctx is done.
func (l *Live) save(ctx context.Context, states <-chan *frozenState) error {
	for state := range states {
		if err := l.persist(ctx, func() error { return l.opt.Store.Save(ctx, state.writeTo) }); err != nil {
			return fmt.Errorf("save the state of detection: %w", err)
		}
		if l.opt.Saved != nil {
			l.opt.Saved(state.replay)
		}
	}
	return nil
}

// persist does what may fail for a while, again and again until it goes well, or nothing
// is wanted any more.
func (l *Live) persist(ctx context.Context, do func() error) error {
	const most = 5 * time.Second
	failed := false
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, most) {
		err := do()
		if errors.Is(err, ErrNotWanted) {
			return err
		}
		if l.opt.Failing != nil && (err != nil || failed) {
			l.opt.Failing(err)
		}
		if failed = err != nil; !failed {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		case <-time.After(wait):
		}
	}
}
