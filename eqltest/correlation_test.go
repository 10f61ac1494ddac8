package eqltest_test

// Sequences and samples of the vectors.

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/sequence"
)

// correlate runs a sequence or sample and gives its matches in order.
func (ds *dataSet) correlate(q *eql.Query, perKey int) (*sequence.Plan, []sequence.Match, error) {
	fields := event.NewFieldSet(ds.types)
	plan, err := sequence.Compile(q, fields)
	if err != nil {
		return nil, nil, err
	}
	conds := make([]*eql.Condition, plan.Items())
	for i, it := range q.Items() {
		if conds[i], err = eql.Compile(&it.Query, fields, eql.CompileOptions{}); err != nil {
			return nil, nil, err
		}
	}
	tie := fields.Add(ds.tiebreaker)
	tracker := sequence.NewTracker(plan, sequence.Options{SamplesPerKey: max(1, perKey)})
	var matches []sequence.Match
	emit := func(m sequence.Match) { matches = append(matches, m) }
	n := uint64(0)
	var keys sequence.KeyList
	err = ds.each(fields, func(d document, ev *event.Event) {
		r := &sequence.Record{Number: n}
		r.SetHit("", strconv.FormatInt(d.id, 10))
		r.SetTie(ev.First(tie))
		r.Time, r.Timed = ev.Time()
		n++
		var hits []sequence.Hit
		for i, c := range conds {
			if c.Matches(ev) {
				keys.Reset()
				plan.Keys(ev, i, &keys)
				hits = append(hits, sequence.Hit{Item: i, Keys: keys.AppendTo(nil, string(keys.Text()))})
			}
		}
		tracker.Observe(r, hits, emit)
	})
	tracker.Finish(emit)
	slices.SortStableFunc(matches, func(a, b sequence.Match) int { return int(a.Order) - int(b.Order) })
	return plan, matches, err
}

func runCorrelation(c *tally, name string, q *eql.Query, v queryVector, ds *dataSet, size int) {
	plan, matches, err := ds.correlate(q, v.MaxSamplesPerKey)
	if err != nil {
		c.fail(name, "%v", err)
		return
	}
	matches = limit(matches, q.Pipes, size)
	ids := []int64{}
	var keys []string
	for _, m := range matches {
		for _, r := range m.Records {
			if r == nil {
				ids = append(ids, -1)
				continue
			}
			id, _ := strconv.ParseInt(r.ID(), 10, 64)
			ids = append(ids, id)
		}
		for _, k := range sequence.KeyValues(m.Key) {
			keys = append(keys, keyText(k, plan.IsSample()))
		}
	}
	err = expectIDs(ids, v)
	if err == nil && v.JoinKeys != nil && !slices.Equal(keys, v.JoinKeys) {
		err = fmt.Errorf("join keys %q, expected %q\n%s", keys, v.JoinKeys, v.Query)
	}
	c.check(name, err)
}

// keyText prints a join key as the vectors do: the dates of samples as epoch
// milliseconds, those of sequences as dates.
func keyText(v event.Value, sample bool) string {
	if sample {
		return v.Text()
	}
	return v.Display()
}

// runSeries feeds the machine with hand-made steps.
func runSeries(c *tally, cv caseVector) {
	var b strings.Builder
	b.WriteString("sequence by k")
	for range cv.Stages {
		b.WriteString(" [any where true]")
	}
	q, err := eql.Parse(b.String())
	if err != nil {
		c.fail(cv.Name, "%v", err)
		return
	}
	plan, err := sequence.Compile(q, event.NewFieldSet(nil))
	if err != nil {
		c.fail(cv.Name, "%v", err)
		return
	}
	type arrival struct {
		ordinal, stage int
		key, name      string
	}
	var list []arrival
	for stage, events := range cv.Stages {
		for _, e := range events {
			a := arrival{stage: stage, name: e}
			if key, name, ok := strings.Cut(e, "|"); ok {
				a.key, a.name = key, name
			}
			a.ordinal, _ = strconv.Atoi(a.name[1:])
			list = append(list, a)
		}
	}
	slices.SortStableFunc(list, func(a, b arrival) int { return a.ordinal - b.ordinal })
	tracker := sequence.NewTracker(plan, sequence.Options{})
	var got [][]string
	for _, a := range list {
		r := &sequence.Record{Time: event.UnixMilli(int64(a.ordinal)), Timed: true, Number: uint64(a.ordinal)}
		r.SetHit("", a.name)
		tracker.Observe(r, []sequence.Hit{{Item: a.stage, Keys: []string{a.key}}}, func(m sequence.Match) {
			var names []string
			for i, r := range m.Records {
				name := r.ID()
				if i == 0 && m.Key != "" {
					name = m.Key + "|" + name
				}
				names = append(names, name)
			}
			got = append(got, names)
		})
	}
	if !slices.EqualFunc(got, cv.Matches, slices.Equal[[]string]) {
		c.fail(cv.Name, "matches %v, expected %v", got, cv.Matches)
		return
	}
	c.pass()
}
