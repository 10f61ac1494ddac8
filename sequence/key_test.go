package sequence_test

import (
	"math"
	"net/netip"
	"testing"

	"pgregory.net/rapid"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/sequence"
)

// randomValue draws values of every kind, with an eye on those that are nearly
// equal.
func randomValue(t *rapid.T) event.Value {
	switch rapid.IntRange(0, 7).Draw(t, "kind") {
	case 0:
		return event.Value{}
	case 1:
		return event.StringValue(rapid.SampledFrom([]string{"", "a", "A", "1", "1.0", "true", "a\x00b", "\x02"}).Draw(t, "text"))
	case 2:
		return event.BoolValue(rapid.Bool().Draw(t, "bool"))
	case 3:
		return event.LongValue(rapid.SampledFrom([]int64{0, 1, -1, math.MaxInt64, math.MinInt64, 1 << 53, 1<<53 + 1}).Draw(t, "long"))
	case 4:
		return event.DoubleValue(rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1, 1.5, -1, 1 << 53, 1 << 63, 1e300}).Draw(t, "double"))
	case 5:
		return event.DateValue(event.Time{Sec: rapid.Int64Range(-2, 2).Draw(t, "sec"), Nsec: int32(rapid.IntRange(0, 1).Draw(t, "nsec"))})
	case 6:
		return event.IPValue(netip.MustParseAddr(rapid.SampledFrom([]string{"1.2.3.4", "::1", "::ffff:1.2.3.4", "fe80::1"}).Draw(t, "ip")).Unmap())
	}
	return event.VersionValue(rapid.SampledFrom([]string{"1.0", "1.0.0"}).Draw(t, "version"))
}

// equalKeys is the meaning of equal keys: values of one kind that are equal, numbers
// across kinds.
func equalKeys(v, w event.Value) bool {
	if v.IsNull() || w.IsNull() {
		return v.IsNull() && w.IsNull()
	}
	if v.Kind() == w.Kind() && v.Kind() != event.Double {
		return v.Same(w)
	}
	if !v.IsNumber() || !w.IsNumber() {
		return false
	}
	n, ok := eql.Order(v, w)
	return ok && n == 0
}

func TestKeysAreEqualAsTheirValuesAre(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.SliceOfN(rapid.Custom(randomValue), 1, 3).Draw(t, "a")
		b := rapid.SliceOfN(rapid.Custom(randomValue), len(a), len(a)).Draw(t, "b")
		want := true
		for i := range a {
			want = want && equalKeys(a[i], b[i])
		}
		if got := sequence.Key(a...) == sequence.Key(b...); got != want {
			t.Fatalf("%v and %v: equal %v, expected %v", a, b, got, want)
		}
		again := sequence.KeyValues(sequence.Key(a...))
		if len(again) != len(a) {
			t.Fatalf("%v read back as %v", a, again)
		}
		for i := range a {
			if !equalKeys(a[i], again[i]) {
				t.Fatalf("%v read back as %v", a, again)
			}
		}
	})
}

func TestKeysOfAnEvent(t *testing.T) {
	f := func(query, doc string, want ...string) {
		t.Helper()
		q, err := eql.Parse(query)
		if err != nil {
			t.Fatal(err)
		}
		fields := event.NewFieldSet(nil)
		p, err := sequence.Compile(q, fields)
		if err != nil {
			t.Fatal(err)
		}
		var ev event.Event
		if err := event.NewDecoder(fields, "").Decode([]byte(doc), &ev); err != nil {
			t.Fatal(err)
		}
		var got []string
		var keys sequence.KeyList
		p.Keys(&ev, 0, &keys)
		for _, k := range keys.AppendTo(nil, string(keys.Text())) {
			text := ""
			for _, v := range sequence.KeyValues(k) {
				text += v.Display() + ";"
			}
			got = append(got, text)
		}
		if len(got) != len(want) {
			t.Fatalf("%s: %v, expected %v", doc, got, want)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s: %v, expected %v", doc, got, want)
			}
		}
	}
	const two = "sequence by a, ?b [any where true] [any where true]"
	f(two, `{"a":1,"b":2}`, "1;2;")
	f(two, `{"a":1}`, "1;null;")
	f(two, `{"b":1}`)
	f(two, `{"a":[],"b":1}`)
	f(two, `{"a":[1,1.0,"1",null],"b":["x","y"]}`, "1;x;", "1;y;", "1;x;", "1;y;") // the number 1, and the text
	f("sequence [any where true] [any where true]", `{}`, "")
}

// TestRecordsHaveOneOrder has records of one time, with tiebreakers of all kinds.
func TestRecordsHaveOneOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := make([]*sequence.Record, 3)
		for i := range list {
			list[i] = &sequence.Record{Timed: true, Number: rapid.Uint64Range(0, 9).Draw(t, "number")}
			list[i].SetTie(randomValue(t))
		}
		a, b, c := list[0], list[1], list[2]
		if a.Compare(b) != -b.Compare(a) {
			t.Errorf("%v and %v: %d, the other way %d", a.Tie(), b.Tie(), a.Compare(b), b.Compare(a))
		}
		if a.Compare(b) <= 0 && b.Compare(c) <= 0 && a.Compare(c) > 0 {
			t.Errorf("%v before %v before %v before the first", a.Tie(), b.Tie(), c.Tie())
		}
	})
}
