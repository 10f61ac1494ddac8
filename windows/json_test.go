package windows

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// plainString is the string whose content begins at byte i of a document, read byte by byte,
// and the offset behind it; -1 if it does not end.
func plainString(doc []byte, i int) (text string, end int) {
	var out []byte
	for i < len(doc) {
		switch c := doc[i]; {
		case c == '"':
			return string(out), i + 1
		case c != '\\' || i+1 == len(doc):
			out = append(out, c)
			i++
		default:
			known := map[byte]byte{'n': '\n', 'r': '\r', 't': '\t', 'b': '\b', 'f': '\f'}
			i += 2
			switch c = doc[i-1]; {
			case c == 'u':
				var rest []byte
				out, rest = unescapeRune(out, doc[i:])
				i = len(doc) - len(rest)
			case known[c] != 0:
				out = append(out, known[c])
			default:
				out = append(out, c)
			}
		}
	}
	return "", -1
}

// TestStrings compares strings of random parts with those that are read byte by byte.
func TestStrings(t *testing.T) {
	parts := []string{
		"", "a", "plain text", "a rather long piece of text without anything", "é", "\xff", "\t", "\x01", `\n`, `\\`, `\"`, `\/`, `\u0041`, `\u00e9`,
		`\ud83d\ude00`, `\ud83d`, `\ude00x`, `\ud83d\u0041`, `\u12`, `\uzzzz`, `\x`, `\u`, `C:\\Windows\\System32\\`, `"`,
	}
	r := rand.New(rand.NewPCG(1, 2))
	const n = 200_000
	ended, escaped := 0, 0
	for range n {
		doc := []byte(`{"`)
		for range r.IntN(8) {
			doc = append(doc, parts[r.IntN(len(parts))]...)
		}
		if r.IntN(4) > 0 {
			doc = append(doc, `":1}`...)
		}
		want, end := plainString(doc, 2)
		j := jsonReader{doc: doc, i: 1, text: []byte("before")}
		got := j.str()
		if j.bad != (end < 0) || got != want || end >= 0 && j.i != end {
			t.Fatalf("%q: got %q up to %d, bad %v; want %q up to %d", doc, got, j.i, j.bad, want, end)
		}
		if at, _ := stringEnd(doc, 2); at != max(end, 0)-1 {
			t.Fatalf("%q ends at %d, want %d", doc, at, end-1)
		}
		if end > 0 {
			ended++
			if bytes.IndexByte(doc[:end], '\\') > 0 {
				escaped++
			}
		}
	}
	t.Logf("%d strings, %d of them end, %d of these with escapes", n, ended, escaped)
}
