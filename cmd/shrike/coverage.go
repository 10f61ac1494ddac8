package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shrike-project/shrike/coverage"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/pipeline"
)

type coverageOptions struct {
	input      inputOptions
	rules      []string
	output     string
	all        bool
	index      indexOptions
	deprecated bool
}

func (p *program) coverageCommand() *cobra.Command {
	var o coverageOptions
	c := &cobra.Command{
		Use:   "coverage [flags] PATH…|-",
		Short: "Tell which rules the events at hand can decide",
		Long: "Tell which rules the events at hand can decide: by source of events, by rule, and by ATT&CK technique.\n\n" +
			"A rule is covered in full, degraded, or not about such events. Degraded rules have a test of fields that the source\n" +
			"never has: they are blind (they, or a branch of them, cannot fire) or noisy (an exemption never holds).\n" +
			"What Windows event logs can hold is known; of other sources, what their events at PATH hold counts.\n\n" +
			"Exit status: 0 finished; 1 something could not be read or loaded, the rest was done; 2 wrong usage;\n" +
			"130 stopped by a signal.",
		Example: "  shrike coverage --rules rules/ logs/\n  shrike coverage -o json events.ndjson",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return p.coverage(c.Context(), args, o) },
	}
	f := c.Flags()
	f.StringArrayVar(&o.rules, "rules", nil, "rule file or folder of rules; may be repeated (default: the shipped rules)")
	f.StringVarP(&o.output, "output", "o", "table", "table or json")
	f.BoolVar(&o.all, "all", false, "list in a table the rules that are not about such events too")
	f.BoolVar(&o.index.ignore, "ignore-index", false, "show every event to every rule, whatever its index patterns")
	f.BoolVar(&o.deprecated, "deprecated", false, "judge deprecated rules too")
	o.input.add(c)
	return c
}

func (p *program) coverage(ctx context.Context, paths []string, o coverageOptions) error {
	if o.output != "table" && o.output != "json" {
		return fmt.Errorf("unknown output %q; the outputs are table, json", o.output)
	}
	types, err := o.input.types()
	if err != nil {
		return failure(err)
	}
	set := loadRules(o.rules)
	problems := p.reportProblems(set, false)
	fields := event.NewFieldSet(types)
	var rules []*coverage.Rule
	for _, r := range set.Rules {
		if r.Deprecated() && !o.deprecated {
			continue
		}
		if c := coverage.Compile(r, coverage.Options{Types: types, IgnoreIndex: o.index.ignore}); c != nil {
			rules = append(rules, c)
			for _, f := range c.Fields() {
				fields.Add(f)
			}
		}
	}
	if len(rules) == 0 {
		return failure(fmt.Errorf("none of %d rules can run; \"shrike rules list\" tells why", len(set.Rules)))
	}
	src := p.open(paths, o.input)
	defer src.Close()
	seen, sum, err := observe(ctx, src, fields, o.input.scan())
	if errors.Is(err, context.Canceled) {
		return &exitError{status: exitStopped}
	}
	if err != nil {
		return failure(err)
	}
	rep := coverage.NewReport(rules, seen.Sources(coverage.Known()))
	if o.output == "json" {
		err = p.writeJSON(rep)
	} else {
		err = p.coverageTable(rep, o.all)
	}
	if err != nil {
		return err
	}
	if err := p.inputStatus(sum, src.Stats().Failed); err != nil {
		return err
	}
	if problems > 0 {
		return &exitError{status: exitIncomplete}
	}
	return nil
}

// observe runs a source to its end and notes which fields its events have.
func observe(ctx context.Context, src pipeline.Source, fields *event.FieldSet, opt pipeline.ScanOptions) (*coverage.Observer, *pipeline.Summary, error) {
	all := coverage.NewObserver(fields)
	var forks []*coverage.Observer
	newJudge := func() pipeline.Judge[struct{}] {
		o := all.Fork()
		forks = append(forks, o)
		return pipeline.Judge[struct{}]{
			Decoder: event.NewDecoder(fields, ""),
			Event:   func(ev *event.Event, _ event.Extent, _ func(struct{})) { o.Observe(ev) },
		}
	}
	sum, err := pipeline.Scan(ctx, src, newJudge, func(struct{}, pipeline.Place) error { return nil }, opt)
	for _, o := range forks {
		all.Merge(o)
	}
	return all, sum, err
}

