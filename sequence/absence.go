package sequence

// Missing events ("![…]"). The machine runs on the other items; what it completes
// is then held against the events of missing items with the same key:
//
//   - between two steps, none may be strictly between their times;
//   - before the first or behind the last, none may lie so close that every time
//     of the length of maxspan around the match holds one.
//
// All of it can be told from few times: for a partial, the earliest missing event
// behind its latest step; for a key, the latest missing events so far.

import (
	"container/heap"
	"math"
	"slices"
	"strings"
)

// none is the time of an event that does not exist.
const none = math.MinInt64

// absence is what a partial knows of missing events.
type absence struct {
	lead   int64 // the latest missing event before the first step
	next   int64 // the earliest missing event behind the latest step, in its gap
	broken bool  // a missing event lay between two steps
}

// between notes a missing event behind the latest step, which was at time last.
func (a *absence) between(now, last int64) {
	if a.next == none && now > last {
		a.next = now
	}
}

// extend takes the next step at time now.
func (a *absence) extend(now int64) {
	if a.next != none && a.next < now {
		a.broken = true
	}
	a.next = none
}

// absences holds what a Tracker knows of missing events.
type absences struct {
	// leads are the latest missing events before a first step, by key. Of the same
	// millisecond as the first step they do not count, so two times are kept.
	leads     map[string]*lead
	oldest    *lead
	newest    *lead
	waits     map[string][]*wait
	deadlines waitHeap // all waits
}

type lead struct {
	key           string
	last, earlier int64
	older, newer  *lead
}

// wait is a match that is complete but for the absence of an event.
type wait struct {
	match    Match
	last     *partial
	behind   int64 // an event counts if it is later than this, the last step's time
	from     int64 // … and at most maxspan later than this
	deadline int64
	place    int // in the heap
}

func (a *absences) init() {
	a.leads = map[string]*lead{}
	a.waits = map[string][]*wait{}
}

// begin gives the absence of a partial whose first step is at time now.
func (a *absences) begin(p *Plan, key string, now int64) *absence {
	out := &absence{lead: none, next: none}
	if !p.leading {
		return out
	}
	if l := a.leads[key]; l != nil {
		out.lead = l.last
		if l.last == now {
			out.lead = l.earlier
		}
	}
	return out
}

// leading notes an event of a missing item before the first step.
func (a *absences) leading(key string, now int64) {
	l := a.leads[key]
	switch {
	case l == nil:
		l = &lead{key: strings.Clone(key), last: now, earlier: none}
		a.leads[l.key] = l
	case l.last == now:
		return
	default:
		a.unlink(l)
		l.earlier, l.last = l.last, now
	}
	l.older, l.newer = a.newest, nil
	if a.newest != nil {
		a.newest.newer = l
	} else {
		a.oldest = l
	}
	a.newest = l
}

func (a *absences) unlink(l *lead) {
	if l.older != nil {
		l.older.newer = l.newer
	} else {
		a.oldest = l.newer
	}
	if l.newer != nil {
		l.newer.older = l.older
	} else {
		a.newest = l.older
	}
}

// prune forgets missing events before a time.
func (a *absences) prune(before int64) {
	for a.oldest != nil && a.oldest.last < before {
		a.forgetOldest()
	}
}

// forgetOldest forgets the missing event before a first step that is oldest.
func (a *absences) forgetOldest() {
	l := a.oldest
	a.unlink(l)
	delete(a.leads, l.key)
}

// leadBlocks reports whether a missing event before the first step rejects a
// complete match. Where nothing may come behind the last step either, that is for
// wait to decide.
func (p *Plan) leadBlocks(last *partial) bool {
	return !p.trailing && last.absent.lead != none && last.record.millis()-last.absent.lead <= p.maxSpan
}

// wait holds a match back until the absence of trailing events is certain. It
// reports false where nothing can come between: then the match is complete.
func (a *absences) wait(p *Plan, m Match, last partial) bool {
	w := &wait{match: m, last: &last, behind: last.record.millis(), from: last.began}
	if p.leading {
		if last.absent.lead == none {
			return false // some time of the length of maxspan before the match is free
		}
		w.from = last.absent.lead
	}
	w.deadline = w.from + p.maxSpan
	if w.deadline < w.behind {
		return false
	}
	heap.Push(&a.deadlines, w)
	a.waits[m.Key] = append(a.waits[m.Key], w)
	return true
}

// trailing rejects the waiting matches of a key that an event at time now breaks,
// and gives them.
func (a *absences) trailing(p *Plan, key string, now int64) []*wait {
	var rejected []*wait
	a.keep(key, func(w *wait) bool {
		if now <= w.behind || now-w.from > p.maxSpan {
			return true
		}
		heap.Remove(&a.deadlines, w.place)
		rejected = append(rejected, w)
		return false
	})
	return rejected
}

// next takes out the match whose wait is over first.
func (a *absences) next() *wait {
	w := heap.Pop(&a.deadlines).(*wait)
	// Matches of one key mostly end their wait in the order in which they began it.
	if list := a.waits[w.match.Key]; len(list) > 1 && list[0] == w {
		a.waits[w.match.Key] = list[1:]
		return w
	}
	a.keep(w.match.Key, func(v *wait) bool { return v != w })
	return w
}

// keep takes those waits of a key out of its list that kept does not hold for.
func (a *absences) keep(key string, kept func(*wait) bool) {
	list := slices.DeleteFunc(a.waits[key], func(w *wait) bool { return !kept(w) })
	if len(list) == 0 {
		delete(a.waits, key)
		return
	}
	a.waits[key] = list
}

// waitHeap orders waits by deadline, then by completion.
type waitHeap []*wait

func (h waitHeap) Len() int { return len(h) }
func (h waitHeap) Less(i, j int) bool {
	if h[i].deadline != h[j].deadline {
		return h[i].deadline < h[j].deadline
	}
	return h[i].match.Order < h[j].match.Order
}
func (h waitHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}
func (h *waitHeap) Push(x any) {
	w := x.(*wait)
	w.place = len(*h)
	*h = append(*h, w)
}
func (h *waitHeap) Pop() any {
	old := *h
	w := old[len(old)-1]
	*h = old[:len(old)-1]
	return w
}
