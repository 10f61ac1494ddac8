package eql_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/eqltest"
	"github.com/shrike-project/shrike/event"
)

// checkTrace holds the trace of an event to the plain one, and its JSON to
// encoding/json.
func checkTrace(t *testing.T, name string, cond *eql.Condition, ev *event.Event) {
	t.Helper()
	got, plain := cond.Trace(ev), eql.PlainTrace(cond, ev)
	have, want := traceJSON(t, got), traceJSON(t, plain)
	if !bytes.Equal(have, want) || !sameShort(got, plain) {
		t.Fatalf("%s:\ngot  %s\nwant %s", name, have, want)
	}
	if own := got.AppendJSON([]byte("x"), nil); string(own) != "x"+string(want) {
		t.Fatalf("%s: written as\n%s\nencoding/json has\n%s", name, own[1:], want)
	}
	shared := 0
	own := got.AppendJSON(nil, func(dst []byte, text string) []byte { shared += len(text); return append(dst, text...) })
	if !bytes.Equal(own, want) || shared == 0 {
		t.Fatalf("%s: with %d bytes apart:\n%s\nencoding/json has\n%s", name, shared, own, want)
	}
}

func traceJSON(t *testing.T, tr *eql.Trace) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(tr); err != nil {
		t.Fatal(err)
	}
	return event.EscapeControls(bytes.TrimSpace(b.Bytes()))
}

// sameShort compares what JSON does not hold.
func sameShort(a, b *eql.Trace) bool {
	if a.Short != b.Short || a.Matched() != b.Matched() || len(a.Children) != len(b.Children) {
		return false
	}
	for i := range a.Children {
		if !sameShort(a.Children[i], b.Children[i]) {
			return false
		}
	}
	return true
}

func TestTracesAgreeWithPlainOnes(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	r := eqltest.Random{Chooser: rand.New(rand.NewPCG(seed, 7))}
	for range 400 {
		q := &eql.Query{Event: r.EventQuery()}
		fields := event.NewFieldSet(nil)
		label := func(e eql.Expr) string {
			if n := len(eql.Format(e)); n%3 == 0 {
				return fmt.Sprintf("<label> of \x7f %d", n)
			}
			return ""
		}
		cond, err := eql.Compile(q.Event, fields, eql.CompileOptions{Labels: label})
		if err != nil {
			t.Fatalf("seed %d: %s: %v", seed, q, err)
		}
		dec := event.NewDecoder(fields, "")
		var ev event.Event
		for range 20 {
			doc := r.Event()
			if err := dec.Decode(doc, &ev); err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			checkTrace(t, fmt.Sprintf("seed %d: %s on %s", seed, q, doc), cond, &ev)
		}
	}
}

const traceQuery = `process where /* by name */ process.name : ("cmd.exe", "power*", "p\u{80}*", "x") and not process.args in ("a<b", "-x", "-y") and
	not not (user.name != null or host.name == "a") and process.pid > 3`

var traceEvent = []byte(`{"event":{"category":["process"]},"process":{"name":["A","PowerShell","p\u0080"],"args":["<&>","\u2028"],"pid":4},"user":{"name":"\u007f"}}`)

func compileTrace(t testing.TB) (*eql.Condition, *event.FieldSet) {
	q, err := eql.Parse(traceQuery)
	if err != nil {
		t.Fatal(err)
	}
	fields := event.NewFieldSet(nil)
	cond, err := eql.Compile(q.Event, fields, eql.CompileOptions{Labels: q.Label})
	if err != nil {
		t.Fatal(err)
	}
	return cond, fields
}

// TestTracesByManyGoroutines asks a condition for its first traces at the same time.
func TestTracesByManyGoroutines(t *testing.T) {
	cond, fields := compileTrace(t)
	var decoders []*event.Decoder
	for range 4 {
		decoders = append(decoders, event.NewDecoder(fields, ""))
	}
	var wg sync.WaitGroup
	for _, dec := range decoders {
		wg.Go(func() {
			var ev event.Event
			if err := dec.Decode(traceEvent, &ev); err != nil {
				t.Error(err)
			}
			if tr := cond.Trace(&ev); tr.Result != eql.True {
				t.Error(tr.Result)
			}
		})
	}
	wg.Wait()
	var ev event.Event
	if err := decoders[0].Decode(traceEvent, &ev); err != nil {
		t.Fatal(err)
	}
	checkTrace(t, traceQuery, cond, &ev)
}

func BenchmarkTrace(b *testing.B) {
	cond, fields := compileTrace(b)
	dec := event.NewDecoder(fields, "")
	var ev event.Event
	if err := dec.Decode(traceEvent, &ev); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var out []byte
	for b.Loop() {
		out = cond.Trace(&ev).AppendJSON(out[:0], nil)
	}
}
