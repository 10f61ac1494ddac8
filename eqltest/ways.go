package eqltest

// The ways in which a case is run. All must come to the same.

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/rule"
)

// way is one manner of running a case. An orderly way changes the order in which
// events come, or the lateness they may have, and is left out for cases that are
// about just that.
type way struct {
	name    string
	orderly bool
	run     func(*Case, *rule.Rule) ([][]string, error)
}

var ways = []way{
	{"as written", false, func(c *Case, r *rule.Rule) ([][]string, error) { return c.detect(r, manner{}) }},
	{"as printed again", false, runPrinted},
	{"by its explanation", false, func(c *Case, r *rule.Rule) ([][]string, error) { return c.detect(r, manner{explain: true}) }},
	{"by the plain evaluator", false, func(c *Case, r *rule.Rule) ([][]string, error) { return c.detect(r, manner{plain: true}) }},
	{"among a thousand other rules", false, func(c *Case, r *rule.Rule) ([][]string, error) {
		return c.detect(r, manner{others: otherRules()})
	}},
	{"event by event", true, func(c *Case, r *rule.Rule) ([][]string, error) {
		return c.detect(r, manner{events: c.inTime(), lateness: 0, live: true})
	}},
	{"shuffled within the lateness", true, func(c *Case, r *rule.Rule) ([][]string, error) {
		return c.detect(r, manner{events: c.shuffled(), lateness: c.span() + time.Second, live: true})
	}},
	{"restored after each event", true, func(c *Case, r *rule.Rule) ([][]string, error) {
		return c.detect(r, manner{events: c.shuffled(), lateness: c.span() + time.Second, live: true, restore: true})
	}},
}

// orderly reports whether the case leaves order and lateness open.
func (c *Case) orderly() bool { return c.Lateness < 0 && c.Expect.At == "" }

// inTime gives the events in the order of time.
func (c *Case) inTime() []*Event {
	list := slices.Clone(c.Events)
	slices.SortStableFunc(list, func(a, b *Event) int { return int(a.when - b.when) })
	return list
}

// span is the time from the first event to the last.
func (c *Case) span() time.Duration {
	list := c.inTime()
	if len(list) == 0 {
		return 0
	}
	return list[len(list)-1].when - list[0].when
}

// shuffled gives the events in another order, in which those of the same time keep
// theirs.
func (c *Case) shuffled() []*Event {
	r := rand.New(rand.NewPCG(uint64(c.Line), 7))
	list := slices.Clone(c.Events)
	r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	byTime := map[time.Duration][]*Event{}
	for _, e := range c.Events {
		byTime[e.when] = append(byTime[e.when], e)
	}
	for i, e := range list {
		list[i] = byTime[e.when][0]
		byTime[e.when] = byTime[e.when][1:]
	}
	return list
}

// otherRules gives many rules that have nothing to do with a case.
var otherRules = sync.OnceValue(func() []*rule.Rule {
	r := Random{rand.New(rand.NewPCG(1000, 1))}
	var list []*rule.Rule
	for i := range 1000 {
		q := &eql.Query{Event: r.EventQuery()}
		if i%5 == 0 {
			if parsed, err := eql.Parse(fmt.Sprintf("sequence by process.name with maxspan=%ds [%s] [%s]", 1+i, r.EventQuery(), r.EventQuery())); err == nil {
				q = parsed
			}
		}
		other := queryRule(q.String(), q)
		other.RuleID = fmt.Sprintf("other-%d", i)
		list = append(list, other)
	}
	return list
})

func runPrinted(c *Case, r *rule.Rule) ([][]string, error) {
	text := r.EQL.String()
	q, err := eql.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("the printed query %s does not parse: %w", text, err)
	}
	again := *r
	again.EQL = q
	return c.detect(&again, manner{})
}

// manner says how detect runs a case.
type manner struct {
	events   []*Event // nil: as the case lists them
	live     bool     // with the lateness below instead of the case's
	lateness time.Duration
	others   []*rule.Rule
	explain  bool // hold every explanation against the hits
	plain    bool // each condition by itself, not by the network
	restore  bool // take a snapshot after each event and go on from it
}

// detect gives the events of each signal of a rule, by name.
func (c *Case) detect(r *rule.Rule, m manner) ([][]string, error) {
	d := detect.New(append(slices.Clone(m.others), r), detect.Options{IgnoreIndex: true, Deprecated: true, Plain: m.plain})
	for _, s := range d.Skipped() {
		if s.Place == len(m.others) {
			return nil, fmt.Errorf("the rule cannot run: %s", s.Reason)
		}
	}
	run := &caseRun{c: c, rule: r, d: d, m: m, decoder: d.NewDecoder(), matcher: d.NewMatcher()}
	run.opt = detect.StreamOptions{Lateness: c.Lateness}
	if m.live {
		run.opt.Lateness = m.lateness
	} else if c.Expect.At != "" && c.Lateness < 0 {
		run.opt.Lateness = 0
	}
	run.stream = d.NewStream(run.opt)
	err := run.all()
	return run.matches, err
}

type caseRun struct {
	c       *Case
	rule    *rule.Rule
	d       *detect.Detector
	m       manner
	opt     detect.StreamOptions
	decoder *event.Decoder
	matcher *detect.Matcher
	stream  *detect.Stream
	ev      event.Event
	hits    detect.Hits
	matches [][]string
}

func (r *caseRun) all() error {
	events := r.m.events
	if events == nil {
		events = r.c.Events
	}
	at, _ := time.ParseDuration(r.c.Expect.At)
	for _, e := range events {
		if r.c.Expect.At != "" && e.when > at {
			continue
		}
		if err := r.one(e); err != nil {
			return fmt.Errorf("event %s: %w", e.Name, err)
		}
	}
	if r.c.Expect.At != "" {
		r.stream.Advance(event.FromTime(Epoch.Add(at)), r.signal)
		return nil
	}
	return r.stream.Finish(r.signal)
}

func (r *caseRun) one(e *Event) error {
	if err := r.decoder.Decode(e.JSON, &r.ev); err != nil {
		return err
	}
	r.ev.ID = e.Name // so that records tell which event they are
	r.matcher.Match(&r.ev, &r.hits)
	if r.m.explain {
		if err := r.explained(); err != nil {
			return err
		}
	}
	r.d.Signals(&r.ev, &r.hits, r.signal)
	var err error
	observe := func(a *detect.Arrival) {
		if observeErr := r.stream.Observe(a, r.signal); err == nil {
			err = observeErr
		}
	}
	r.matcher.Arrivals(&r.ev, &r.hits, observe)
	if r.m.live {
		r.matcher.Pause(observe)
	}
	if err == nil && r.m.restore {
		snapshot := r.stream.Snapshot().Bytes()
		r.stream = r.d.NewStream(r.opt)
		err = r.stream.Restore(snapshot)
	}
	return err
}

// explained compares the explanations of the rule's conditions with its hits.
func (r *caseRun) explained() error {
	holds := 0
	for _, t := range r.d.Explain(r.rule, &r.ev) {
		if t.Result == eql.True {
			holds++
		}
	}
	if holds != r.hits.Len() {
		return fmt.Errorf("%d event queries hit, %d by their explanations", r.hits.Len(), holds)
	}
	return nil
}

func (r *caseRun) signal(s *detect.Signal) {
	if s.Rule != r.rule {
		return
	}
	var names []string
	for _, step := range s.Steps {
		if step.Record == nil {
			names = append(names, "-")
		} else {
			names = append(names, step.Record.ID())
		}
	}
	r.matches = append(r.matches, names)
}
