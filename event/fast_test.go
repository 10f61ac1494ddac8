package event_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/shrike-project/shrike/event"
)

// eachIndex runs a test with every way to index documents that the machine has.
func eachIndex(t *testing.T, run func(t *testing.T)) {
	names, choose := event.Indexes()
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			choose(name)
			defer choose(names[len(names)-1])
			run(t)
		})
	}
}

// walks compares the fast walk with the plain one.
type walks struct {
	set         *event.FieldSet
	fast, plain *event.Decoder
	a, b        event.Event
}

func newWalks() *walks {
	w := &walks{set: event.NewFieldSet(nil)}
	for _, f := range append(oracleFields, "process.name", "process.pid", "process.args", "process.name.caseless", "source.ip", "event.category", "t.keyword", "process.parent.name") {
		w.set.Add(f)
	}
	w.fast, w.plain = event.NewDecoder(w.set, ""), event.NewPlainDecoder(w.set)
	return w
}

func (w *walks) compare(doc []byte) error {
	got, want := outcome(w.fast, &w.a, doc), outcome(w.plain, &w.b, doc)
	if got != want {
		return fmt.Errorf("%q\nfast  %s\nplain %s", doc, got, want)
	}
	return nil
}

// outcome writes all that a decoder made of a document.
func outcome(d *event.Decoder, ev *event.Event, doc []byte) string {
	err := d.Decode(doc, ev)
	var b strings.Builder
	fmt.Fprintf(&b, "%v %q %q %q %d", err, ev.Source, ev.Index, ev.ID, ev.Unreadable)
	if err != nil {
		return b.String()
	}
	when, timed := ev.Time()
	fmt.Fprintf(&b, " %v %v", when, timed)
	for f := range ev.Fields().Len() {
		for _, v := range ev.Values(event.Field(f)) {
			fmt.Fprintf(&b, " %s=%s:%q:%v", ev.Fields().Name(event.Field(f)), v.Kind(), v.Text(), v.Natural())
		}
	}
	return b.String()
}

// mutate damages a document in a few places.
func mutate(r *rand.Rand, doc string) string {
	b := []byte(doc)
	for range r.IntN(3) {
		if len(b) == 0 {
			break
		}
		i := r.IntN(len(b))
		switch c := `"\{}[],: x1nu` + "\n\xff"; r.IntN(4) {
		case 0:
			b = slices.Delete(b, i, i+1)
		case 1:
			b = slices.Insert(b, i, c[r.IntN(len(c))])
		case 2:
			b[i] = c[r.IntN(len(c))]
		case 3:
			b = b[:i]
		}
	}
	return string(b)
}

func TestFastWalkIsThePlainWalk(t *testing.T) {
	eachIndex(t, func(t *testing.T) {
		w := newWalks()
		rapid.Check(t, func(t *rapid.T) {
			r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
			doc := randomObject(t, 3)
			if rapid.Bool().Draw(t, "long") {
				doc = `{"x":"` + strings.Repeat(`ab\\`, r.IntN(60)) + `","event":{"category":["process"]},"a":` + doc + strings.Repeat(" ", r.IntN(70)) + "}"
			}
			if err := w.compare([]byte(mutate(r, doc))); err != nil {
				t.Fatal(err)
			}
		})
	})
}

