package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/pipeline"
	"github.com/shrike-project/shrike/source/file"
)

const (
	hitsGolden = "testdata/evidence/hits.tsv"
	judged     = "testdata/evidence/judged.tsv"
)

// TestHitsOfTheCorpus runs all Windows rules of the corpus over each file of the
// shared data that is Windows evidence, and then without regard to the rules' index
// patterns. Each hit, and each file without any, has to be in the list of those that
// somebody looked at. docs/evidence.md says how to read the two.
func TestHitsOfTheCorpus(t *testing.T) {
	dir, tmp := shared(t), t.TempDir()
	extract(t, sharedCorpus, tmp+"/corpus")
	set := loadRules([]string{tmp + "/corpus/rules/windows", tmp + "/corpus/rules/cross-platform", tmp + "/corpus/rules_building_block"})
	files := []string{dir + "host-logs-dism.tar.gz"}
	for _, pattern := range []string{"windows-json/*.gz", "evtx/*.evtx", "eqllib/*"} {
		names, _ := filepath.Glob(dir + pattern)
		files = append(files, names...)
	}
	for _, name := range extract(t, dir+"sigma-regression.tar.gz", tmp+"/sigma") {
		if filepath.Ext(name) == ".evtx" {
			files = append(files, name)
		}
	}
	slices.Sort(files)
	asWritten, anyIndex := detect.New(set.Rules, detect.Options{}), detect.New(set.Rules, detect.Options{IgnoreIndex: true})
	var b strings.Builder
	for _, name := range files {
		short := strings.TrimPrefix(strings.TrimPrefix(name, dir), tmp+"/")
		more := hitsOf(t, anyIndex, name)
		if len(more) == 0 { // nor with index patterns, which only leave out
			fmt.Fprintf(&b, "%s\tnone\t0\t0\n", short)
			continue
		}
		hits := hitsOf(t, asWritten, name)
		for _, id := range slices.Sorted(maps.Keys(more)) {
			fmt.Fprintf(&b, "%s\t%s\t%d\t%d\n", short, id, hits[id], more[id])
		}
	}
	compareGolden(t, b.String())
	allJudged(t, b.String())
}

// hitsOf counts the alerts on a file by rule, those of building blocks too.
func hitsOf(t *testing.T, d *detect.Detector, name string) map[string]int {
	t.Helper()
	hits := map[string]int{}
	p := newProgram(nil, io.Discard, io.Discard, nil)
	src := p.open([]string{name}, inputOptions{limits: file.DefaultLimits()})
	defer src.Close()
	_, _, err := pipeline.Detect(t.Context(), src, d, pipeline.DetectOptions{
		Run: alert.Run{Now: time.Unix(0, 0), UUID: "golden"}, Stream: detect.StreamOptions{Lateness: detect.Unlimited},
		Emit: func(a *alert.Alert) error {
			hits[a.Rule.RuleID]++
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return hits
}

func compareGolden(t *testing.T, got string) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(hitsGolden), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(hitsGolden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(hitsGolden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the hits differ from %s; -update writes it anew\ngot\n%s", hitsGolden, got)
	}
}

// allJudged holds the hits to the list of verdicts, which is written by hand.
func allJudged(t *testing.T, hits string) {
	t.Helper()
	pairs := func(text string, columns int) []string {
		var keys []string
		for line := range strings.Lines(text) {
			cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
			if len(cells) != columns || cells[columns-1] == "" {
				t.Fatalf("want %d columns: %q", columns, line)
			}
			keys = append(keys, cells[0]+"\t"+cells[1])
		}
		slices.Sort(keys)
		return keys
	}
	text, err := os.ReadFile(judged)
	if err != nil {
		t.Fatal(err)
	}
	seen, want := pairs(string(text), 3), pairs(hits, 4)
	for _, key := range want {
		if _, ok := slices.BinarySearch(seen, key); !ok {
			t.Errorf("%s: not judged in %s", key, judged)
		}
	}
	for i, key := range seen {
		if _, ok := slices.BinarySearch(want, key); !ok || i > 0 && seen[i-1] == key {
			t.Errorf("%s: judged in %s, and is no hit, or twice", key, judged)
		}
	}
}
