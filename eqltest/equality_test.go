package eqltest_test

// Equality: the network of all conditions says of every event what each condition says
// by itself, whichever worker asks. "make equality" runs this at full size, also
// with the portable code.

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/predicate"
	"github.com/shrike-project/shrike/windows"
)

// equality is a network, the conditions in it, and what was compared so far.
type equality struct {
	names      []string
	conditions []*eql.Condition
	network    *predicate.Network
	workers    []*equalityWorker // the first asks about every event, the others share them

	events, hits int
	hit          []bool // by condition
}

// equalityWorker asks the network, and the conditions themselves.
type equalityWorker struct {
	decoder *event.Decoder
	matcher *predicate.Matcher
	ev      event.Event
}

// equalityWorkers are those that share the events, beside the one that sees all.
const equalityWorkers = 3

func newEquality(names []string, conditions []*eql.Condition, fields *event.FieldSet) *equality {
	e := &equality{names: names, conditions: conditions, network: predicate.Compile(conditions, fields), hit: make([]bool, len(conditions))}
	for range 1 + equalityWorkers {
		e.workers = append(e.workers, &equalityWorker{decoder: event.NewDecoder(fields, ""), matcher: e.network.NewMatcher()})
	}
	return e
}

// add compares what is said of some events. Those that are no events are left out.
func (e *equality) add(docs [][]byte) error {
	one, many, plain := make([][]int, len(docs)), make([][]int, len(docs)), make([][]int, len(docs))
	var wg sync.WaitGroup
	for k, w := range e.workers {
		wg.Go(func() {
			for i, doc := range docs {
				switch {
				case k == 0:
					if w.decoder.Decode(doc, &w.ev) == nil {
						one[i] = slices.Clone(w.matcher.Match(&w.ev))
					}
				case i%equalityWorkers == k-1:
					if w.decoder.Decode(doc, &w.ev) == nil {
						many[i] = slices.Clone(w.matcher.Match(&w.ev))
						plain[i] = e.holding(&w.ev)
					}
				}
			}
		})
	}
	wg.Wait()
	for i, doc := range docs {
		if !slices.Equal(one[i], plain[i]) {
			return e.differs(doc, plain[i], one[i], "one worker")
		}
		if !slices.Equal(many[i], plain[i]) {
			return e.differs(doc, plain[i], many[i], "several workers")
		}
		for _, c := range plain[i] {
			e.hit[c] = true
		}
		e.hits += len(plain[i])
	}
	e.events += len(docs)
	return nil
}

// holding asks each condition.
func (e *equality) holding(ev *event.Event) []int {
	var list []int
	for i, c := range e.conditions {
		if c.Matches(ev) {
			list = append(list, i)
		}
	}
	return list
}

func (e *equality) differs(doc []byte, want, got []int, by string) error {
	for i, c := range e.conditions {
		if holds := slices.Contains(want, i); holds != slices.Contains(got, i) {
			return fmt.Errorf("%s: %s\nevent %s\nholds: %v, the network of %s says %v", e.names[i], c.Query(), doc, holds, by, !holds)
		}
	}
	return fmt.Errorf("event %s: %v hold, the network of %s says %v", doc, want, by, got)
}

func (e *equality) conditionsHit() int {
	n := 0
	for _, hit := range e.hit {
		if hit {
			n++
		}
	}
	return n
}

func (e *equality) String() string {
	return fmt.Sprintf("%d conditions × %d events, %d hits of %d conditions, the network and the plain evaluator agree", len(e.conditions), e.events, e.hits, e.conditionsHit())
}

// network compares the network of a file's queries with the queries.
func (c *tally) network() {
	if len(c.asked) == 0 {
		return
	}
	fields := event.NewFieldSet(c.ds.types)
	var names []string
	var conditions []*eql.Condition
	for i, q := range c.asked {
		cond, err := eql.Compile(q, fields, eql.CompileOptions{})
		if err != nil {
			c.t.Errorf("%s: %s: %v", c.file, q, err)
			return
		}
		names, conditions = append(names, fmt.Sprintf("%s, event query %d", c.file, i+1)), append(conditions, cond)
	}
	e := newEquality(names, conditions, fields)
	var docs [][]byte
	for _, d := range c.ds.documents {
		docs = append(docs, d.json)
	}
	if err := e.add(docs); err != nil {
		c.t.Error(err)
		return
	}
	fmt.Printf("equality: %s: %s\n", c.file, e)
}

// corpusEquality is the equality of all rules of the corpus.
func corpusEquality(t *testing.T) *equality {
	fields := event.NewFieldSet(nil)
	var names []string
	var conditions []*eql.Condition
	for _, r := range corpus(t).Rules {
		if r.EQL == nil {
			continue
		}
		for _, q := range r.EQL.EventQueries() {
			cond, err := eql.Compile(q, fields, eql.CompileOptions{CategoryField: r.EventCategoryOverride, Labels: r.EQL.Label})
			if err != nil {
				continue // TestCorpusLoads tells which rules do not run
			}
			names, conditions = append(names, r.Name), append(conditions, cond)
		}
	}
	return newEquality(names, conditions, fields)
}

