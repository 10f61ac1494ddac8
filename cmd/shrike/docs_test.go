package main

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// tail collects what a command prints.
type tail []byte

func (t *tail) Write(p []byte) (int, error) { *t = append(*t, p...); return len(p), nil }

func (t tail) contains(s string) bool { return strings.Contains(string(t), s) }

var consoleBlock = regexp.MustCompile("(?s)```console\n(.*?)```")

// TestDocs runs the commands shown in the documentation, in the project's folder,
// and compares what they print to standard output with what is shown.
func TestDocs(t *testing.T) {
	t.Chdir("../..")
	pages, _ := filepath.Glob("docs/*.md")
	ran := 0
	for _, page := range append(pages, "README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range consoleBlock.FindAllStringSubmatch(string(text), -1) {
			for _, session := range strings.Split("\n"+block[1], "\n$ ")[1:] {
				line, want, _ := strings.Cut(session, "\n")
				args := shellWords(line)
				if len(args) == 0 || args[0] != "shrike" {
					continue
				}
				ran++
				var out, errs tail
				newProgram(strings.NewReader(""), &out, &errs, nil).run(context.Background(), args[1:])
				if got := strings.TrimSpace(trimLines(string(out))); got != strings.TrimSpace(want) {
					t.Errorf("%s: $ %s\nprints\n%s\nthe page shows\n%s\n(standard error: %s)", page, line, got, strings.TrimSpace(want), errs)
				}
			}
		}
	}
	if ran < 5 {
		t.Errorf("only %d commands found in the documentation", ran)
	}
}

func trimLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " \r")
	}
	return strings.Join(lines, "\n")
}

// shellWords splits a command line at blanks outside of single quotes.
func shellWords(s string) []string {
	var words []string
	var b strings.Builder
	quoted, any := false, false
	for _, r := range s {
		switch {
		case r == '\'':
			quoted, any = !quoted, true
		case r == ' ' && !quoted:
			if any {
				words = append(words, b.String())
			}
			b.Reset()
			any = false
		default:
			b.WriteRune(r)
			any = true
		}
	}
	if any {
		words = append(words, b.String())
	}
	return words
}
