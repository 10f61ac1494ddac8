package alert

// The alerts of a sequence or sample: a building block for each event, and the
// shell, which is what people see.

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
)

// block is an event of a sequence on its way to a building block.
type block struct {
	alert  *Alert
	source *source
	body   body
}

func (b *Builder) buildSequence(s *detect.Signal, emit func(*Alert)) {
	shell := newAlert(s)
	shell.Keys = s.Keys
	traces := s.Traces()
	var blocks []block
	sources := make([]*source, len(s.Steps))
	for i, step := range s.Steps {
		st := Step{Query: step.Query.String(), Missing: step.Record == nil, Trace: traces[i]}
		if r := step.Record; r != nil {
			src := b.source(r)
			if src.descendsFrom(s.Rule.ObjectID) {
				return
			}
			st.Time, st.Timed, sources[i] = r.Time, r.Timed, src
			st.SetSource(r.Document())
			blocks = append(blocks, b.newBlock(s, step, src, traces[i]))
		}
		shell.Steps = append(shell.Steps, st)
	}
	identify(shell, blocks)
	b.coverSequence(shell, blocks)
	shell.Why = sequenceWhy(shell)
	shell.BuildingBlock = s.Rule.BuildingBlockType != ""
	for i, bl := range blocks {
		b.write(bl.alert, document{
			body: bl.body, ancestors: bl.source.ancestors, depth: bl.source.depth + 1, first: bl.source,
			blockType: "default", group: shell.ID, block: true, index: i,
		})
		emit(bl.alert)
	}
	b.finishShell(shell, sources, blocks)
	emit(shell)
}

// newBlock makes the alert of one event; overrides are not applied to sequences.
func (b *Builder) newBlock(s *detect.Signal, step detect.Step, src *source, trace *eql.Trace) block {
	a := newAlert(s)
	a.Time, a.Timed = step.Record.Time, step.Record.Timed
	a.BuildingBlock, a.Trace, a.Why = true, trace, why(trace)
	body := b.body(src)
	a.Reason = reason(&body.fields, a.Severity, a.RuleName)
	return block{a, src, body}
}

// coverSequence marks the alerts of a sequence, all alike.
func (b *Builder) coverSequence(shell *Alert, blocks []block) {
	var events []*source
	for _, bl := range blocks {
		events = append(events, bl.source)
	}
	shell.Coverage = b.coverage(shell.Rule, events...)
	for _, bl := range blocks {
		bl.alert.Coverage = shell.Coverage
	}
}

// identify gives building blocks and shell the ids Kibana gives them: hashes over
// the ancestors of all blocks.
func identify(shell *Alert, blocks []block) {
	var base, ancestors strings.Builder
	for _, bl := range blocks {
		base.WriteString(bl.source.identities() + shell.Rule.ObjectID)
	}
	for i, bl := range blocks {
		bl.alert.ID = hash([]byte(base.String() + strconv.Itoa(i)))
		ancestors.WriteString(bl.source.identities() + bl.alert.ID)
	}
	shell.ID = hash([]byte(ancestors.String() + shell.Rule.ObjectID))
}

// finishShell makes the document of the shell: what all blocks have in common, and
// below Shrike's own field each event whole.
func (b *Builder) finishShell(shell *Alert, steps []*source, blocks []block) {
	d := document{depth: 2, blockType: shell.Rule.BuildingBlockType, group: shell.ID, steps: steps}
	object := event.TextNode("rule", shell.Rule.ObjectID)
	for i, bl := range blocks {
		if i == 0 {
			d.body, d.first = bl.body, bl.source
		} else {
			d.body = d.intersect(bl.body)
		}
		below := bl.source.depth
		d.depth = max(d.depth, below+2)
		d.ancestors = append(append(d.ancestors, bl.source.ancestors...), ancestor{kind: "signal", id: bl.alert.ID, depth: below + 1, rule: &object})
	}
	shell.Reason = reason(&d.fields, shell.Severity, shell.RuleName)
	d.fields = event.ObjectOf(b.setKind(slices.Clone(d.fields.List())))
	b.write(shell, d)
}

// writeSteps writes the join keys and the steps of a sequence as they stand in its
// document.
func (a *Alert) writeSteps(w *writer, sources []*source) {
	w.name("sequence")
	w.own = append(w.own, '{')
	w.list("join_keys", len(a.Keys), func(i int) {
		w.string("field", a.Keys[i].Field)
		w.name("value")
		w.own = appendValue(w.own, a.Keys[i].Value.JSON())
	})
	w.list("steps", len(a.Steps), func(i int) {
		st := &a.Steps[i]
		src := sources[i]
		if src != nil {
			w.named("event", &src.root)
		}
		w.name("missing")
		w.own = strconv.AppendBool(w.own, st.Missing)
		if offset, ok := a.Offset(i); ok {
			w.int("offset_ms", offset)
		}
		w.string("query", st.Query)
		if src != nil {
			w.name("trace")
			w.own = st.Trace.AppendJSON(w.own, w.share)
		}
	})
	w.own = append(w.own, '}')
}

// Offset gives how many milliseconds step i was behind the first one; false where
// that is not known.
func (a *Alert) Offset(i int) (millis int64, ok bool) {
	for _, st := range a.Steps {
		if st.Timed {
			return a.Steps[i].Time.UnixMilli() - st.Time.UnixMilli(), a.Steps[i].Timed
		}
	}
	return 0, false
}

// sequenceWhy says in one line what came together.
func sequenceWhy(a *Alert) string {
	var b strings.Builder
	present := 0
	first, last := int64(0), int64(0) // samples come in any order
	for i := range a.Steps {
		if !a.Steps[i].Missing {
			present++
		}
		if offset, ok := a.Offset(i); ok {
			first, last = min(first, offset), max(last, offset)
		}
	}
	fmt.Fprintf(&b, "%d events", present)
	if last > first {
		fmt.Fprintf(&b, " within %s", seconds(last-first))
	}
	for i, k := range a.Keys {
		sep := ", "
		if i == 0 {
			sep = " with the same "
		}
		value := "missing"
		if !k.Value.IsNull() {
			value = cut(k.Value.Display(), 60)
		}
		b.WriteString(sep + k.Field + " (" + value + ")")
	}
	if missing := len(a.Steps) - present; missing > 0 {
		fmt.Fprintf(&b, "; %d did not happen", missing)
	}
	return b.String()
}

// seconds writes milliseconds as a time people read.
func seconds(millis int64) string {
	switch {
	case millis < 1000:
		return strconv.FormatInt(millis, 10) + " ms"
	case millis < 120_000:
		return strconv.FormatFloat(float64(millis)/1000, 'f', -1, 64) + " s"
	case millis < 7_200_000:
		return strconv.FormatInt(millis/60_000, 10) + " min"
	}
	return strconv.FormatInt(millis/3_600_000, 10) + " h"
}
