package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/pipeline"
	"github.com/shrike-project/shrike/sequence"
)

type queryOptions struct {
	input      inputOptions
	output     string
	timestamp  string
	tiebreaker string
	category   string
	size       int // -1: all
	position   string
	sort       bool

	samplesPerKey int
}

func (p *program) queryCommand() *cobra.Command {
	var o queryOptions
	c := &cobra.Command{
		Use:   "query [flags] EQL PATH…|-",
		Short: "Print the events, sequences or samples that match an EQL query",
		Long: "Print the events, sequences or samples that match an EQL query.\n\n" +
			"Without --size, pipes and --sort, events are printed as they are found, in the order of the files.\n" +
			"Otherwise they come in the order of time, as Elasticsearch gives them.",
		Example: "  shrike query 'process where process.name : \"cmd.exe\"' events.ndjson\n  shrike query --size 10 'any where true' events.ndjson",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			if !c.Flags().Changed("size") {
				o.size = -1
			} else if o.size < 0 {
				return fmt.Errorf("--size cannot be negative")
			}
			return p.query(c.Context(), args[0], args[1:], o)
		},
	}
	f := c.Flags()
	f.StringVarP(&o.output, "output", "o", "jsonl", "jsonl or json; for sequences and samples also text")
	f.StringVar(&o.timestamp, "timestamp-field", "@timestamp", "field that holds the time")
	f.StringVar(&o.tiebreaker, "tiebreaker-field", "", "field that orders events of the same time")
	f.StringVar(&o.category, "event-category-field", eql.DefaultCategoryField, "field that holds the event category")
	f.IntVar(&o.size, "size", 0, "most events, sequences or samples to print (default: all)")
	f.StringVar(&o.position, "result-position", "tail", "which end of the results --size keeps: head or tail; of samples, always the first ones")
	f.IntVar(&o.samplesPerKey, "max-samples-per-key", 1, "most samples of one join key")
	f.BoolVar(&o.sort, "sort", false, "print in the order of time")
	o.input.add(c)
	return c
}

// match is an event that a query found.
type match = sequence.Record

func (p *program) query(ctx context.Context, text string, paths []string, o queryOptions) error {
	switch {
	case o.position != "head" && o.position != "tail":
		return fmt.Errorf("unknown --result-position %q, expected head or tail", o.position)
	case o.output != "jsonl" && o.output != "json" && o.output != "text":
		return fmt.Errorf("unknown output %q; the outputs are jsonl, json, text", o.output)
	}
	types, err := o.input.types()
	if err != nil {
		return failure(err)
	}
	q, err := p.parseQuery(text, types)
	if err != nil {
		return err
	}
	if q.Event == nil {
		return p.queryMatches(ctx, q, types, paths, o)
	}
	judge, err := newQueryJudge(q, types, o)
	if err != nil {
		return failure(err)
	}
	src := p.open(paths, o.input)
	defer src.Close()
	out := newDocuments(p.stdout, o.output == "json")
	r := newResults(q.Pipes, o)
	n := int64(0)
	emit := func(m *match, _ pipeline.Place) error {
		n++
		m.Number = uint64(n)
		if r == nil {
			return out.write(m.Document())
		}
		r.add(m)
		return nil
	}
	scan := o.input.scan()
	scan.Idle = out.Flush
	sum, err := pipeline.Scan(ctx, src, judge, emit, scan)
	if err == nil && r != nil {
		err = r.print(out)
	}
	if closeErr := out.close(); err == nil {
		err = closeErr
	}
	if errors.Is(err, context.Canceled) {
		return &exitError{status: exitStopped}
	}
	if err != nil {
		return failure(err)
	}
	return p.inputStatus(sum, src.Stats().Failed)
}

// newQueryJudge gives judges that emit the events an event query matches.
func newQueryJudge(q *eql.Query, types *event.Types, o queryOptions) (func() pipeline.Judge[*match], error) {
	fields := event.NewFieldSet(types)
	cond, err := eql.Compile(q.Event, fields, eql.CompileOptions{CategoryField: o.category})
	if err != nil {
		return nil, err
	}
	tie := event.NoField
	if o.tiebreaker != "" {
		tie = fields.Add(o.tiebreaker)
	}
	return func() pipeline.Judge[*match] {
		return pipeline.Judge[*match]{Decoder: event.NewDecoder(fields, o.timestamp), Event: func(ev *event.Event, _ event.Extent, emit func(*match)) {
			if !cond.Matches(ev) {
				return
			}
			m := &match{}
			m.SetDocument(bytes.Clone(ev.Source))
			m.SetTie(ev.First(tie))
			m.Time, m.Timed = ev.Time()
			emit(m)
		}}
	}, nil
}

// parseQuery parses and checks an ad-hoc query; what is wrong with it is printed
// as for rules.
func (p *program) parseQuery(text string, types *event.Types) (*eql.Query, error) {
	q, err := eql.Parse(text)
	var problems eql.Problems
	if err == nil {
		problems = eql.Check(q, eql.CheckOptions{Types: types})
	} else {
		errors.As(err, &problems)
	}
	if len(problems) > 0 {
		for _, problem := range queryProblems(text, problems) {
			p.problem(p.stderr, problem)
		}
		return nil, &exitError{status: exitUsage}
	}
	return q, nil
}

// results keeps those matches that pipes and size can leave.
type results struct {
	limits []limit
	list   []*match
}

// limit is "head n" or "tail n".
type limit struct {
	tail bool
	n    int
}

// newLimits gives the limits of size and pipes.
func newLimits(pipes []eql.Pipe, o queryOptions) []limit {
	var list []limit
	if o.size >= 0 {
		// The size acts before the first pipe, in that pipe's direction.
		tail := o.position == "tail"
		if len(pipes) > 0 {
			tail = pipes[0].Name == "tail"
		}
		list = append(list, limit{tail, o.size})
	}
	for _, p := range pipes {
		list = append(list, limit{p.Name == "tail", p.Count})
	}
	return list
}

// newResults gives nil where results need no order.
func newResults(pipes []eql.Pipe, o queryOptions) *results {
	r := &results{limits: newLimits(pipes, o)}
	if len(r.limits) == 0 && !o.sort {
		return nil
	}
	return r
}

// add keeps a match. What the first limit cannot leave is let go now and then, so
// that the memory depends on the limit and not on the input.
func (r *results) add(m *match) {
	r.list = append(r.list, m)
	if len(r.limits) > 0 && len(r.list) > 2*r.limits[0].n+1000 {
		r.sort()
		r.list = r.limits[0].apply(r.list)
	}
}

func (r *results) sort() { slices.SortFunc(r.list, (*match).Compare) }

func (l limit) apply(list []*match) []*match {
	n := min(l.n, len(list))
	if l.tail {
		return slices.Clone(list[len(list)-n:])
	}
	return slices.Clone(list[:n])
}

// print prints what pipes and size leave.
func (r *results) print(out *documents) error {
	r.sort()
	for _, l := range r.limits {
		r.list = l.apply(r.list)
	}
	for _, m := range r.list {
		if err := out.write(m.Document()); err != nil {
			return err
		}
	}
	return nil
}