// maxTestsShown bounds the tests that a table shows of one rule.
const maxTestsShown = 8

// coverageTable prints a report for people.
func (p *program) coverageTable(rep *coverage.Report, all bool) error {
	var b strings.Builder
	b.WriteString(bold(fit("source", 20)+"  "+fit("events", 12)+"  rules") + "\n")
	for _, s := range rep.Sources {
		fmt.Fprintf(&b, "%s  %s  %s\n", fit(s.Name, 20), fit(number(s.Events), 12), s.Counts)
	}
	ruleWidth := max(24, min(64, p.width-60))
	b.WriteString("\n" + bold(fit("rule", ruleWidth)+"  "+fit("coverage", 24)+"  source") + "\n")
	for i := range rep.Rules {
		r := &rep.Rules[i]
		if best := r.Best(); best.Status != coverage.NotApplicable || all {
			p.coverageRow(&b, r, ruleWidth)
		}
	}
	fmt.Fprintf(&b, "%s: %s\n", count(int64(len(rep.Rules)), "rule"), rep.Counts)
	if len(rep.Techniques) > 0 {
		b.WriteString("\n" + bold(fit("technique", 12)+"  "+fit("", ruleWidth)+"  full  degraded  none") + "\n")
		for _, t := range rep.Techniques {
			fmt.Fprintf(&b, "%s  %s  %4d  %8d  %4d\n", fit(t.ID, 12), fit(t.Name, ruleWidth), t.Full, t.Degraded, t.None)
		}
	}
	_, err := fmt.Fprint(p.text, b.String())
	return failure(err)
}

// coverageRow prints a rule on its best source, with the tests that are never decided.
func (p *program) coverageRow(b *strings.Builder, r *coverage.RuleReport, ruleWidth int) {
	best := r.Best()
	what := string(best.Status)
	switch {
	case best.Status == coverage.Degraded:
		what = best.Effects()
	case best.WithoutIndex != "":
		what = "other index patterns"
	}
	source := "-"
	if len(r.Sources) > 0 && best.Status != coverage.NotApplicable {
		source = r.Sources[0].Source
	}
	fmt.Fprintf(b, "%s  %s  %s\n", fit(r.Name, ruleWidth), coverageText(best, fit(what, 24)), printable(source))
	for i, l := range best.Lacks {
		if i == maxTestsShown {
			fmt.Fprintf(b, "    %s\n", faint(fmt.Sprintf("… %d more, see -o json", len(best.Lacks)-i)))
			break
		}
		fmt.Fprintf(b, "    %s\n", trim(printable(lackText(l)), max(40, p.width-5)))
	}
}

// lackText says in one line which test is never decided, and why.
func lackText(l coverage.Lack) string {
	why := "there are no such events"
	if len(l.Fields) > 0 {
		why = "no " + strings.Join(l.Fields, ", ")
	}
	at := fmt.Sprintf("line %d", l.Line)
	if l.Step != "" {
		at = "step " + l.Step + ", " + at
		if l.Step == "until" {
			at = "until, " + fmt.Sprintf("line %d", l.Line)
		}
	}
	return fmt.Sprintf("%s: %s: %s (%s)", l.Effect, at, trim(l.Test, 90), why)
}

// coverageText gives a text in the colour of a result.
func coverageText(r coverage.Result, shown string) string {
	switch {
	case r.Status == coverage.Full:
		return colored(green, shown)
	case r.Status == coverage.NotApplicable:
		return faint(shown)
	case r.Blind:
		return colored(red, shown)
	}
	return colored(yellow, shown)
}