// equalitySize is how many generated events are compared, and of the real ones; a
// small part unless SHRIKE_EQUALITY_EVENTS says more.
func equalitySize(t *testing.T) int {
	text := os.Getenv("SHRIKE_EQUALITY_EVENTS")
	if text == "" {
		return 5_000
	}
	n, err := strconv.Atoi(text)
	if err != nil || n <= 0 {
		t.Fatalf("SHRIKE_EQUALITY_EVENTS is %q, expected a number of events", text)
	}
	return n
}

const equalityBatch = 4096

// TestEqualityOfCases compares over the events of the cases that were made for rules, all
// of which some rule fires on.
func TestEqualityOfCases(t *testing.T) {
	e := corpusEquality(t)
	var docs [][]byte
	for _, c := range ruleCases(t) {
		for _, doc := range c.Events {
			docs = append(docs, doc)
		}
	}
	if err := e.add(docs); err != nil {
		t.Fatal(err)
	}
	fmt.Printf("equality: rule cases: %s\n", e)
	if e.conditionsHit() < 200 {
		t.Errorf("%d conditions hold for some event: too few to tell anything", e.conditionsHit())
	}
}

// TestEqualityOfRealEvents compares over recorded events, as they are and as Windows
// records turned into ECS.
func TestEqualityOfRealEvents(t *testing.T) {
	e := corpusEquality(t)
	most := equalitySize(t)
	var docs [][]byte
	for _, pattern := range []string{"ecs/*.gz", "ecs-pairs/*.json", "eqllib/*", "windows-json/*"} {
		files, _ := filepath.Glob("../../shared/data/" + pattern)
		if len(files) == 0 {
			t.Skip("no shared data")
		}
		for _, name := range files {
			docs = append(docs, realEvents(t, name, max(1, most/len(files)/4))...)
		}
	}
	for batch := range slices.Chunk(docs, equalityBatch) {
		if err := e.add(batch); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Printf("equality: real events: %s\n", e)
	if e.hits < 100 {
		t.Errorf("%d hits: too few to tell anything", e.hits)
	}
}

// realEvents gives the first events of a file, and what Windows records among them are
// in ECS.
func realEvents(t *testing.T, name string, most int) [][]byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var r io.Reader = bytes.NewReader(text)
	if strings.HasSuffix(name, ".gz") {
		if r, err = gzip.NewReader(r); err != nil {
			t.Fatal(err)
		}
	}
	var docs [][]byte
	var parser windows.Parser
	var record windows.Record
	mapper := windows.NewMapper()
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 1<<24)
	for n := 0; n < most && sc.Scan(); n++ {
		doc := bytes.Clone(sc.Bytes())
		docs = append(docs, doc)
		if f := windows.Recognise(doc); f != windows.Native && parser.Parse(doc, f, &record) == nil {
			docs = append(docs, mapper.Append(nil, &record))
		}
	}
	if err := sc.Err(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return docs
}

// TestEqualityOfGeneratedEvents compares over events of a generator.
func TestEqualityOfGeneratedEvents(t *testing.T) {
	const generator = "../../shared/tools/genecs/main.go"
	if _, err := os.Stat(generator); err != nil {
		t.Skipf("no generator of events: %v", err)
	}
	e := corpusEquality(t)
	half := (equalitySize(t) + 1) / 2
	for seed, flags := range []string{"-shape=full -mix=all", "-shape=slim -mix=process"} {
		args := append([]string{"run", generator, "-hits=0.01", "-n", strconv.Itoa(half), "-seed", strconv.Itoa(seed + 1)}, strings.Fields(flags)...)
		cmd := exec.Command("go", args...)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		err = e.addLines(out)
		if waitErr := cmd.Wait(); err == nil {
			err = waitErr
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	fmt.Printf("equality: generated events: %s\n", e)
	if e.hits < e.events/100 {
		t.Errorf("%d hits: too few to tell anything", e.hits)
	}
}

// addLines compares over the events of a stream, batch by batch.
func (e *equality) addLines(r io.Reader) error {
	var docs [][]byte
	sc := bufio.NewScanner(r)
	sc.Buffer(nil, 1<<24)
	for sc.Scan() {
		if docs = append(docs, bytes.Clone(sc.Bytes())); len(docs) == equalityBatch {
			if err := e.add(docs); err != nil {
				_, _ = io.Copy(io.Discard, r) // or the generator waits for ever
				return err
			}
			docs = docs[:0]
		}
	}
	if err := sc.Err(); err != nil {
		return err
	}
	return e.add(docs)
}
