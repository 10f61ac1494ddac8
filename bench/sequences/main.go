// Command sequences measures what sequence rules keep in memory, and writes
// bench/SEQUENCES.md.
//
//	go run ./bench/sequences [-keys N] [-passes N]
//
// Twenty sequence rules see a stream in which every key has one event in each
// pass: the first step of one of the rules, or, for one key in ten, the second step
// that completes the match of the pass before. A pass takes as long as maxspan, so
// that from the second pass on as many unfinished matches expire as begin.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"runtime"
	"strings"
	"time"
	"unsafe"

	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/rule"
	"github.com/shrike-project/shrike/sequence"
)

const (
	rules   = 20
	maxSpan = 10 * time.Minute
)

func main() {
	keys := flag.Int("keys", 1_000_000, "distinct join keys")
	passes := flag.Int("passes", 10, "events of each key")
	flag.Parse()
	log.SetFlags(0)
	if err := run(*keys, *passes); err != nil {
		log.Fatal("bench: ", err)
	}
}

// load is the stream, and the rules that follow it.
type load struct {
	keys    int
	d       *detect.Detector
	stream  *detect.Stream
	decoder *event.Decoder
	matcher *detect.Matcher
	ev      event.Event
	hits    detect.Hits
	doc     []byte
	signals int
}

func newLoad(keys int) (*load, error) {
	var list []*rule.Rule
	for i := range rules {
		text := fmt.Sprintf(`{"rule_id":"%d","name":"r","description":"d","type":"eql","language":"eql","severity":"low","risk_score":1,
"query":"sequence by host.id, process.entity_id with maxspan=10m [file where event.action == \"open-%d\"] [process where event.action == \"close-%d\"]"}`, i, i, i)
		set := rule.Read("r.ndjson", []byte(text))
		for _, p := range set.AllProblems() {
			return nil, p
		}
		list = append(list, set.Rules...)
	}
	l := &load{keys: keys, d: detect.New(list, detect.Options{})}
	l.stream = l.d.NewStream(detect.StreamOptions{})
	l.decoder, l.matcher = l.d.NewDecoder(), l.d.NewMatcher()
	return l, nil
}

func (l *load) signal(*detect.Signal) { l.signals++ }

// pass shows one event of every key.
func (l *load) pass(n int) error {
	begin := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC).Add(time.Duration(n) * maxSpan)
	step := maxSpan / time.Duration(l.keys)
	for k := range l.keys {
		category, action, of := "file", "open", (k+n)%rules
		if n%2 == 1 && k%10 == 0 {
			category, action, of = "process", "close", (k+n-1)%rules
		}
		l.doc = fmt.Appendf(l.doc[:0], `{"@timestamp":"%s","event":{"category":"%s","action":"%s-%d","id":"N9xQp2mR7VbT%010d"},"host":{"id":"6f1ed002-ab59-5c8f-8e5c-%012d","name":"WS-%04d","os":{"type":"windows"}},"process":{"entity_id":"WS-%012d-4294967296","pid":%d,"name":"updater.exe","executable":"C:\\Users\\jdoe\\AppData\\Local\\Temp\\updater.exe"},"user":{"name":"jdoe","domain":"EXAMPLE"}}`,
			begin.Add(time.Duration(k)*step).Format("2006-01-02T15:04:05.000000Z"), category, action, of, n*l.keys+k, k%500, k%500, k, 1000+k%30000)
		if err := l.decoder.Decode(l.doc, &l.ev); err != nil {
			return err
		}
		l.matcher.Match(&l.ev, &l.hits)
		var err error
		l.matcher.Arrivals(&l.ev, &l.hits, func(a *detect.Arrival) { err = l.stream.Observe(a, l.signal) })
		if err != nil {
			return err
		}
	}
	return nil
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func run(keys, passes int) error {
	l, err := newLoad(keys)
	if err != nil {
		return err
	}
	empty := heap()
	var b strings.Builder
	fmt.Fprintf(&b, "# What sequences keep in memory\n\nWritten by `make bench-sequences` on %s, %s.\n\n", time.Now().UTC().Format("2006-01-02"), runtime.Version())
	fmt.Fprintf(&b, "%d sequence rules of two steps, joined by host and entity id, maxspan 10 minutes; %d keys, %d events in %d passes of 10 minutes\n"+
		"each. The heap is measured after a garbage collection. A live key takes the document of its event, packed with others, the event's record\n"+
		"(%d B: its time and place; a tiebreaker, or the index and id of a search hit, come on top), the text of the key, its entry in the table, and the unfinished match.\n\n",
		rules, keys, keys*passes, passes, unsafe.Sizeof(sequence.Record{}))
	b.WriteString("| after pass | live keys | heap | of it per live key | documents as they came | signals so far |\n|---|---|---|---|---|---|\n")
	for n := range passes {
		if err := l.pass(n); err != nil {
			return err
		}
		used, st := heap()-empty, l.stream.Stats()
		fmt.Fprintf(&b, "| %d | %d | %.1f MB | %d B | %.1f MB | %d |\n", n+1, st.Keys, float64(used)/1e6, used/int64(max(1, st.Keys)),
			float64(st.Keys*len(l.doc))/1e6, l.signals)
	}
	end := event.FromTime(time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC).Add(time.Duration(passes+2) * maxSpan))
	l.stream.Advance(end, l.signal)
	used, st := heap()-empty, l.stream.Stats()
	fmt.Fprintf(&b, "| all expired | %d | %.1f MB | | | %d |\n", st.Keys, float64(used)/1e6, l.signals)
	runtime.KeepAlive(l)
	fmt.Print(b.String())
	return os.WriteFile("bench/SEQUENCES.md", []byte(b.String()), 0o644)
}
