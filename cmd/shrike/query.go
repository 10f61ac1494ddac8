package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/pipeline"
)

type queryOptions struct {
	input      inputOptions
	output     string
	timestamp  string
	tiebreaker string
	category   string
	size       int
	position   string
	sort       bool
}

func (p *program) queryCommand() *cobra.Command {
	var o queryOptions
	c := &cobra.Command{
		Use:   "query [flags] EQL PATH…|-",
		Short: "Print the events that match an EQL query",
		Long: "Print the events that match an EQL query.\n\n" +
			"Without --size, pipes and --sort, events are printed as they are found, in the order of the files.\n" +
			"Otherwise they come in the order of time, as Elasticsearch gives them.",
		Example: "  shrike query 'process where process.name : \"cmd.exe\"' events.ndjson\n  shrike query --size 10 'any where true' events.ndjson",
		Args:    cobra.MinimumNArgs(2),
		RunE:    func(c *cobra.Command, args []string) error { return p.query(c.Context(), args[0], args[1:], o) },
	}
	f := c.Flags()
	f.StringVarP(&o.output, "output", "o", "jsonl", "jsonl or json")
	f.StringVar(&o.timestamp, "timestamp-field", "@timestamp", "field that holds the time")
	f.StringVar(&o.tiebreaker, "tiebreaker-field", "", "field that orders events of the same time")
	f.StringVar(&o.category, "event-category-field", eql.DefaultCategoryField, "field that holds the event category")
	f.IntVar(&o.size, "size", 0, "most events to print (default: all)")
	f.StringVar(&o.position, "result-position", "tail", "which end of the results --size keeps: head or tail")
	f.BoolVar(&o.sort, "sort", false, "print in the order of time")
	o.input.add(c)
	return c
}

// match is an event that a query found.
type match struct {
	source []byte
	when   event.Time
	timed  bool
	tie    event.Value
	number int64 // in the order of the input
}

func (p *program) query(ctx context.Context, text string, paths []string, o queryOptions) error {
	switch {
	case o.position != "head" && o.position != "tail":
		return fmt.Errorf("unknown --result-position %q, expected head or tail", o.position)
	case o.output != "jsonl" && o.output != "json":
		return fmt.Errorf("unknown output %q; the outputs are jsonl, json", o.output)
	case o.size < 0:
		return fmt.Errorf("--size cannot be negative")
	}
	types, err := o.input.types()
	if err != nil {
		return failure(err)
	}
	q, err := p.parseQuery(text, types)
	if err != nil {
		return err
	}
	fields := event.NewFieldSet(types)
	cond, err := eql.Compile(q.Event, fields, eql.CompileOptions{CategoryField: o.category})
	if err != nil {
		return failure(err)
	}
	tie := event.NoField
	if o.tiebreaker != "" {
		tie = fields.Add(o.tiebreaker)
	}
	judge := func() pipeline.Judge[*match] {
		return pipeline.Judge[*match]{Decoder: event.NewDecoder(fields, o.timestamp), Event: func(ev *event.Event, emit func(*match)) {
			if !cond.Matches(ev) {
				return
			}
			m := &match{source: bytes.Clone(ev.Source), tie: ev.First(tie).Clone()}
			m.when, m.timed = ev.Time()
			emit(m)
		}}
	}
	src := p.open(paths, o.input)
	defer src.Close()
	r := newResults(q.Pipes, o)
	out := &documents{w: p.stdout, array: o.output == "json"}
	n := int64(0)
	emit := func(m *match) error {
		n++
		m.number = n
		if r == nil {
			return out.write(m.source)
		}
		r.add(m)
		return nil
	}
	sum, err := pipeline.Scan(ctx, src, judge, emit, pipeline.ScanOptions{Jobs: o.input.jobs, MaxEventBytes: o.input.maxEventBytes})
	if errors.Is(err, context.Canceled) {
		return &exitError{status: exitStopped}
	}
	if err == nil && r != nil {
		for _, m := range r.final() {
			if err = out.write(m.source); err != nil {
				break
			}
		}
	}
	if err == nil {
		err = out.close()
	}
	if err != nil {
		return failure(err)
	}
	return p.inputStatus(sum, src.Stats().Failed)
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
			fmt.Fprintln(p.stderr, problem.Text())
		}
		return nil, &exitError{status: exitUsage}
	}
	if q.Event == nil {
		return nil, failure(fmt.Errorf("sequences and samples cannot run yet"))
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

// newResults gives nil where results need no order.
func newResults(pipes []eql.Pipe, o queryOptions) *results {
	r := &results{}
	if o.size > 0 {
		// The size acts before the first pipe, in that pipe's direction.
		tail := o.position == "tail"
		if len(pipes) > 0 {
			tail = pipes[0].Name == "tail"
		}
		r.limits = append(r.limits, limit{tail, o.size})
	}
	for _, p := range pipes {
		r.limits = append(r.limits, limit{p.Name == "tail", p.Count})
	}
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

func (r *results) sort() {
	slices.SortFunc(r.list, func(a, b *match) int {
		return cmp.Or(compareTimed(a.timed, b.timed), a.when.Compare(b.when), compareTies(a.tie, b.tie), cmp.Compare(a.number, b.number))
	})
}

// compareTimed puts events without a time behind those with one.
func compareTimed(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	}
	return 1
}

// compareTies orders tiebreakers; a missing one is last.
func compareTies(a, b event.Value) int {
	switch {
	case a.IsNull() || b.IsNull():
		return compareTimed(!a.IsNull(), !b.IsNull())
	case a.IsNumber() && b.IsNumber():
		return cmp.Compare(a.Float(), b.Float())
	}
	return cmp.Compare(a.Text(), b.Text())
}

func (l limit) apply(list []*match) []*match {
	n := min(l.n, len(list))
	if l.tail {
		return slices.Clone(list[len(list)-n:])
	}
	return slices.Clone(list[:n])
}

func (r *results) final() []*match {
	r.sort()
	for _, l := range r.limits {
		r.list = l.apply(r.list)
	}
	return r.list
}

// documents prints documents, each on one line.
type documents struct {
	w     io.Writer
	array bool
	n     int
	buf   bytes.Buffer
}

func (d *documents) write(source []byte) error {
	d.buf.Reset()
	if d.array {
		d.buf.WriteString([]string{"[", ","}[min(d.n, 1)])
	}
	d.n++
	if err := json.Compact(&d.buf, source); err != nil {
		d.buf.Write(bytes.ReplaceAll(source, []byte("\n"), []byte(" "))) // as lenient as the decoder was
	}
	d.buf.WriteByte('\n')
	_, err := d.w.Write(d.buf.Bytes())
	return err
}

func (d *documents) close() error {
	if !d.array {
		return nil
	}
	end := "]\n"
	if d.n == 0 {
		end = "[]\n"
	}
	_, err := io.WriteString(d.w, end)
	return err
}
