package main

// What rules cost: under which witness the network has filed each, and, over somebody's
// events, how often it is looked at and how long that takes.

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/pipeline"
	"github.com/shrike-project/shrike/predicate"
)

// costOptions are the flags of rules cost.
type costOptions struct {
	data   []string
	output string
	input  inputOptions
}

func (p *program) costCommand() *cobra.Command {
	var o costOptions
	c := &cobra.Command{
		Use:   "cost [flags] [PATH…]",
		Short: "Tell what each rule costs, the dear ones first",
		Long: "Tell what each rule costs, the dear ones first.\n\n" +
			"A rule is filed under a witness: a value or text without which it cannot hold. Events that lack it are never\n" +
			"looked at. With --data, rules are run over events, and the share of events looked at and the time that takes\n" +
			"are measured; without, the witness alone tells what to expect.",
		Example: "  shrike rules cost rules/\n  shrike rules cost rules/ --data events.ndjson -o json",
		RunE:    func(c *cobra.Command, args []string) error { return p.ruleCosts(c.Context(), args, o) },
	}
	c.Flags().StringArrayVar(&o.data, "data", nil, "`FILE` or folder of events to measure with; may be repeated")
	c.Flags().StringVarP(&o.output, "output", "o", "table", "table or json")
	o.input.add(c)
	return c
}

// costReport is what "rules cost -o json" gives. What only data can tell is missing
// without.
type costReport struct {
	Measured bool   `json:"measured"`
	Events   *int64 `json:"events,omitempty"`
	// The time an event that all rules take together.
	NetworkNs *float64    `json:"network_ns_per_event,omitempty"`
	Rules     []costEntry `json:"rules"`
}

// costEntry is a rule and what it costs.
type costEntry struct {
	RuleID   string        `json:"rule_id"`
	Name     string        `json:"name"`
	File     string        `json:"file"`
	Queries  []queryFiling `json:"event_queries"`
	Estimate string        `json:"estimate"`
	Looked   *float64      `json:"looked_share,omitempty"`
	Hits     *int64        `json:"hits,omitempty"`
	Ns       *float64      `json:"ns_per_event,omitempty"`
	Hint     string        `json:"hint,omitempty"`
	witness  predicate.Witness
	dear     bool
}

// queryFiling tells how an event query is filed.
type queryFiling struct {
	Division []string `json:"division"`
	Witness  string   `json:"witness"`
	Fields   []string `json:"fields"`
	Texts    []string `json:"texts"`
	Dear     bool     `json:"dear"`
}

func (p *program) ruleCosts(ctx context.Context, paths []string, o costOptions) error {
	if o.output != "table" && o.output != "json" {
		return fmt.Errorf("unknown output %q; the outputs are table, json", o.output)
	}
	types, err := o.input.types()
	if err != nil {
		return failure(err)
	}
	set := loadRules(paths)
	p.reportProblems(set, false)
	d := detect.New(set.Rules, detect.Options{Types: types, IgnoreIndex: true})
	start := time.Now()
	meter := d.NewMeter(func() time.Duration { return time.Since(start) })
	status := setStatus(set)
	if len(o.data) > 0 {
		if err := p.measure(ctx, d, meter, o); err != nil {
			var exit *exitError
			if !errors.As(err, &exit) || exit.err != nil || exit.status == exitStopped {
				return err
			}
			status = err
		}
	}
	report := newCostReport(meter, len(o.data) > 0)
	if o.output == "json" {
		err = p.writeJSON(report)
	} else {
		p.printCosts(report, len(d.Skipped()))
	}
	return cmp.Or(err, status)
}

// measure runs the rules over the data.
func (p *program) measure(ctx context.Context, d *detect.Detector, meter *detect.Meter, o costOptions) error {
	src := p.open(o.data, o.input)
	defer src.Close()
	scan := o.input.scan()
	scan.Jobs = 1 // a time that two workers share tells nothing
	judge := func() pipeline.Judge[struct{}] {
		return pipeline.Judge[struct{}]{Decoder: d.NewDecoder(), Event: func(ev *event.Event, _ event.Extent, _ func(struct{})) { meter.Match(ev) }}
	}
	sum, err := pipeline.Scan(ctx, src, judge, func(struct{}, pipeline.Place) error { return nil }, scan)
	switch {
	case errors.Is(err, context.Canceled):
		return &exitError{status: exitStopped}
	case err != nil:
		return failure(err)
	}
	return p.inputStatus(sum, src.Stats().Failed)
}

