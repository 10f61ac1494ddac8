package event_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/shrike-project/shrike/event"
)

// hostile are documents that are hard to read or to write again.
var hostile = []string{
	`{"a":[1,{"b":"\u00e9"}]}`, `{"a":1,"a":{}}`, `{"a`, `{[}]:"`, `{}`, `{"a":[]}`, `[1]`, ``, `{"a":null,"a":null}`, `{"a":null,"a":[]}`,
	`{"a":[],"a":null}`, `{"a":{"b":1,"c":[null]},"a":{"c":2,"b":{"x":1},"b":{"x":2}}}`, `{"b":1,"a":2,"b":3,"a":{"z":1}}`,
	`{"a":"<b> & \"c\" \\ \/ \b\f\n\r\t"}`, `{"<k>":"&","\u003ck>":1}`, `{"a\\b":"C:\\Windows\\x","C:\Windows\x":"C:\Windows\x"}`,
	"{\"a\":\"\xff\x01 \x7f \u0080\u009f\u00a0 \u2028\u2029 \ufffd 😀\"}", `{"a":"\ud83d\ude00 \ud83d \ude00 \u2028 \u007f \u0085 \u0000 \u003c"}`,
	`{"a":tru,"b":01,"c":1e400,"d":-0,"e":1.50E+3,"f":-}`, `{"a":"x`, `{"a":"x\`, `{"a":`, `{"a" 1 "b" 2}`, `{"a":[1 2}`, strings.Repeat(`{"a":`, 1500),
	strings.Repeat(`{"a":[`, 600), "{\"a\":[1 \x00 2]}", "{\"\"[{\"\"\"\"}\x00", `{"\xff":1,"` + "\xff" + `":2}`,
}

// checkTree holds the tree of a document to the plain reader, and what it writes to
// encoding/json.
func checkTree(t rapid.TB, doc []byte) {
	t.Helper()
	var r event.TreeReader
	root := r.Read(doc)
	root0 := root.Value()
	want := event.PlainDocument(doc)
	got, isObject := root.Value().(map[string]any)
	if isObject != (want != nil) || !reflect.DeepEqual(got, want) {
		t.Fatalf("%q: read as %#v, plainly as %#v", doc, got, want)
	}
	if again := r.Read(doc); !reflect.DeepEqual(again, root) {
		t.Fatalf("%q: read again as %#v", doc, again.Value())
	}
	defer func() {
		r.Reset()
		if again := r.Read(doc); !reflect.DeepEqual(again.Value(), root0) {
			t.Fatalf("%q: read in used memory as %#v", doc, again.Value())
		}
	}()
	canonical, err := json.Marshal(root.Value())
	if err != nil {
		t.Fatal(err)
	}
	if got := root.AppendCanonical([]byte("x")); string(got) != "x"+string(canonical) {
		t.Errorf("%q: canonically %q, encoding/json has %q", doc, got[1:], canonical)
	}
	written := func(how string) {
		if got, want := root.AppendJSON([]byte("x")), "x"+string(safeJSON(t, root.Value())); string(got) != want {
			t.Errorf("%q: written %s as %q, expected %q", doc, how, got[1:], want[1:])
		}
	}
	written("from its nodes")
	if !isObject {
		return
	}
	other := r.Read([]byte(`{"a":{"b":1}}`))
	r.Canonical(&other)
	if got := r.Canonical(&root); string(got) != string(canonical) {
		t.Errorf("%q: canonically %q, encoding/json has %q", doc, got, canonical)
	}
	written("from its canonical text")
	if !reflect.DeepEqual(root.Value(), root0) {
		t.Errorf("%q: another value with a canonical text", doc)
	}
}

// safeJSON writes a value by encoding/json.
func safeJSON(t rapid.TB, v any) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		t.Fatal(err)
	}
	return event.EscapeControls(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

func TestTreeOfHostileDocuments(t *testing.T) {
	for _, doc := range hostile {
		checkTree(t, []byte(doc))
	}
}

func TestTreeOfRandomDocuments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkTree(t, []byte(randomObject(t, 3))) })
}

func TestAppendQuotedAgreesWithEncodingJSON(t *testing.T) {
	check := func(s string) {
		if got, want := event.AppendQuoted(nil, s), safeJSON(t, s); !bytes.Equal(got, want) {
			t.Errorf("%q: %s, expected %s", s, got, want)
		}
	}
	for r := rune(0); r < 0x3000; r++ {
		check("a" + string(r) + "b")
	}
	for c := range 256 {
		check(string([]byte{'a', byte(c), 'b'}))
	}
	rapid.Check(t, func(t *rapid.T) { check(string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))) })
	rapid.Check(t, func(t *rapid.T) { check(rapid.String().Draw(t, "text")) })
}

func TestMember(t *testing.T) {
	var r event.TreeReader
	root := r.Read([]byte(`{"b":1,"a":{"c":"x\\y"},"d":[{"a":1}]}`))
	f := func(n *event.Node, want string) {
		t.Helper()
		got := "none"
		if n != nil {
			got = n.Text()
		}
		if got != want {
			t.Errorf("%s, expected %s", got, want)
		}
	}
	f(root.Member("b"), "1")
	f(root.Member("a").Member("c"), `x\y`)
	f(root.Member("c"), "none")
	f(root.Member("d").Member("a"), "none")
}

func FuzzTree(f *testing.F) {
	for _, s := range hostile {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) { checkTree(t, doc) })
}

func BenchmarkTree(b *testing.B) {
	text, err := os.ReadFile("../examples/endpoint.ndjson")
	if err != nil {
		b.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	b.SetBytes(int64(len(text) / len(lines)))
	b.ReportAllocs()
	var r event.TreeReader
	var out []byte
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			r.Read(lines[i%len(lines)])
			r.Reset()
		}
	})
	b.Run("write", func(b *testing.B) {
		b.ReportAllocs()
		root := r.Read(lines[0])
		for b.Loop() {
			out = root.AppendJSON(out[:0])
		}
	})
}
