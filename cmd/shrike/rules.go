package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/rule"
)

func (p *program) rulesCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "rules",
		Short: "List, show and check rules, and tell what they cost",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("unknown command \"rules %s\"", args[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(
		p.rulesSubcommand("list [PATH…]", "List what was loaded, and whether it can run", p.listRules),
		p.rulesSubcommand("show [PATH…]", "Show rules as readable pages", p.showRules),
		p.rulesSubcommand("check [PATH…]", "Load rules and print every problem", p.checkRules),
		p.costCommand(),
	)
	return c
}

func (p *program) rulesSubcommand(use, short string, run func(*rule.Set, bool) error) *cobra.Command {
	var output string
	c := &cobra.Command{
		Use: use, Short: short,
		Long: short + ".\n\nA PATH is a rule file or a folder: detection-rules TOML, Kibana's NDJSON export, or a rule's documentation page.\n" +
			"Without one, the rules that ship with Shrike are meant.",
		RunE: func(_ *cobra.Command, args []string) error {
			if output != "text" && output != "json" {
				return fmt.Errorf("unknown output %q; the outputs are text, json", output)
			}
			return run(loadRules(args), output == "json")
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return c
}

// ruleEntry is a rule as "rules list -o json" gives it.
type ruleEntry struct {
	RuleID    string  `json:"rule_id"`
	Name      string  `json:"name"`
	Type      string  `json:"type"`
	Language  string  `json:"language"`
	Severity  string  `json:"severity"`
	RiskScore float64 `json:"risk_score"`
	Version   int     `json:"version"`
	Runs      bool    `json:"runs"`
	Reason    string  `json:"reason,omitempty"`
	File      string  `json:"file"`
	Line      int     `json:"line"`
}

// listing is what was loaded.
type listing struct {
	Files          int                 `json:"files"`
	Rules          []ruleEntry         `json:"rules"`
	ExceptionLists int                 `json:"exception_lists"`
	ExceptionItems int                 `json:"exception_items"`
	Connectors     int                 `json:"connectors"`
	UnknownObjects int                 `json:"unknown_objects"`
	SkippedFiles   map[string][]string `json:"skipped_files"`
	Problems       []rule.Problem      `json:"problems"`
}

func newListing(set *rule.Set) *listing {
	l := &listing{
		Files: set.Files, Rules: []ruleEntry{}, ExceptionLists: len(set.Lists), ExceptionItems: len(set.Items),
		Connectors: len(set.Connectors), UnknownObjects: set.Unknown, SkippedFiles: set.Skipped, Problems: set.AllProblems(),
	}
	if l.Problems == nil {
		l.Problems = []rule.Problem{}
	}
	reasons := map[int]string{}
	for _, s := range detect.New(set.Rules, detect.Options{}).Skipped() {
		reasons[s.Place] = s.Reason
	}
	for i, r := range set.Rules {
		reason := reasons[i]
		l.Rules = append(l.Rules, ruleEntry{
			RuleID: r.RuleID, Name: r.Name, Type: r.Type, Language: r.Language, Severity: r.Severity, RiskScore: r.RiskScore,
			Version: r.Version, Runs: reason == "", Reason: reason, File: r.File, Line: r.Line,
		})
	}
	return l
}

func (p *program) listRules(set *rule.Set, asJSON bool) error {
	l := newListing(set)
	if asJSON {
		if err := p.writeJSON(l); err != nil {
			return err
		}
		return setStatus(set)
	}
	nameWidth := max(30, min(60, p.width-70))
	fmt.Fprintln(p.text, bold(strings.Join([]string{fit("severity", severityWidth), "risk", fit("type", 8), fit("name", nameWidth), "runs"}, "  ")))
	runs := 0
	for _, r := range l.Rules {
		state := colored(green, "yes")
		if r.Runs {
			runs++
		} else {
			state = "no: " + printable(r.Reason)
		}
		fmt.Fprintln(p.text, strings.Join([]string{
			severityText(r.Severity, fit(r.Severity, severityWidth)), fmt.Sprintf("%4.0f", r.RiskScore), fit(r.Type, 8), fit(r.Name, nameWidth), state,
		}, "  "))
	}
	fmt.Fprintf(p.stderr, "%s in %s, %d can run\n", count(int64(len(l.Rules)), "rule"), count(int64(l.Files), "file"), runs)
	p.otherContents(l)
	p.reportProblems(set, false)
	return setStatus(set)
}

// otherContents tells of what was read beside rules.
func (p *program) otherContents(l *listing) {
	for _, c := range []struct {
		n    int
		noun string
	}{{l.ExceptionLists, "exception list"}, {l.ExceptionItems, "exception item"}, {l.Connectors, "connector"}, {l.UnknownObjects, "unknown object"}} {
		if c.n > 0 {
			fmt.Fprintf(p.stderr, "%s read, not used yet\n", count(int64(c.n), c.noun))
		}
	}
	for _, reason := range slices.Sorted(maps.Keys(l.SkippedFiles)) {
		fmt.Fprintf(p.stderr, "%s skipped: %s\n", count(int64(len(l.SkippedFiles[reason])), "file"), reason)
	}
}

// setStatus gives the exit status of a set: 1 if something in it is broken.
func setStatus(set *rule.Set) error {
	for _, problem := range set.AllProblems() {
		if !problem.Warning {
			return &exitError{status: exitIncomplete}
		}
	}
	return nil
}

func (p *program) checkRules(set *rule.Set, asJSON bool) error {
	if asJSON {
		if err := p.writeJSON(newListing(set)); err != nil {
			return err
		}
		return setStatus(set)
	}
	for _, problem := range set.AllProblems() {
		p.problem(p.text, problem)
	}
	l := newListing(set)
	broken, blocked := 0, 0
	for i, r := range set.Rules {
		switch {
		case r.Broken():
			broken++
		case !l.Rules[i].Runs:
			blocked++
		}
	}
	fmt.Fprintf(p.text, "%s in %s: %d fine, %d broken, %d cannot run yet or are withdrawn\n",
		count(int64(len(set.Rules)), "rule"), count(int64(set.Files), "file"), len(set.Rules)-broken-blocked, broken, blocked)
	p.otherContents(l)
	return setStatus(set)
}

// queryProblems shows the problems of a query on the command line as those of a
// file.
func queryProblems(text string, problems eql.Problems) []rule.Problem {
	lines := strings.Split(text, "\n")
	list := make([]rule.Problem, len(problems))
	for i, q := range problems {
		list[i] = rule.Problem{
			File: "query", Line: q.Span.Start.Line, Column: q.Span.Start.Column, Length: len([]rune(q.Span.Text(text))),
			Code: string(q.Code), Message: q.Message, Hint: q.Hint, Snippet: strings.TrimRight(lines[q.Span.Start.Line-1], "\r"),
		}
	}
	return list
}
