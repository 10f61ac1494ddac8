package predicate_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/eqltest"
	"github.com/shrike-project/shrike/predicate"
)

// eachTeddy runs a test with every way to look for witnesses that the machine has.
func eachTeddy(t *testing.T, run func(t *testing.T)) {
	names, choose := predicate.Teddies()
	if len(names) == 0 {
		t.Skip("this build has no prefilter")
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			defer choose(name)()
			run(t)
		})
	}
}

func parseQueries(t testing.TB, texts ...string) []*eql.EventQuery {
	var out []*eql.EventQuery
	for _, text := range texts {
		q, err := eql.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, q.EventQueries()...)
	}
	return out
}

func TestPrefilter(t *testing.T) {
	eachTeddy(t, func(t *testing.T) {
		w := newWorld(t, parseQueries(t,
			`process where process.parent.name : ("slack.exe", "Zoom*.exe") and process.name != null`,
			`any where process.command_line : "*\\mimikatz?privilege::*" or process.args == "sekurlsa::logonpasswords"`))
		p := w.network.NewPrefilter()
		if p == nil {
			t.Fatal("there is no prefilter")
		}
		f := func(doc string, skips bool) {
			t.Helper()
			for _, padding := range []int{0, 1, 61, 62, 63, 64, 65, 127, 200} {
				padded := `{"x":"` + strings.Repeat("y", padding) + `",` + doc[1:]
				if got := p.Skips([]byte(padded)); got != skips {
					t.Errorf("%s: skips %v, want %v", padded, got, skips)
				}
			}
		}
		f(`{"process":{"parent":{"name":"slack.exe"}}}`, false)
		f(`{"process":{"parent":{"name":"SLACK.EXE"}}}`, false)
		f(`{"process":{"parent":{"name":"slack.exe1"}}}`, true)
		f(`{"process":{"parent":{"name":"a\\slack.exe"}}}`, true)
		f(`{"process":{"parent":{"name":"\u0073lack.exe"}}}`, false)
		f(`{"process":{"parent":{"name":"slacK.exe"}}}`, false) // the Kelvin sign
		f(`{"process":{"parent":{"name":"zoom x.exe"}}}`, false)
		f(`{"process":{"command_line":"C:\\MIMIKATZ privilege::debug"}}`, false)
		f(`{"process":{"args":["sekurlsa::logonpasswords"]}}`, false)
		f(`{"process":{"args":["é"]}}`, false)
		f(`{"process":{"args":["cmd.exe","/c","powershell.exe"]}}`, true)
		f(`{}`, true)
	})
}

// TestNoPrefilter names conditions that need no text worth looking for.
func TestNoPrefilter(t *testing.T) {
	for _, q := range []string{
		`process where true`, `process where process.pid == 4`, `process where not process.name : "slack.exe"`,
		`process where process.name : "?at*"`, `process where process.name == "443000"`, `process where event.type == "creation"`,
		`process where process.name : "slack.exe" or process.pid == 4`, `process where process.name : "\\/\\/\\/"`,
	} {
		if newWorld(t, parseQueries(t, q)).network.NewPrefilter() != nil {
			t.Errorf("%s: there is a prefilter", q)
		}
	}
}

// TestPrefilterSkipsNoHit holds the prefilter to the conditions themselves, over random
// conditions and events, also written with escapes.
func TestPrefilterSkipsNoHit(t *testing.T) {
	eachTeddy(t, func(t *testing.T) {
		filters, skipped, hits := 0, 0, 0
		for seed := range uint64(3000) {
			rnd := rand.New(rand.NewPCG(seed, 9))
			r := eqltest.Random{Chooser: rnd}
			w := newWorld(t, []*eql.EventQuery{r.EventQuery(), r.EventQuery()}[:1+rnd.IntN(2)])
			p := w.network.NewPrefilter()
			if p == nil {
				continue
			}
			filters++
			for range 60 {
				doc := escapeSome(rnd, r.Event())
				n := w.hits(t, doc)
				if hits += n; p.Skips(doc) {
					if skipped++; n > 0 {
						t.Fatalf("%s is passed over, but %d conditions hold", doc, n)
					}
				}
			}
		}
		t.Logf("%d prefilters, %d documents passed over, %d hits", filters, skipped, hits)
		if filters < 100 || skipped < 1000 || hits < 100 {
			t.Error("too few to tell anything")
		}
	})
}

// escapeSome writes some letters of a document, within strings, as JSON escapes.
func escapeSome(r *rand.Rand, doc []byte) []byte {
	if r.IntN(3) > 0 {
		return doc
	}
	var b bytes.Buffer
	for i, c := range doc {
		if (c >= 'a' && c <= 'z') && r.IntN(40) == 0 && !bytes.HasPrefix(doc[i:], []byte("true")) && quoted(doc[:i]) && (i == 0 || doc[i-1] != '\\') {
			fmt.Fprintf(&b, `\u%04x`, c)
			continue
		}
		b.WriteByte(c)
	}
	return b.Bytes()
}

// quoted reports whether text ends within a string.
func quoted(text []byte) bool {
	in := false
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			in = !in
		}
	}
	return in
}

// TestTeddy holds every way to look for three bytes in a row to a plain loop.
func TestTeddy(t *testing.T) {
	eachTeddy(t, func(t *testing.T) {
		for seed := range uint64(300) {
			if err := predicate.CompareTeddy(rand.New(rand.NewPCG(seed, 3))); err != nil {
				t.Fatal(err)
			}
		}
	})
}
