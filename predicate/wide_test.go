package predicate_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/predicate"
)

// TestFoldWide holds the folding to all characters there are: whatever is ASCII in
// other case is found.
func TestFoldWide(t *testing.T) {
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		want := unicode.ToLower(r)
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			if f < 0x80 {
				want = unicode.ToLower(f)
			}
		}
		got := string(predicate.FoldWide(string(r)))
		if want < 0x80 && got != string(want) || want >= 0x80 && got != "\xff" {
			t.Errorf("%U folds to %q, lower and folded it is %q", r, got, want)
		}
	}
}

// TestWide compares over texts of which most are beyond ASCII.
func TestWide(t *testing.T) {
	queries := parseQueries(t,
		`process where process.command_line : ("*secret*", "k?lvin*", "*.EXE")`, `process where process.command_line == "kelvin"`,
		`process where process.command_line in~ ("KELVIN", "secret")`, `process where startsWith~(process.command_line, "inst")`,
		`process where process.command_line : "*a?b*"`, `process where process.command_line regex "..l.*"`, `process where not process.command_line like "*sec*"`,
		`process where stringContains(process.command_line, "tall")`, `process where endsWith~(process.command_line, "EXE")`, `process where process.name : "*kel*" or process.args : "sec*"`)
	w := newWorld(t, queries)
	r := rand.New(rand.NewPCG(1, 1))
	words := []string{"kelvin", "\u212Aelvin", "ſecret", "SECRET", "İnstall", "install", "ı", "é", "a\u00e9b", ".exe", ".ExE", "ß", "日本", " "}
	hits := 0
	for range 3000 {
		text := func() string {
			var b strings.Builder
			for range 1 + r.IntN(3) {
				b.WriteString(words[r.IntN(len(words))])
			}
			return b.String()
		}
		hits += w.hits(t, fmt.Appendf(nil, `{"event":{"category":"process"},"process":{"name":%q,"args":[%q,%q],"command_line":%q}}`, text(), text(), text(), text()))
	}
	if hits < 1000 {
		t.Errorf("%d hits: too few to tell anything", hits)
	}
}

// BenchmarkWide matches texts beyond ASCII, each another, with many patterns.
func BenchmarkWide(b *testing.B) {
	set := make([]string, 500)
	for i := range set {
		set[i] = fmt.Sprintf(`process where process.command_line : "*pattern%d*other*"`, i)
	}
	w := newWorld(b, parseQueries(b, set...))
	text := strings.Repeat("C:\\\\Büro\\\\prüfen.exe /x ", 6)
	b.ReportAllocs()
	var ev event.Event
	for i := 0; b.Loop(); i++ {
		if err := w.decoder.Decode(fmt.Appendf(nil, `{"event":{"category":"process"},"process":{"command_line":"%s%d"}}`, text, i), &ev); err != nil {
			b.Fatal(err)
		}
		w.matcher.Match(&ev)
	}
}
