package main

// Ad-hoc queries for sequences and samples.

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/pipeline"
	"github.com/shrike-project/shrike/rule"
	"github.com/shrike-project/shrike/sequence"
)

// queryMatch is a sequence or sample as query prints it, in the shape of
// Elasticsearch's response.
type queryMatch struct {
	JoinKeys []any        `json:"join_keys,omitempty"`
	Events   []queryEvent `json:"events"`

	order uint64
	keys  []detect.JoinKey
}

type queryEvent struct {
	Index   string          `json:"_index,omitempty"`
	ID      string          `json:"_id,omitempty"`
	Source  json.RawMessage `json:"_source,omitempty"`
	Missing bool            `json:"missing,omitempty"`

	record *sequence.Record
}

func (p *program) queryMatches(ctx context.Context, q *eql.Query, types *event.Types, paths []string, o queryOptions) error {
	r := &rule.Rule{Name: "query", Type: "eql", EQL: q, TimestampField: o.timestamp, TiebreakerField: o.tiebreaker, EventCategoryOverride: o.category}
	d := detect.New([]*rule.Rule{r}, detect.Options{Types: types, IgnoreIndex: true})
	if s := d.Skipped(); len(s) > 0 {
		return failure(errors.New(s[0].Reason))
	}
	var found []*queryMatch
	signal := func(s *detect.Signal) { found = append(found, newQueryMatch(s)) }
	judge := func() pipeline.Judge[*detect.Arrival] {
		matcher := d.NewMatcher()
		var hits detect.Hits
		return pipeline.Judge[*detect.Arrival]{Decoder: d.NewDecoder(), Event: func(ev *event.Event, _ event.Extent, emit func(*detect.Arrival)) {
			matcher.Match(ev, &hits)
			matcher.Arrivals(ev, &hits, emit)
		}, Pause: pauses(matcher)}
	}
	src := p.open(paths, o.input)
	defer src.Close()
	stream := d.NewStream(detect.StreamOptions{Lateness: detect.Unlimited, SamplesPerKey: max(1, o.samplesPerKey), Spill: pipeline.TempFiles{}})
	sum, err := pipeline.Scan(ctx, src, judge, func(a *detect.Arrival, _ pipeline.Place) error { return stream.Observe(a, signal) }, o.input.scan())
	if errors.Is(err, context.Canceled) {
		return &exitError{status: exitStopped}
	}
	if err == nil {
		err = stream.Finish(signal)
	}
	if err == nil {
		err = p.printMatches(limitMatches(found, q, o), o)
	}
	if err != nil {
		return failure(err)
	}
	return p.inputStatus(sum, src.Stats().Failed)
}

// pauses lets a matcher that makes arrivals pause between batches.
func pauses(m *detect.Matcher) func(pipeline.Seen, func(*detect.Arrival)) error {
	return func(_ pipeline.Seen, emit func(*detect.Arrival)) error {
		m.Pause(emit)
		return nil
	}
}

func newQueryMatch(s *detect.Signal) *queryMatch {
	m := &queryMatch{order: s.Order, keys: s.Keys}
	for _, k := range s.Keys {
		m.JoinKeys = append(m.JoinKeys, k.Value.JSON())
	}
	for _, step := range s.Steps {
		e := queryEvent{Missing: step.Record == nil, record: step.Record}
		if r := step.Record; r != nil {
			e.Index, e.ID, e.Source = r.Index(), r.ID(), compact(r.Document())
		}
		m.Events = append(m.Events, e)
	}
	return m
}

// limitMatches puts matches into the order in which they were complete, also those
// that then had to wait for an absence, and applies pipes and size. Of samples, which
// have no order in time, size keeps the first ones.
func limitMatches(list []*queryMatch, q *eql.Query, o queryOptions) []*queryMatch {
	slices.SortFunc(list, func(a, b *queryMatch) int { return cmp.Compare(a.order, b.order) })
	if q.Sample != nil {
		o.position = "head"
	}
	for _, l := range newLimits(q.Pipes, o) {
		n := min(l.n, len(list))
		if l.tail {
			list = list[len(list)-n:]
		} else {
			list = list[:n]
		}
	}
	return list
}

func (p *program) printMatches(list []*queryMatch, o queryOptions) error {
	switch o.output {
	case "json":
		if list == nil {
			list = []*queryMatch{}
		}
		return p.writeJSON(list)
	case "text":
		return p.printMatchTexts(list)
	}
	for _, m := range list {
		if err := encode(p.stdout, m); err != nil {
			return err
		}
	}
	return nil
}

func (p *program) printMatchTexts(list []*queryMatch) error {
	for i, m := range list {
		head := fmt.Sprintf("%d", i+1)
		for _, k := range m.keys {
			head += fmt.Sprintf("  %s=%s", k.Field, k.Value.Display())
		}
		if _, err := fmt.Fprintln(p.text, bold(printable(head))); err != nil {
			return err
		}
		for _, e := range m.Events {
			when, text := "-", "did not happen"
			if e.record != nil {
				text = string(e.Source)
				if e.record.Timed {
					when = e.record.Time.String()
				}
			}
			if _, err := fmt.Fprintf(p.text, "  %-24s  %s\n", when, trim(printable(text), max(40, p.width-28))); err != nil {
				return err
			}
		}
	}
	return nil
}