// TestFastWalkOfRealEvents damages real events, and makes sure that sound ones are
// walked fast.
func TestFastWalkOfRealEvents(t *testing.T) {
	text, err := os.ReadFile("../examples/endpoint.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	eachIndex(t, func(t *testing.T) {
		w := newWalks()
		r := rand.New(rand.NewPCG(3, 4))
		for range 200 {
			for _, line := range lines {
				if w.fast.GaveUp([]byte(line)) {
					t.Fatalf("given up: %s", line)
				}
				if err := w.compare([]byte(mutate(r, line))); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// TestObjectsThatComeAgain builds documents from a few objects, some of which differ in
// a byte, hold values that cannot be read, or feed paths that others feed as well.
func TestObjectsThatComeAgain(t *testing.T) {
	pick := func(r *rand.Rand, list ...string) string { return list[r.IntN(len(list))] }
	host := func(r *rand.Rand) string {
		return fmt.Sprintf(`{"name":"WS-00%d","id":"%s-%d","os":{"type":"windows","version":"10.0.%d"},"pid":%s}`,
			r.IntN(8), strings.Repeat("0a1b", 20), r.IntN(3), r.IntN(2), pick(r, "1", "2", `"x"`, "[1,2]", "[true]"))
	}
	eachIndex(t, func(t *testing.T) {
		w, again := newWalks(), false
		r := rand.New(rand.NewPCG(5, 6))
		for range 20_000 {
			object := host(r)
			doc := fmt.Sprintf(`{"@timestamp":"2026-01-02T03:04:%02dZ","process":%s,"process.pid":%s,"source":{"ip":%s},"process.parent":%s,"a":[%s,%s]}`,
				r.IntN(90), object, pick(r, "7", `"y"`), pick(r, `"10.0.0.1"`, `"fe80::1"`, `"nowhere"`, `["10.0.0.1","::1"]`), object, object, pick(r, "1", "{}", `{"b":1}`))
			if r.IntN(10) == 0 {
				doc = mutate(r, doc)
			}
			if err := w.compare([]byte(doc)); err != nil {
				t.Fatal(err)
			}
			again = again || w.fast.Recalled() > 1000
		}
		if w.fast.Indexed() && !again {
			t.Error("nothing was recalled")
		}
	})
}

// TestObjectsThatGo lets other objects come again all the time, so that those that came
// before have to go.
func TestObjectsThatGo(t *testing.T) {
	eachIndex(t, func(t *testing.T) {
		w, last, packed := newWalks(), 0, 0
		r := rand.New(rand.NewPCG(7, 8))
		for i := range 60_000 {
			n := i/24*8 + r.IntN(8)
			doc := fmt.Sprintf(`{"process":{"name":"%d","pid":%d,"x":"%s"},"a":{"b":"%d"}}`, n, n, strings.Repeat("y", n%400), n%5)
			if err := w.compare([]byte(doc)); err != nil {
				t.Fatal(err)
			}
			now := w.fast.Pieces()
			if now < last {
				packed++
			}
			last = now
		}
		if w.fast.Indexed() && packed < 3 {
			t.Errorf("memory was used again %d times: too few to tell anything", packed)
		}
	})
}

// TestIndexOfEveryLength compares the ways to index blocks, byte by byte.
func TestIndexOfEveryLength(t *testing.T) {
	eachIndex(t, func(t *testing.T) {
		w := newWalks()
		for n := range 300 {
			for _, fill := range []string{"x", `\\`, `\"`, "é"} {
				doc := `{"a":"` + strings.Repeat(fill, n) + `","b":[1,2,{"a":"]}"}],"process":{"name":"` + strings.Repeat("y", n%67) + `\\"}}`
				if w.fast.GaveUp([]byte(doc)) {
					t.Fatalf("given up: %s", doc)
				}
				if err := w.compare([]byte(doc)); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// TestManyKeys gives objects more keys than a node remembers.
func TestManyKeys(t *testing.T) {
	eachIndex(t, func(t *testing.T) {
		w := newWalks()
		for round := range 3 {
			var b strings.Builder
			b.WriteString(`{"a":{`)
			for i := range 3000 {
				fmt.Fprintf(&b, `"k%d-%d":%d,`, round, i, i)
			}
			b.WriteString(`"b":"found"}}`)
			if err := w.compare([]byte(b.String())); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func FuzzFastWalk(f *testing.F) {
	for _, s := range []string{`{"a":1}`, `{"a":{"b":["x",{"c":null}]},"a.b":"\u00e9"}`, `{"a":"`, `{"a":[[[[`, `{"_source":{"a":1}}`, `{}{}`, "{\"a\":\"\xff\"}", `{"a": \"x"}`} {
		f.Add([]byte(s))
	}
	names, choose := event.Indexes()
	w := newWalks()
	f.Fuzz(func(t *testing.T, doc []byte) {
		for _, name := range names {
			choose(name)
			if err := w.compare(doc); err != nil {
				t.Fatalf("index %s: %v", name, err)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	text, err := os.ReadFile("../examples/endpoint.ndjson")
	if err != nil {
		b.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	set := event.NewFieldSet(nil)
	for _, f := range []string{"event.category", "event.type", "host.os.type", "process.parent.name", "process.name", "process.executable", "process.command_line", "process.code_signature.trusted", "process.code_signature.subject_name"} {
		set.Add(f)
	}
	names, choose := event.Indexes()
	for _, name := range append(names, "plain") {
		b.Run(name, func(b *testing.B) {
			choose(name)
			d := event.NewDecoder(set, "")
			if name == "plain" {
				d = event.NewPlainDecoder(set)
			}
			var ev event.Event
			docs := make([][]byte, len(lines))
			size := 0
			for i, l := range lines {
				docs[i] = []byte(l)
				size += len(l)
			}
			b.SetBytes(int64(size / len(docs)))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if err := d.Decode(docs[i%len(docs)], &ev); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	choose(names[len(names)-1])
}

// TestCutDocuments cuts documents at every byte: what does not end is refused at once.
func TestCutDocuments(t *testing.T) {
	eachIndex(t, func(t *testing.T) {
		w := newWalks()
		for _, doc := range []string{
			`{"process":{"name":"a\\b","args":["x","y\"",1.5],"pid":7},"x":{"y":[{"z":"w"}]},"event.category":"process"}`,
			`{"_index":"logs","_id":"1","_source":{"process":{"name":"a"}}}`,
		} {
			for n := range len(doc) {
				if err := w.compare([]byte(doc[:n])); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
