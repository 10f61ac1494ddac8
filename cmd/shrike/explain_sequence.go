package main

// Explaining a sequence over a file: which events were which steps, and what
// became of every unfinished match.

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/pipeline"
	"github.com/shrike-project/shrike/rule"
	"github.com/shrike-project/shrike/sequence"
)

// sequenceExplanation is what explain prints for a rule that needs several events.
type sequenceExplanation struct {
	Rule  string `json:"rule"`
	Fires int    `json:"fires"`
	// Items are the event queries, with how many events hit each.
	Items []itemExplanation `json:"items"`
	// Unseen counts events the rule does not look at, by reason.
	Unseen map[string]int64 `json:"unseen"`
	// Keys are the values of join keys that turned up, in the order of the events.
	Keys []*keyExplanation `json:"keys"`
	// MoreKeys counts the keys that are left out.
	MoreKeys int `json:"more_keys,omitempty"`

	byKey map[string]*keyExplanation
	most  int
}

type itemExplanation struct {
	Query   string `json:"query"`
	Missing bool   `json:"missing,omitempty"`
	Until   bool   `json:"until,omitempty"`
	Events  int    `json:"events"`
	// Unkeyed events hit the query, but lack a join key.
	Unkeyed int `json:"unkeyed,omitempty"`
}

type keyExplanation struct {
	JoinKeys []string          `json:"join_keys"`
	Notes    []noteExplanation `json:"notes"`
}

type noteExplanation struct {
	What string `json:"what"`
	// Step counts from 1.
	Step int `json:"step"`
	// Event is the number of the event that caused it, 0 where time did.
	Event int    `json:"event,omitempty"`
	Time  string `json:"time,omitempty"`
	// Events are those of the unfinished match.
	Events []int  `json:"events,omitempty"`
	Text   string `json:"text"`
}

func (p *program) explainSequence(ctx context.Context, src pipeline.Source, d *detect.Detector, r *rule.Rule, o explainOptions) (*pipeline.Summary, error) {
	e := newSequenceExplanation(r, o.keys)
	stream := d.NewStream(detect.StreamOptions{Lateness: detect.Unlimited, Spill: pipeline.TempFiles{}, Notes: e.note})
	judge := func() pipeline.Judge[*detect.Arrival] {
		matcher := d.NewMatcher()
		var hits detect.Hits
		n := 0
		return pipeline.Judge[*detect.Arrival]{Decoder: d.NewDecoder(), Event: func(ev *event.Event, _ event.Extent, emit func(*detect.Arrival)) {
			n++
			ev.ID = strconv.Itoa(n) // so that notes tell which event they are about
			if reason := d.Unseen(r, ev); reason != "" {
				e.Unseen[reason]++
			}
			matcher.Match(ev, &hits)
			for _, h := range d.ItemHits(ev, &hits) {
				e.Items[h.Item].Events++
				if !h.Keyed {
					e.Items[h.Item].Unkeyed++
				}
			}
			matcher.Arrivals(ev, &hits, emit)
		}, Pause: pauses(matcher)}
	}
	fires := func(*detect.Signal) { e.Fires++ }
	scan := o.input.scan()
	scan.Jobs = 1 // events are numbered as they come
	sum, err := pipeline.Scan(ctx, src, judge, func(a *detect.Arrival, _ pipeline.Place) error { return stream.Observe(a, fires) }, scan)
	if err == nil {
		err = stream.Finish(fires)
	}
	if err != nil {
		return sum, err
	}
	if o.output == "json" {
		return sum, p.writeJSON(e)
	}
	_, err = fmt.Fprint(p.text, e.text())
	return sum, err
}

func newSequenceExplanation(r *rule.Rule, most int) *sequenceExplanation {
	e := &sequenceExplanation{Rule: r.Name, Unseen: map[string]int64{}, byKey: map[string]*keyExplanation{}, most: most, Keys: []*keyExplanation{}}
	items := r.EQL.Items()
	for i, it := range items {
		e.Items = append(e.Items, itemExplanation{
			Query: it.Query.String(), Missing: it.Missing,
			Until: r.EQL.Sequence != nil && r.EQL.Sequence.Until != nil && i == len(items)-1,
		})
	}
	return e
}