func newCostReport(meter *detect.Meter, measured bool) *costReport {
	costs, total := meter.Costs()
	r := &costReport{Measured: measured, Rules: []costEntry{}}
	events := float64(max(1, total.Events))
	if measured {
		took := float64(total.Took) / events
		r.Events, r.NetworkNs = &total.Events, &took
	}
	for i := range costs {
		e := newCostEntry(&costs[i])
		if measured {
			looked, ns := float64(costs[i].Looked)/events, float64(costs[i].Took)/events
			e.Looked, e.Hits, e.Ns = &looked, &costs[i].Hits, &ns
		}
		r.Rules = append(r.Rules, e)
	}
	slices.SortStableFunc(r.Rules, func(a, b costEntry) int {
		if measured {
			if c := cmp.Or(cmp.Compare(*b.Ns, *a.Ns), cmp.Compare(*b.Looked, *a.Looked)); c != 0 {
				return c
			}
		}
		return cmp.Or(cmp.Compare(b.witness, a.witness), compareBool(b.dear, a.dear), cmp.Compare(a.Name, b.Name))
	})
	return r
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

func newCostEntry(c *detect.RuleCost) costEntry {
	e := costEntry{RuleID: c.Rule.RuleID, Name: c.Rule.Name, File: c.Rule.File}
	for i, f := range c.Filings {
		e.Queries = append(e.Queries, queryFiling{list(f.Division), f.Witness.String(), list(f.Fields), list(f.Texts), f.Dear})
		if i == 0 || f.Witness > e.witness || f.Witness == e.witness && f.Dear && !e.dear {
			e.witness, e.dear = f.Witness, f.Dear
			e.Hint = hint(f, c.Rule.EQL.EventQueries()[i].Category)
		}
	}
	e.Estimate = estimate(e.witness, e.dear)
	return e
}

// list makes JSON of no texts an empty array.
func list(texts []string) []string { return append([]string{}, texts...) }

// estimate says from the witness alone what to expect.
func estimate(w predicate.Witness, dear bool) string {
	switch {
	case w < predicate.Literal:
		return "low"
	case w == predicate.Literal:
		return "fair"
	case dear:
		return "very high"
	}
	return "high"
}

// telling gives the fields that tell most about events of a category, to add to rules that
// look at all of them.
func telling(category string) string {
	return map[string]string{
		"process": "process.name", "file": "file.name or file.extension", "registry": "registry.path", "network": "process.name or destination.port",
		"dns": "dns.question.name", "library": "dll.name", "driver": "dll.name", "iam": "event.action", "authentication": "event.action", "api": "process.Ext.api.name",
	}[category]
}

// hint says what would make a rule cheaper, "" if it is cheap already.
func hint(f predicate.Filing, category string) string {
	if f.Witness != predicate.Always {
		return ""
	}
	events, add := "event", "a value, or a text of three characters, of some field"
	if category != "any" && category != "" {
		events, add = category+" event", cmp.Or(telling(category), add)
	}
	if others := slices.DeleteFunc(slices.Clone(f.Division), func(s string) bool { return s == category }); len(others) > 0 {
		for i, s := range others {
			others[i] = trim(s, 30)
		}
		events += " (" + strings.Join(others, ", ") + ")"
	}
	text := "no value and no literal of three characters: every " + events + " is looked at; add " + add
	if f.Dear {
		text += "; its patterns, functions and comparisons of fields are dear"
	}
	return text
}

func (p *program) printCosts(r *costReport, skipped int) {
	width := max(30, min(60, p.width-90))
	head := []string{fit("estimate", 9)}
	if r.Measured {
		head = []string{"ns/event", " looked at", fit("     hits", 9)}
	}
	fmt.Fprintln(p.text, bold(strings.Join(append(head, fit("name", width), "filed under"), "  ")))
	for _, e := range r.Rules {
		row := []string{fit(e.Estimate, 9)}
		if r.Measured {
			row = []string{fmt.Sprintf("%8.1f", *e.Ns), fmt.Sprintf("%8.3f %%", 100**e.Looked), fmt.Sprintf("%9d", *e.Hits)}
		}
		name := e.Name
		for i, q := range e.Queries {
			if i > 0 {
				row, name = []string{strings.Repeat(" ", len(strings.Join(row, "  ")))}, ""
			}
			fmt.Fprintln(p.text, strings.Join(append(slices.Clone(row), fit(name, width), printable(q.text())), "  "))
		}
		if e.Hint != "" {
			fmt.Fprintln(p.text, "    "+faint(printable(e.Hint)))
		}
	}
	fmt.Fprintf(p.stderr, "%s", count(int64(len(r.Rules)), "rule"))
	if skipped > 0 {
		fmt.Fprintf(p.stderr, ", %d others do not run", skipped)
	}
	if r.Measured {
		fmt.Fprintf(p.stderr, "; %s, %.0f ns an event for all rules together\n", count(*r.Events, "event"), *r.NetworkNs)
		return
	}
	fmt.Fprintln(p.stderr, "; estimated from the witnesses alone, --data FILE measures")
}

// text says on one line how an event query is filed.
func (q *queryFiling) text() string {
	const most = 3
	var parts []string
	if len(q.Division) > 0 {
		parts = append(parts, trim(strings.Join(q.Division, ", "), 60))
	}
	what := "always looked at"
	if len(q.Fields) > 0 {
		texts := q.Texts
		if len(texts) > most {
			texts = append(slices.Clone(texts[:most]), fmt.Sprintf("%d more", len(q.Texts)-most))
		}
		what = q.Witness + " " + strings.Join(q.Fields, " or ") + ": " + strings.Join(texts, ", ")
	} else if q.Witness == predicate.Never.String() {
		what = "never: it cannot hold"
	}
	return strings.Join(append(parts, what), "; ")
}
