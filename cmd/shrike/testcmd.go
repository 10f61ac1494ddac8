package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/shrike-project/shrike/eqltest"
)

func (p *program) testCommand() *cobra.Command {
	var output string
	var update bool
	c := &cobra.Command{
		Use:   "test PATH…",
		Short: "Run the test scripts that stand beside rules",
		Long: "Run test scripts: files that end in .test, with events, a rule or a query, and what is expected of it.\n\n" +
			"A PATH is a script or a folder of them.",
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if output != "text" && output != "json" {
				return fmt.Errorf("unknown output %q; the outputs are text, json", output)
			}
			return p.test(args, output == "json", update)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	c.Flags().BoolVar(&update, "update", false, "rewrite expectations to what happens; read the difference before you keep it")
	return c
}

// testReport is what test prints as JSON.
type testReport struct {
	Files    int           `json:"files"`
	Passed   int           `json:"passed"`
	Failed   int           `json:"failed"`
	Updated  int           `json:"updated"`
	Failures []testFailure `json:"failures"`
}

type testFailure struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Case    string `json:"case,omitempty"`
	Message string `json:"message"`
}

func (p *program) test(paths []string, asJSON, update bool) error {
	report := testReport{Failures: []testFailure{}}
	for _, path := range paths {
		err := filepath.WalkDir(path, func(name string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if d.IsDir() || name != path && !eqltest.IsScript(name) {
				return nil
			}
			return report.runFile(name, update)
		})
		if err != nil {
			return failure(fmt.Errorf("read tests: %w", err))
		}
	}
	if report.Files == 0 {
		return failure(fmt.Errorf("no test script in %s; their names end in .test", strings.Join(paths, ", ")))
	}
	if asJSON {
		if err := p.writeJSON(report); err != nil {
			return err
		}
	} else {
		p.printReport(&report)
	}
	if report.Failed > 0 {
		return &exitError{status: exitIncomplete}
	}
	return nil
}

func (p *program) printReport(report *testReport) {
	for _, f := range report.Failures {
		title := ""
		if f.Case != "" {
			title = f.Case + ": "
		}
		fmt.Fprintf(p.text, "%s:%d: %s\n", printable(f.File), f.Line, safeText(title+f.Message))
	}
	fmt.Fprintf(p.text, "%s: %s passed, %d failed", count(int64(report.Files), "script"), count(int64(report.Passed), "case"), report.Failed)
	if report.Updated > 0 {
		fmt.Fprintf(p.text, ", %d updated", report.Updated)
	}
	fmt.Fprintln(p.text)
}

func (r *testReport) runFile(name string, update bool) error {
	r.Files++
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	dir, base := filepath.Split(name)
	if dir == "" {
		dir = "."
	}
	script, err := eqltest.ParseScript(base, text)
	if err != nil {
		r.Failed++
		f := testFailure{File: filepath.ToSlash(name), Line: 1, Message: err.Error()}
		if se, ok := err.(*eqltest.ScriptError); ok {
			f.Line, f.Message = se.Line, se.Message
		}
		r.Failures = append(r.Failures, f)
		return nil
	}
	changes := map[int]eqltest.Expectation{}
	for _, res := range script.Run(os.DirFS(dir)) {
		switch {
		case res.Err == nil:
			r.Passed++
		case update && res.Actual.Known():
			r.Updated++
			changes[res.Case.Line] = res.Actual
		default:
			r.Failed++
			r.Failures = append(r.Failures, testFailure{filepath.ToSlash(name), res.Case.Line, res.Case.Title, res.Err.Error()})
		}
	}
	if len(changes) > 0 {
		return os.WriteFile(name, []byte(script.Update(changes)), 0o644)
	}
	return nil
}

// durationText writes a time without its empty parts: 5m instead of 5m0s.
func durationText(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
