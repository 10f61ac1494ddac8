package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/config"
	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/pipeline"
	"github.com/shrike-project/shrike/rule"
	"github.com/shrike-project/shrike/server"
	"github.com/shrike-project/shrike/source/file"
	"github.com/shrike-project/shrike/store"
)

// liveIndex is the index that all events are of.
const liveIndex = "logs-test-default"

// timedDoc is an event with its time.
type timedDoc struct {
	at  time.Time
	doc []byte
}

var secondReport = regexp.MustCompile(`"same_start":`)

// sharedEvents gives all events of the shared data, as they are judged, up to so many of
// each file.
func sharedEvents(t *testing.T, most int) []timedDoc {
	t.Helper()
	dir := shared(t)
	var events []timedDoc
	for _, pattern := range []string{"windows-json/*.gz", "evtx/*.evtx", "eqllib/*", "ecs/*", "rule-cases/*", "host-logs-dism.tar.gz"} {
		names, _ := filepath.Glob(dir + pattern)
		for _, name := range names {
			var out bytes.Buffer
			newProgram(nil, &out, io.Discard, nil).run(t.Context(), []string{"query", "--jobs", "1", "any where true", "--size", fmt.Sprint(most), "--result-position", "head", name})
			for line := range bytes.Lines(out.Bytes()) {
				var e struct {
					Time time.Time `json:"@timestamp"`
				}
				if json.Unmarshal(line, &e) == nil && !e.Time.IsZero() {
					// A scan leaves out alerts on the second report of a start, a server does not.
					doc := secondReport.ReplaceAll(bytes.TrimSpace(line), []byte(`"first_report":`))
					events = append(events, timedDoc{e.Time, doc})
				}
			}
		}
	}
	return events
}

// TestLiveIsScan sends the shared data to a server, out of order within the lateness, and
// holds its alerts to those of a scan: the rules of the corpus, and all of their ids.
func TestLiveIsScan(t *testing.T) {
	const lateness = 30 * time.Second
	events := sharedEvents(t, 500)
	tmp := t.TempDir()
	extract(t, sharedCorpus, tmp)
	paths := []string{filepath.Join(tmp, "rules"), filepath.Join(tmp, "rules_building_block")}
	rng := rand.New(rand.NewPCG(7, 8))
	for i := range events { // an event comes up to the lateness too late
		events[i].at = events[i].at.Add(time.Duration(rng.Int64N(int64(lateness))))
	}
	slices.SortStableFunc(events, func(a, b timedDoc) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
	last := events[len(events)-1].at.Add(365 * 24 * time.Hour)
	events = append(events, timedDoc{last, fmt.Appendf(nil, `{"@timestamp":%q,"event":{"category":["none"]}}`, last.UTC().Format(time.RFC3339Nano))})
	var all bytes.Buffer
	for _, e := range events {
		fmt.Fprintf(&all, "{\"_index\":%q,\"_source\":%s}\n", liveIndex, e.doc)
	}
	scanned := idsOfScan(t, paths, all.Bytes())
	live := idsOfServer(t, paths, events, lateness)
	missing, extra, sequences := 0, 0, 0
	for id, name := range scanned {
		if !live[id] {
			if missing++; missing < 10 {
				t.Logf("missing: %s", name)
			}
		}
	}
	for id := range live {
		if scanned[id] == "" {
			extra++
		}
	}
	for _, name := range scanned {
		if bytes.HasSuffix([]byte(name), []byte(" (sequence)")) {
			sequences++
		}
	}
	if missing > 0 || extra > 0 || len(scanned) < 100 || sequences < 10 {
		t.Errorf("%d alerts of a scan, %d of them of sequences; %d are missing live, %d are live alone", len(scanned), sequences, missing, extra)
	}
	t.Logf("live: %d events out of order, %d alerts as in a scan, %d of them of sequences", len(events), len(scanned), sequences)
}

// idsOfScan gives the alerts of a scan with the names of their rules.
func idsOfScan(t *testing.T, paths []string, docs []byte) map[string]string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "events.ndjson")
	if err := os.WriteFile(name, docs, 0o600); err != nil {
		t.Fatal(err)
	}
	src := newProgram(nil, io.Discard, io.Discard, nil).open([]string{name}, inputOptions{limits: file.DefaultLimits()})
	defer src.Close()
	ids := map[string]string{}
	_, _, err := pipeline.Detect(t.Context(), src, detect.New(loadRules(paths).Rules, detect.Options{IgnoreIndex: true}), pipeline.DetectOptions{
		Stream: detect.StreamOptions{Lateness: detect.Unlimited},
		Emit: func(a *alert.Alert) error {
			ids[a.ID] = a.RuleName
			if len(a.Steps) > 0 {
				ids[a.ID] += " (sequence)"
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// idsOfServer sends events to a server in blocks and gives the ids of its alerts.
func idsOfServer(t *testing.T, paths []string, events []timedDoc, lateness time.Duration) map[string]bool {
	t.Helper()
	cfg := config.Default()
	cfg.Data, cfg.Listen.Address, cfg.Rules = filepath.Join(t.TempDir(), "data"), "127.0.0.1:0", paths
	cfg.Detect.Lateness, cfg.Detect.IgnoreIndex, cfg.Detect.Waiting = config.Duration(lateness), true, 1<<30
	s, err := server.Open(t.Context(), server.Options{Config: cfg, LoadRules: func(p []string) *rule.Set { return loadRules(p) }, Version: "test", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	for block := range slices.Chunk(events, 500) {
		var body bytes.Buffer
		for _, e := range block {
			fmt.Fprintf(&body, "{\"create\":{\"_index\":%q}}\n%s\n", liveIndex, e.doc)
		}
		req, _ := http.NewRequest(http.MethodPost, s.Address()+"/_bulk", &body)
		req.Header.Set("Authorization", "ApiKey "+s.FirstKey())
		answer, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		var said struct{ Errors bool }
		if json.Unmarshal(text, &said) != nil || answer.StatusCode != http.StatusOK || said.Errors {
			t.Fatalf("%d: %.1000s", answer.StatusCode, text)
		}
	}
	cancel() // what was taken is judged and stored
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), server.StorePath(cfg))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	ids := map[string]bool{}
	if err := st.IDs(t.Context(), func(id string) { ids[id] = true }); err != nil {
		t.Fatal(err)
	}
	return ids
}
