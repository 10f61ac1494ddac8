package pipeline

// Spending: what each rule costs while events arrive, told by samples.

import (
	"sync"
	"time"

	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/event"
)

// sampled is how many events there are to one that is measured. Measuring takes several
// times as long as matching does.
const sampled = 128

// spending is what the rules of a set took of the events that were measured.
type spending struct {
	mu    sync.Mutex
	rules []detect.Spent // in the order of the detector's
}

// sampler measures one event in some for a worker.
type sampler struct {
	meter *detect.Meter // nil: nothing can be measured
	to    *spending
	seen  int
	some  bool // something was measured and not handed on
}

func newSampler(m *detect.Matcher, to *spending) *sampler {
	start := time.Now()
	return &sampler{meter: m.NewMeter(func() time.Duration { return time.Since(start) }), to: to}
}

// look measures an event if it is its turn.
func (s *sampler) look(ev *event.Event) {
	if s.seen++; s.seen < sampled || s.meter == nil {
		return
	}
	s.seen, s.some = 0, true
	s.meter.Match(ev)
}

// hand hands on what was measured.
func (s *sampler) hand() {
	if !s.some {
		return
	}
	s.some = false
	s.to.mu.Lock()
	defer s.to.mu.Unlock()
	s.meter.Drain(s.to.rules)
}

// addTo adds what was measured, by rule id, as an estimate for all events.
func (s *spending) addTo(sum map[string]detect.Spent, d *detect.Detector) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, r := range d.Rules() {
		before, of := sum[r.RuleID], s.rules[i]
		sum[r.RuleID] = detect.Spent{Looked: before.Looked + sampled*of.Looked, Hits: before.Hits + sampled*of.Hits, Took: before.Took + sampled*of.Took}
	}
}

// Spent estimates by rule id what the rules that run took of all events so far, as
// detect.Spent tells it. One event in 128 is measured.
func (l *Live) Spent() map[string]detect.Spent {
	rules := l.rules.Load()
	sum := map[string]detect.Spent{}
	for _, r := range rules.detector.Rules() {
		sum[r.RuleID] = rules.before[r.RuleID]
	}
	rules.spent.addTo(sum, rules.detector)
	return sum
}
