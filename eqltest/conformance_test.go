package eqltest_test

// Conformance: the vectors that say what a query must return, or how it must
// fail. Files are found below SHRIKE_CONFORMANCE and told apart by what they
// hold, so that a folder with other files of the same kinds runs as well.

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/shrike-project/shrike/eql"
)

// conformanceDir gives the folder of vectors, or skips the test.
func conformanceDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("SHRIKE_CONFORMANCE")
	if dir == "" {
		dir = defaultConformance
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("no conformance vectors: %v (set SHRIKE_CONFORMANCE)", err)
	}
	return dir
}

const defaultConformance = "../../shared/eql/conformance"

// tally counts the cases of one file.
type tally struct {
	t              *testing.T
	file           string
	passed, failed int
	skipped        map[string][]string // reason → cases
	// asked are the event queries that were run, and over which data.
	asked []*eql.EventQuery
	ds    *dataSet
}

func (c *tally) pass() { c.passed++ }

func (c *tally) fail(name, format string, args ...any) {
	c.failed++
	c.t.Errorf("%s: %s: %s", c.file, name, fmt.Sprintf(format, args...))
}

func (c *tally) skip(name, reason string) {
	if c.skipped == nil {
		c.skipped = map[string][]string{}
	}
	c.skipped[reason] = append(c.skipped[reason], name)
}

// check passes the case if err is nil.
func (c *tally) check(name string, err error) {
	if err != nil {
		c.fail(name, "%v", err)
		return
	}
	c.pass()
}

func (c *tally) print() {
	n := 0
	for _, names := range c.skipped {
		n += len(names)
	}
	fmt.Printf("%s: %d passed, %d failed, %d skipped\n", c.file, c.passed, c.failed, n)
	for _, reason := range slices.Sorted(mapsKeys(c.skipped)) {
		names := c.skipped[reason]
		fmt.Printf("    skipped %d: %s (%s)\n", len(names), reason, strings.Join(names, ", "))
	}
}

// vectorFile is everything a TOML file of vectors may hold.
type vectorFile struct {
	Queries []queryVector
	Case    []caseVector
	Schema  map[string]string
	groups  map[string]foldGroup
}

func TestConformance(t *testing.T) {
	dir := conformanceDir(t)
	files := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		c := &tally{t: t, file: filepath.ToSlash(name)}
		base := filepath.Base(path)
		switch {
		case strings.HasPrefix(base, "parse_") && filepath.Ext(base) == ".txt":
			runParseFile(c, path, strings.HasPrefix(base, "parse_ok"))
		case filepath.Ext(base) == ".toml":
			runVectorFile(c, path)
		default:
			return nil // data, mappings, prose
		}
		files++
		c.print()
		c.network()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files == 0 {
		t.Fatalf("no vectors below %s", dir)
	}
}

func runVectorFile(c *tally, path string) {
	text, err := os.ReadFile(path)
	if err != nil {
		c.fail("file", "%v", err)
		return
	}
	var v vectorFile
	if err := toml.Unmarshal(text, &v); err != nil {
		c.fail("file", "%v", err)
		return
	}
	if v.groups, err = foldGroups(text); err != nil {
		c.fail("file", "%v", err)
		return
	}
	python := strings.HasPrefix(filepath.Base(filepath.Dir(path)), "python")
	switch {
	case len(v.Queries) > 0 && python:
		runPythonQueries(c, path, v.Queries)
	case len(v.Queries) > 0:
		runQueries(c, path, v.Queries)
	case len(v.groups) > 0:
		runFoldGroups(c, v.groups)
	case len(v.Case) > 0:
		runCases(c, v)
	default:
		c.fail("file", "no vectors of a known kind")
	}
}
