package main

// Rules named on the command line.

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/shrike-project/shrike/pipeline"
	"github.com/shrike-project/shrike/rule"
	"github.com/shrike-project/shrike/rules"
)

// loadRules reads the rules at paths, or those that ship with Shrike. What could
// not be read is among the problems of the set.
func loadRules(paths []string) *rule.Set {
	l := rule.NewLoader()
	l.Each = pipeline.OnAllProcessors
	if len(paths) == 0 {
		if err := l.Load(rules.FS, ".", "shipped"); err != nil {
			panic("the shipped rules cannot be read: " + err.Error())
		}
		return l.Set()
	}
	for _, path := range paths {
		dir, name := filepath.Split(filepath.Clean(path))
		if dir == "" {
			dir = "."
		}
		if name == ".." || name == string(filepath.Separator) {
			dir, name = path, "."
		}
		display := filepath.ToSlash(dir)
		if display == "./" || display == "." {
			display = ""
		}
		if err := l.Load(os.DirFS(dir), name, display); err != nil {
			set := l.Set()
			set.Problems = append(set.Problems, rule.Problem{File: path, Code: "unreadable", Message: pathError(err)})
		}
	}
	return l.Set()
}

// pathError gives the reason of a file error without the file's name, which the
// message has already.
func pathError(err error) string {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err.Error()
	}
	return err.Error()
}

// problem prints one problem. Files hold what they like, so that what would move
// the cursor is shown as a sign of its own.
func (p *program) problem(w io.Writer, problem rule.Problem) {
	problem.File, problem.Message, problem.Hint = printable(problem.File), safeText(problem.Message), safeText(problem.Hint)
	problem.Snippet = strings.Map(func(r rune) rune {
		if r == '\t' || r == ' ' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar // one for one: the marks below it stay in place
	}, problem.Snippet)
	fmt.Fprintln(w, problem.Text())
}

// reportProblems prints the errors of a set, and its warnings if asked. It gives
// the number of errors.
func (p *program) reportProblems(set *rule.Set, warnings bool) int {
	errs := 0
	for _, problem := range set.AllProblems() {
		if !problem.Warning {
			errs++
		}
		if !problem.Warning || warnings {
			p.problem(p.stderr, problem)
		}
	}
	return errs
}
