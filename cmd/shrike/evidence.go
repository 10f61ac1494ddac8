package main

// Windows evidence: records of event logs, in their binary form or as JSON, turned
// into events.
//
//	batch ─worker→ records ─┬─ process starts and ends ─ in order ─▶ History ─┬─▶ Mapper ─▶ events
//	                        └─ all others ──────────────────────────────────┘
//
// The workers decode and map side by side. Only what a History looks at, the starts
// and ends of processes, waits for its turn: for those of all batches before.
// So the events are the same whatever the number of workers.

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/source/evtx"
	"github.com/shrike-project/shrike/windows"
)

// eventLogs is what the batches of one scan have in common.
type eventLogs struct {
	leftOver bool // records from before a log was cleared or went round are wanted
	turns    turns
	history  *windows.History // belongs to whoever has the turn

	mu      sync.Mutex
	idle    []*translator          // those no worker uses
	buffers [][]byte               // likewise
	read    map[string]*evtx.Stats // by log
}

func newEventLogs() *eventLogs {
	e := &eventLogs{history: windows.NewHistory(0), read: map[string]*evtx.Stats{}}
	e.turns.changed.L = &e.turns.mu
	return e
}

// note adds what became of a part of a log.
func (e *eventLogs) note(name string, s evtx.Stats) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.read[name] == nil {
		e.read[name] = &evtx.Stats{}
	}
	e.read[name].Add(s)
}

// take gives a translator that nobody uses, and give takes it back.
func (e *eventLogs) take() *translator {
	e.mu.Lock()
	defer e.mu.Unlock()
	if n := len(e.idle); n > 0 {
		t := e.idle[n-1]
		e.idle = e.idle[:n-1]
		return t
	}
	t := newTranslator()
	t.decoder.LeftOver = e.leftOver
	return t
}

func (e *eventLogs) give(t *translator) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.idle = append(e.idle, t)
}

// maxExpanded bounds what a batch is turned into: a hostile log may hold few bytes
// that unfold to many.
const maxExpanded = 256 << 20

const unfoldsTooMuch event.Reason = "unfolds to too much with its neighbours"

// translator turns the records of a batch into events, one batch at a time.
type translator struct {
	decoder *evtx.Decoder
	parser  windows.Parser
	parsed  windows.Record
	mapper  *windows.Mapper
	waiting []waiting
}

// waiting is a record that a History has to look at before it is mapped.
type waiting struct {
	rec windows.Record
	doc int // its place in the expansion
}

func newTranslator() *translator {
	return &translator{decoder: evtx.NewDecoder(), mapper: windows.NewMapper()}
}

// record adds the event of a record that stands at byte at of its file.
func (t *translator) record(x *event.Expansion, r *windows.Record, at int64) {
	start := len(x.Data)
	if start > maxExpanded {
		x.Refused = append(x.Refused, event.Refusal{Reason: unfoldsTooMuch, Offset: at})
		return
	}
	if r.ReportsProcess() {
		t.hold(r, len(x.Docs))
	} else {
		x.Data = t.mapper.Append(x.Data, r)
	}
	x.Docs = append(x.Docs, event.Extent{Start: start, End: len(x.Data)})
	x.At = append(x.At, at)
}

// hold keeps a copy of a record.
func (t *translator) hold(r *windows.Record, doc int) {
	if len(t.waiting) < cap(t.waiting) {
		t.waiting = t.waiting[:len(t.waiting)+1]
	} else {
		t.waiting = append(t.waiting, waiting{})
	}
	w := &t.waiting[len(t.waiting)-1]
	w.doc = doc
	r.CopyTo(&w.rec)
}

// settle has the History look at the records that wait, when it is the turn of their
// batch, and maps them.
func (t *translator) settle(e *eventLogs, turn int, x *event.Expansion) {
	if len(t.waiting) > 0 {
		e.turns.wait(turn)
		slices.SortStableFunc(t.waiting, func(a, b waiting) int {
			if !a.rec.Timed || !b.rec.Timed {
				return cmp.Compare(a.doc, b.doc)
			}
			return a.rec.Time.Compare(b.rec.Time)
		})
		for i := range t.waiting {
			e.history.Complete(&t.waiting[i].rec)
		}
	}
	e.turns.pass(turn)
	for i := range t.waiting {
		w := &t.waiting[i]
		start := len(x.Data)
		x.Data = t.mapper.Append(x.Data, &w.rec)
		x.Docs[w.doc] = event.Extent{Start: start, End: len(x.Data)}
	}
	t.waiting = t.waiting[:0]
}

// turns let batches follow one another that are worked on at the same time. The
// batches before one that waits are being worked on, or were dropped: workers take
// them in their order.
type turns struct {
	mu      sync.Mutex
	changed sync.Cond
	issued  int
	now     int
	passed  map[int]bool // of those after now
}

// next gives the number of the next batch.
func (t *turns) next() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.issued++
	return t.issued - 1
}

// wait returns when all batches before have passed.
func (t *turns) wait(turn int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.now != turn {
		t.changed.Wait()
	}
}

// pass says that a batch is done, or will never come. A second time it does nothing.
func (t *turns) pass(turn int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if turn < t.now {
		return
	}
	if t.passed == nil {
		t.passed = map[int]bool{}
	}
	t.passed[turn] = true
	for t.passed[t.now] {
		delete(t.passed, t.now)
		t.now++
	}
	t.changed.Broadcast()
}

// damagedLog is what the summary says of a log that is damaged.
type damagedLog struct {
	Chunks    int              `json:"chunks"`
	Damaged   int              `json:"damaged_chunks"`
	Records   int64            `json:"records"`
	Recovered int64            `json:"recovered_records"`
	Lost      map[string]int64 `json:"lost_records"`
}

// damage lists the logs that are damaged.
func (e *eventLogs) damage() map[string]damagedLog {
	list := map[string]damagedLog{}
	for name, s := range e.read {
		if s.Damaged == 0 && s.LostRecords() == 0 {
			continue
		}
		d := damagedLog{s.Chunks, s.Damaged, s.Records, s.Recovered, map[string]int64{}}
		for _, why := range evtx.Reasons() {
			if n := s.Lost[why]; n > 0 {
				d.Lost[why.String()] = n
			}
		}
		list[name] = d
	}
	return list
}

// leftOvers counts the records from before logs were cleared or went round: those that
// were read, and those that could not be.
func (e *eventLogs) leftOvers() (read, lost int64) {
	for _, s := range e.read {
		read, lost = read+s.LeftOver, lost+s.LeftOverLost
	}
	return read, lost
}

func (d damagedLog) text() string {
	lost := reasons(d.Lost)
	if lost == "" {
		lost = "none"
	}
	return strings.Join([]string{
		number(int64(d.Damaged)) + " of " + count(int64(d.Chunks), "chunk"),
		count(d.Recovered, "record") + " recovered from them",
		"lost: " + lost,
	}, "; ")
}
