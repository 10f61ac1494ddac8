package sequence

// Notes tell what becomes of unfinished matches, for explanations.

import "strings"

// What became of an unfinished match.
type What string

// The things that happen to an unfinished match.
const (
	Started   What = "started"    // an event was the first step
	Extended  What = "extended"   // an event was the next step
	Completed What = "completed"  // an event was the last step, or nothing is awaited any more
	Waits     What = "waits"      // complete but for the absence of an event
	Replaced  What = "replaced"   // a newer event took its place
	Expired   What = "expired"    // maxspan was over
	Cut       What = "cut"        // an until event came
	Rejected  What = "rejected"   // a missing event was not missing
	Evicted   What = "evicted"    // a bound on keys or age was reached
	NoPartial What = "no partial" // an event fits a step whose key has none before it
	Waiting   What = "waiting"    // still unfinished at the end of the input
	Candidate What = "candidate"  // an event fits an item of a sample
)

// Note is one thing that happened.
type Note struct {
	What What
	// Step is the step the event was, or would have been, from 0; of a sample the
	// item.
	Step int
	Key  string
	// Record is the event that caused it, nil where time did.
	Record *Record
	// Partial are the records of the unfinished match, first step first; of a sample
	// that waits, its candidates.
	Partial []*Record
	// Others counts the other keys that wait for this step, of NoPartial.
	Others int
}

// tell gives a note a key of its own: that of a Hit does not hold.
func (t *Tracker) tell(n Note) {
	n.Key = strings.Clone(n.Key)
	t.opt.Notes(n)
}

func (t *Tracker) note(what What, step int, key string, r *Record, p *partial) {
	if t.opt.Notes == nil {
		return
	}
	t.tell(Note{What: what, Step: step, Key: key, Record: r, Partial: p.records()})
}

// noteSlot tells what becomes of the match in a slot, if there is one. Of what time
// ends, or the end of the input, the step is the one that did not come.
func (t *Tracker) noteSlot(what What, slot int, g *group, r *Record) {
	if t.opt.Notes == nil {
		return
	}
	p := g.held(slot)
	if p == nil {
		return
	}
	step := slot
	if what == Expired || what == Waiting {
		step++
	}
	t.note(what, step, string(g.key), r, p)
}

// noteSlots is noteSlot for all slots.
func (t *Tracker) noteSlots(what What, g *group, r *Record) {
	for slot := range g.slots() {
		t.noteSlot(what, slot, g, r)
	}
}

func (p *partial) records() []*Record {
	var list []*Record
	for q := p; q != nil; q = q.before {
		list = append([]*Record{q.record}, list...)
	}
	return list
}

// noteNoPartial tells of an event that fits a step but finds nothing to extend.
func (t *Tracker) noteNoPartial(step int, key string, r *Record) {
	if t.opt.Notes == nil {
		return
	}
	others := 0
	for g := range t.groups.all() {
		if string(g.key) != key && g.held(step-1) != nil {
			others++
		}
	}
	t.tell(Note{What: NoPartial, Step: step, Key: key, Record: r, Others: others})
}

// noteSample tells what becomes of the candidates of a sample.
func (t *Tracker) noteSample(what What, item int, key string, r *Record, records []*Record) {
	if t.opt.Notes != nil {
		t.tell(Note{What: what, Step: item, Key: key, Record: r, Partial: records})
	}
}

// noteWaiting tells of what is unfinished at the end.
func (t *Tracker) noteWaiting() {
	for c := t.sample.oldest; c != nil; c = c.newer {
		if !c.done {
			t.noteSample(Waiting, c.lacks(), c.key, nil, c.records())
		}
	}
	for g := range t.groups.all() {
		t.noteSlots(Waiting, g, nil)
	}
}
