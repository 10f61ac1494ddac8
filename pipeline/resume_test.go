package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/pipeline"
	"github.com/shrike-project/shrike/rule"
)

// resumable is a source of batches that knows how many were acknowledged.
type resumable struct {
	batches
	acked int
}

// resumableEvents gives events that start processes and connect, in files of ten
// events; every other file is a minute late. It begins after so many batches.
func resumableEvents(from int) *resumable {
	src := &resumable{acked: from}
	for i := from; i < 16; i++ {
		b := event.Batch{Name: "f"}
		for k := range 10 {
			n := i*10 + k
			second := n
			if i%2 == 1 {
				second -= 15
			}
			category := []string{"process", "network", "file"}[n%3]
			when := time.Date(2026, 1, 1, 0, 0, second, 0, time.UTC).Format(time.RFC3339)
			b.Data = fmt.Appendf(b.Data, `{"_index":"i","_id":"%d","_source":{"@timestamp":%q,"event":{"category":%q},"host":{"id":"h%d"}}}`+"\n", n, when, category, n%2)
		}
		b.Ack = func() { src.acked++ }
		src.list = append(src.list, b)
	}
	return src
}

// killed is what was there at a moment at which a run might have been killed.
type killed struct {
	state  []byte
	alerts []string
}

// resumeRun runs with a journal, and gives the alerts and the moments.
func resumeRun(t *testing.T, state string, lateness time.Duration, ctx context.Context, stopAfter int) ([]string, []killed) {
	t.Helper()
	rules := []*rule.Rule{
		oneRule(t, "one", "any where event.category == \"file\""),
		oneRule(t, "two", "sequence by host.id with maxspan=10s [process where true] [network where true]"),
	}
	d := detect.New(rules, detect.Options{})
	j, err := pipeline.OpenJournal(state, d.Identity())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	from := 0
	for _, p := range j.Positions() {
		from, _ = strconv.Atoi(string(p))
	}
	src := resumableEvents(from)
	var alerts []string
	var moments []killed
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	_, _, err = pipeline.Detect(ctx, src, d, pipeline.DetectOptions{
		Scan: pipeline.ScanOptions{Jobs: 2}, Stream: detect.StreamOptions{Lateness: lateness},
		Emit: func(a *alert.Alert) error {
			alerts = append(alerts, a.ID)
			if len(alerts) == stopAfter {
				cancel()
			}
			return nil
		},
		Resume: &pipeline.Resume{
			Journal: j, Every: 1, Flush: func() error { return nil },
			Positions: func() [][]byte { return [][]byte{[]byte(strconv.Itoa(src.acked))} },
			Output: func() []byte {
				text, err := os.ReadFile(state)
				if err != nil {
					t.Fatal(err)
				}
				moments = append(moments, killed{text, slices.Clone(alerts)})
				return []byte("x")
			},
		},
	})
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	return alerts, moments
}

func oneRule(t *testing.T, id, query string) *rule.Rule {
	t.Helper()
	set := rule.Read(id+".toml", fmt.Appendf(nil, "[rule]\nrule_id = %q\nname = %q\ndescription = \"d\"\ntype = \"eql\"\nseverity = \"low\"\nrisk_score = 1\nquery = '''%s'''\n", id, id, query))
	for _, p := range set.AllProblems() {
		t.Fatal(p.Text())
	}
	return set.Rules[0]
}

// TestResume kills a run at every moment, and stops it after every alert: what both
// runs emit is what one would have.
func TestResume(t *testing.T) {
	dir := t.TempDir()
	n := 0
	state := func(content []byte) string {
		n++
		path := filepath.Join(dir, fmt.Sprint("state", n))
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	sorted := func(list ...string) string { slices.Sort(list); return strings.Join(list, "\n") }
	for _, lateness := range []time.Duration{detect.Unlimited, 5 * time.Second, time.Minute} {
		whole, moments := resumeRun(t, state(nil), lateness, t.Context(), 0)
		if len(whole) < 80 || len(moments) < 12 {
			t.Fatalf("%d alerts, %d moments", len(whole), len(moments))
		}
		for i, m := range moments {
			content := m.state
			if i%3 == 1 {
				content = append(slices.Clone(content), "A\x20torn"...)
			}
			rest, _ := resumeRun(t, state(content), lateness, t.Context(), 0)
			if got := sorted(append(slices.Clone(m.alerts), rest...)...); got != sorted(whole...) {
				t.Errorf("lateness %v, killed at moment %d: %d and %d alerts, expected %d", lateness, i, len(m.alerts), len(rest), len(whole))
			}
		}
		for stop := 1; stop < len(whole); stop += 17 {
			path := state(nil)
			first, _ := resumeRun(t, path, lateness, t.Context(), stop)
			rest, _ := resumeRun(t, path, lateness, t.Context(), 0)
			if sorted(append(first, rest...)...) != sorted(whole...) {
				t.Errorf("lateness %v, stopped after %d alerts: %d and %d alerts, expected %d", lateness, stop, len(first), len(rest), len(whole))
			}
			if again, _ := resumeRun(t, path, lateness, t.Context(), 0); len(again) > 0 {
				t.Errorf("lateness %v: %d alerts after the end", lateness, len(again))
			}
		}
	}
}

func TestJournalsOfOthersAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	f := func(content, scan, want string) {
		t.Helper()
		if content != "" {
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		before, _ := os.ReadFile(path)
		j, err := pipeline.OpenJournal(path, scan)
		if err == nil {
			_ = j.Close()
		}
		after, _ := os.ReadFile(path)
		if want == "" != (err == nil) || err != nil && (!errors.Is(err, pipeline.ErrJournal) || !strings.Contains(err.Error(), want) || string(before) != string(after)) {
			t.Errorf("error %v, expected %q; %d bytes became %d", err, want, len(before), len(after))
		}
	}
	f("", "rules a", "")
	f("", "rules a", "")
	f("", "rules b", "its rules or flags were others")
	f("{\"an\":\"event\"}\n", "rules a", "nor that of any")
	f("shrike scan state 1\nS\xff\xff\xff\xff\x03", "rules a", "") // killed as it began
}
