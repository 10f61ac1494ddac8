package main

import (
	"context"
	"fmt"
	"os"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/pipeline"
	"github.com/shrike-project/shrike/rule"
)

type explainOptions struct {
	input  inputOptions
	index  indexOptions
	rules  []string
	rule   string
	output string
	full   bool
	keys   int
}

func (p *program) explainCommand() *cobra.Command {
	var o explainOptions
	c := &cobra.Command{
		Use:   "explain --rule RULE EVENT.json|-",
		Short: "Tell why a rule fired on an event, or did not",
		Long: "Tell why a rule fired on an event, or did not: its condition as a tree, each part true (✓), false (✗) or\n" +
			"unknown (?, the field is missing), with the values that decided.\n\n" +
			"Of a sequence it tells, for each value of its join keys, which events were which steps, and where each unfinished\n" +
			"match ended and why.\n\n" +
			"RULE is a rule file, or the name, rule_id or file name of a rule in --rules, or of a shipped rule.",
		Example: "  shrike explain --rule my_rule.toml event.json",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return p.explain(c.Context(), args, o) },
	}
	c.Flags().StringVar(&o.rule, "rule", "", "rule file, or name or rule_id of a rule")
	c.Flags().StringArrayVar(&o.rules, "rules", nil, "rule file or folder in which --rule is looked up; may be repeated (default: the shipped rules)")
	c.Flags().StringVarP(&o.output, "output", "o", "text", "text or json")
	c.Flags().BoolVar(&o.full, "full", false, "show every part, also of alternatives that did not apply")
	c.Flags().IntVar(&o.keys, "keys", 20, "most values of join keys to explain")
	_ = c.MarkFlagRequired("rule")
	o.index.add(c)
	o.input.add(c)
	return c
}

// explanation is what explain prints for an event.
type explanation struct {
	Rule  string `json:"rule"`
	Fires bool   `json:"fires"`
	// Unseen tells why the rule does not look at the event at all.
	Unseen string     `json:"unseen,omitempty"`
	Trace  *eql.Trace `json:"trace"`

	number int64
}

func (p *program) explain(ctx context.Context, paths []string, o explainOptions) error {
	if o.output != "text" && o.output != "json" {
		return fmt.Errorf("unknown output %q; the outputs are text, json", o.output)
	}
	types, err := o.input.types()
	if err != nil {
		return failure(err)
	}
	r, err := p.oneRule(o.rule, o.rules)
	if err != nil {
		return err
	}
	d := detect.New([]*rule.Rule{r}, detect.Options{Types: types, Deprecated: true, IgnoreIndex: o.index.ignore, Index: o.index.name})
	if s := d.Skipped(); len(s) > 0 {
		return failure(fmt.Errorf("rule %q cannot run: %s", r.Name, s[0].Reason))
	}
	src := p.open(paths, o.input)
	defer src.Close()
	var sum *pipeline.Summary
	if r.EQL.Event == nil {
		sum, err = p.explainSequence(ctx, src, d, r, o)
	} else {
		sum, err = p.explainEvents(ctx, src, d, r, o)
	}
	if err != nil {
		return failure(err)
	}
	if err := p.inputStatus(sum, src.Stats().Failed); err != nil {
		return err
	}
	if sum.Events == 0 {
		return failure(fmt.Errorf("no event in %s", strings.Join(paths, ", ")))
	}
	return nil
}

func (p *program) explainEvents(ctx context.Context, src pipeline.Source, d *detect.Detector, r *rule.Rule, o explainOptions) (*pipeline.Summary, error) {
	judge := func() pipeline.Judge[*explanation] {
		return pipeline.Judge[*explanation]{Decoder: d.NewDecoder(), Event: func(ev *event.Event, _ event.Extent, emit func(*explanation)) {
			t := d.Explain(r, ev)[0]
			unseen := d.Unseen(r, ev)
			emit(&explanation{Rule: r.Name, Fires: t.Result == eql.True && unseen == "", Unseen: unseen, Trace: t})
		}}
	}
	n := int64(0)
	return pipeline.Scan(ctx, src, judge, func(e *explanation, _ pipeline.Place) error {
		n++
		e.number = n
		return p.printExplanation(e, o)
	}, o.input.scan())
}

func (p *program) printExplanation(e *explanation, o explainOptions) error {
	if o.output == "json" {
		return encode(p.stdout, e)
	}
	verdict := colored(red, "fires")
	if !e.Fires {
		verdict = colored(green, "does not fire")
	}
	if _, err := fmt.Fprintf(p.text, "event %d: %s %s\n", e.number, bold(printable(e.Rule)), verdict); err != nil {
		return err
	}
	if e.Unseen != "" {
		if _, err := fmt.Fprintf(p.text, "  the rule does not look at the event: %s\n", printable(e.Unseen)); err != nil {
			return err
		}
	}
	return writeTrace(p.text, e.Trace, traceStyle{indent: "  ", width: p.width, full: o.full})
}

// inputStatus tells of documents that were skipped, and gives the exit status.
func (p *program) inputStatus(sum *pipeline.Summary, failedFiles int) error {
	for _, s := range sum.Samples {
		fmt.Fprintf(p.stderr, "shrike: %s: event skipped: %s\n", placeText(s.File, s.Line, s.Offset), printable(s.Detail))
	}
	if failedFiles > 0 || len(sum.Samples) > 0 {
		return &exitError{status: exitIncomplete}
	}
	return nil
}

// oneRule finds the rule a name stands for: a file, or a rule among those at paths
// or, without paths, among those that ship with Shrike.
func (p *program) oneRule(name string, paths []string) (*rule.Rule, error) {
	var set *rule.Set
	if _, err := os.Stat(name); err == nil && len(paths) == 0 {
		set = loadRules([]string{name})
	} else {
		set = loadRules(paths)
		set.Rules = rulesByName(set.Rules, name)
	}
	errs := p.reportProblems(set, false)
	switch n := len(set.Rules); {
	case n == 1 && !set.Rules[0].Broken():
		return set.Rules[0], nil
	case errs > 0:
		return nil, &exitError{status: exitIncomplete}
	case n == 0:
		return nil, failure(fmt.Errorf("no rule file and no rule is called %q", name))
	default:
		return nil, failure(fmt.Errorf("%q stands for %d rules; tell which with --rules PATH --rule NAME", name, n))
	}
}

// rulesByName finds rules by rule_id, name or the name of their file.
func rulesByName(list []*rule.Rule, name string) []*rule.Rule {
	var found []*rule.Rule
	for _, r := range list {
		base := path.Base(r.File)
		if r.RuleID == name || strings.EqualFold(r.Name, name) || base == name || strings.TrimSuffix(base, path.Ext(base)) == name {
			found = append(found, r)
		}
	}
	return found
}