func (e *sequenceExplanation) note(r *rule.Rule, n sequence.Note) {
	k := e.byKey[n.Key]
	if k == nil {
		if len(e.Keys) == e.most {
			e.MoreKeys++
			e.byKey[n.Key] = &keyExplanation{}
			return
		}
		k = &keyExplanation{JoinKeys: []string{}}
		for _, v := range sequence.KeyValues(n.Key) {
			k.JoinKeys = append(k.JoinKeys, v.Display())
		}
		e.byKey[n.Key] = k
		e.Keys = append(e.Keys, k)
	}
	out := noteExplanation{What: string(n.What), Step: n.Step + 1}
	for _, rec := range n.Partial {
		out.Events = append(out.Events, eventNumber(rec))
	}
	if n.Record != nil {
		out.Event = eventNumber(n.Record)
		if n.Record.Timed {
			out.Time = n.Record.Time.String()
		}
	}
	out.Text = noteText(n, out, r.EQL.Sample != nil)
	k.Notes = append(k.Notes, out)
}

func eventNumber(r *sequence.Record) int {
	n, _ := strconv.Atoi(r.ID())
	return n
}

// eventList names events by their numbers.
func eventList(list []int) string {
	words := make([]string, len(list))
	for i, n := range list {
		words[i] = strconv.Itoa(n)
	}
	if len(list) == 1 {
		return "event " + words[0]
	}
	return "events " + strings.Join(words, ", ")
}

// noteText says in words what happened.
func noteText(n sequence.Note, e noteExplanation, sample bool) string {
	partial := eventList(e.Events)
	switch n.What {
	case sequence.Started:
		return fmt.Sprintf("event %d is step 1", e.Event)
	case sequence.Extended:
		return fmt.Sprintf("event %d is step %d, after %s", e.Event, e.Step, eventList(e.Events[:len(e.Events)-1]))
	case sequence.Completed:
		return "complete: " + partial
	case sequence.Waits:
		return partial + " wait for the absence of an event"
	case sequence.Replaced:
		return fmt.Sprintf("%s given up for the newer event %d", partial, e.Event)
	case sequence.Expired:
		return fmt.Sprintf("%s expired: maxspan was over before step %d", partial, e.Step)
	case sequence.Cut:
		return fmt.Sprintf("%s cut by the until event %d", partial, e.Event)
	case sequence.Rejected:
		if e.Event > 0 && !slices.Contains(e.Events, e.Event) {
			return fmt.Sprintf("%s rejected: event %d had to be missing", partial, e.Event)
		}
		return partial + " rejected: an event that had to be missing was there"
	case sequence.Evicted:
		return partial + " evicted: too many keys, or too old"
	case sequence.NoPartial:
		text := fmt.Sprintf("event %d fits step %d, but nothing with these keys waits for it", e.Event, e.Step)
		if n.Others > 0 {
			text += fmt.Sprintf("; with other keys, %s", count(int64(n.Others), "unfinished match"))
		}
		return text
	case sequence.Candidate:
		return fmt.Sprintf("event %d fits item %d", e.Event, e.Step)
	case sequence.Waiting:
		step := "step"
		if sample {
			step = "item"
		}
		return fmt.Sprintf("%s still waiting for %s %d", partial, step, e.Step)
	}
	return string(n.What)
}

func (e *sequenceExplanation) text() string {
	var b strings.Builder
	verdict := colored(green, "does not fire")
	if e.Fires > 0 {
		verdict = colored(red, "fires "+strings.TrimSuffix(count(int64(e.Fires), "time"), ""))
	}
	fmt.Fprintf(&b, "%s %s\n", bold(printable(e.Rule)), verdict)
	step := 0
	for _, it := range e.Items {
		name := ""
		switch {
		case it.Until:
			name = "until"
		case it.Missing:
			name = "missing"
		default:
			step++
			name = fmt.Sprintf("item %d", step)
		}
		hits := count(int64(it.Events), "event")
		if it.Unkeyed > 0 {
			hits += fmt.Sprintf(", %d of them without a join key", it.Unkeyed)
		}
		fmt.Fprintf(&b, "  %-8s %s: %s\n", name, trim(printable(it.Query), 100), hits)
	}
	if len(e.Unseen) > 0 {
		fmt.Fprintf(&b, "  the rule does not look at %s: %s\n", count(total(e.Unseen), "event"), printable(reasons(e.Unseen)))
	}
	for _, k := range e.Keys {
		keys := "all events"
		if len(k.JoinKeys) > 0 {
			keys = strings.Join(k.JoinKeys, ", ")
		}
		fmt.Fprintf(&b, "%s\n", bold(printable(keys)))
		for _, n := range k.Notes {
			when := n.Time
			if when == "" {
				when = "-"
			}
			fmt.Fprintf(&b, "  %-24s  %s\n", when, n.Text)
		}
	}
	if e.MoreKeys > 0 {
		fmt.Fprintf(&b, "… and %s more; --keys shows more\n", count(int64(e.MoreKeys), "key"))
	}
	return b.String()
}
