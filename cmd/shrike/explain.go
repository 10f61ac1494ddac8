package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
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
			"RULE is a rule file, or the name or rule_id of a shipped rule.",
		Example: "  shrike explain --rule my_rule.toml event.json",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return p.explain(c.Context(), args, o) },
	}
	c.Flags().StringVar(&o.rule, "rule", "", "rule file, or name or rule_id of a shipped rule")
	c.Flags().StringVarP(&o.output, "output", "o", "text", "text or json")
	c.Flags().BoolVar(&o.full, "full", false, "show every part, also of alternatives that did not apply")
	c.Flags().IntVar(&o.keys, "keys", 20, "most values of join keys to explain")
	_ = c.MarkFlagRequired("rule")
	o.input.add(c)
	return c
}

// explanation is what explain prints for an event.
type explanation struct {
	Rule  string     `json:"rule"`
	Fires bool       `json:"fires"`
	Trace *eql.Trace `json:"trace"`

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
	r, err := p.oneRule(o.rule)
	if err != nil {
		return err
	}
	d := detect.New([]*rule.Rule{r}, detect.Options{Types: types, Deprecated: true})
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
	return p.inputStatus(sum, src.Stats().Failed)
}

func (p *program) explainEvents(ctx context.Context, src pipeline.Source, d *detect.Detector, r *rule.Rule, o explainOptions) (*pipeline.Summary, error) {
	judge := func() pipeline.Judge[*explanation] {
		return pipeline.Judge[*explanation]{Decoder: d.NewDecoder(), Event: func(ev *event.Event, emit func(*explanation)) {
			t := d.Explain(r, ev)[0]
			emit(&explanation{Rule: r.Name, Fires: t.Result == eql.True, Trace: t})
		}}
	}
	n := int64(0)
	return pipeline.Scan(ctx, src, judge, func(e *explanation) error {
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
	if _, err := fmt.Fprintf(p.stdout, "event %d: %s %s\n", e.number, bold(printable(e.Rule)), verdict); err != nil {
		return err
	}
	return writeTrace(p.stdout, e.Trace, traceStyle{indent: "  ", width: p.width, full: o.full})
}

// inputStatus tells of documents that were skipped, and gives the exit status.
func (p *program) inputStatus(sum *pipeline.Summary, failedFiles int) error {
	for _, s := range sum.Samples {
		fmt.Fprintf(p.stderr, "shrike: %s:%d: event skipped: %s\n", s.File, s.Line, s.Detail)
	}
	if failedFiles > 0 || len(sum.Samples) > 0 {
		return &exitError{status: exitIncomplete}
	}
	return nil
}

// oneRule finds the rule a name stands for: a file, or a shipped rule.
func (p *program) oneRule(name string) (*rule.Rule, error) {
	var set *rule.Set
	if _, err := os.Stat(name); err == nil {
		set = loadRules([]string{name})
	} else {
		set = loadRules(nil)
		set.Rules = shippedByName(set.Rules, name)
		if len(set.Rules) == 0 {
			return nil, failure(fmt.Errorf("no rule file and no shipped rule is called %q", name))
		}
	}
	if p.reportProblems(set, false) > 0 {
		return nil, &exitError{status: exitIncomplete}
	}
	if len(set.Rules) != 1 {
		return nil, failure(fmt.Errorf("%s holds %d rules, expected one", name, len(set.Rules)))
	}
	return set.Rules[0], nil
}

// shippedByName finds rules by rule_id, name or the name of their file.
func shippedByName(list []*rule.Rule, name string) []*rule.Rule {
	var found []*rule.Rule
	for _, r := range list {
		file := strings.TrimSuffix(r.File[strings.LastIndexByte(r.File, '/')+1:], ".toml")
		if r.RuleID == name || strings.EqualFold(r.Name, name) || file == strings.TrimSuffix(name, ".toml") {
			found = append(found, r)
		}
	}
	return found
}

// writeJSON prints a value as indented JSON.
func (p *program) writeJSON(v any) error {
	enc := json.NewEncoder(p.stdout)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return failure(enc.Encode(v))
}
