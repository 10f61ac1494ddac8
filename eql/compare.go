package eql

// Comparing values: equality, order, and what a constant becomes when it meets
// a value of another kind.

import (
	"math"
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/shrike-project/shrike/event"
)

// equal compares two values, neither of which is null. A constant w is read by
// the kind of v; where its text does not parse, the two are not equal.
func equal(v, w event.Value) bool {
	if v.Kind() == event.IP && w.Kind() == event.String {
		return equalAddr(v.Addr(), w.Str())
	}
	v, w, ok := align(v, w)
	if !ok {
		return false
	}
	if v.IsNumber() {
		return compareNumbers(v, w) == 0
	}
	return v.Same(w)
}

// equalAddr compares an address with text: an address, or a block as in
// Elasticsearch's term query.
func equalAddr(a netip.Addr, s string) bool {
	if !strings.Contains(s, "/") {
		b, err := netip.ParseAddr(s)
		return err == nil && b.Unmap() == a
	}
	block, err := parseBlock(s)
	return err == nil && block.Contains(a)
}

// order compares two values, neither of which is null, and gives -1, 0 or 1. It
// reports false where they have no order: booleans, and kinds that do not meet.
func order(v, w event.Value) (int, bool) {
	v, w, ok := align(v, w)
	if !ok {
		return 0, false
	}
	switch {
	case v.IsNumber():
		return compareNumbers(v, w), true
	case v.Kind() == event.String:
		return strings.Compare(v.Str(), w.Str()), true
	case v.Kind() == event.Date:
		return v.Time().Compare(w.Time()), true
	case v.Kind() == event.IP:
		return compareAddr(v.Addr(), w.Addr()), true
	case v.Kind() == event.Version:
		return compareVersions(v.Str(), w.Str()), true
	}
	return 0, false
}

// compareAddr orders addresses by their 16-byte form, as Elasticsearch does.
func compareAddr(a, b netip.Addr) int {
	x, y := a.As16(), b.As16()
	return slices.Compare(x[:], y[:])
}

// align gives the two values one kind: w takes that of v. It reports false where
// that cannot be.
func align(v, w event.Value) (event.Value, event.Value, bool) {
	if v.Kind() == w.Kind() || v.IsNumber() && w.IsNumber() {
		return v, w, true
	}
	switch v.Kind() {
	case event.String:
		switch w.Kind() {
		case event.Long, event.Double, event.Bool, event.Version:
			return v, event.StringValue(w.Text()), true
		}
	case event.Long, event.Double:
		if n, ok := textNumber(w); ok {
			return v, n, true
		}
		if v.Natural() && w.Kind() == event.String {
			return event.StringValue(v.Text()), w, true
		}
	case event.Bool:
		switch w.Str() {
		case "true", "false":
			return v, event.BoolValue(w.Str() == "true"), true
		}
	case event.Date:
		if w.IsNumber() {
			return v, event.DateValue(event.UnixMilli(int64(w.Float()))), true
		}
		t, ok := event.ParseTime(w.Str())
		return v, event.DateValue(t), ok
	case event.IP:
		a, err := netip.ParseAddr(w.Str())
		return v, event.IPValue(a), err == nil
	case event.Version:
		if w.Kind() == event.String {
			return v, event.VersionValue(w.Str()), true
		}
	}
	return v, w, false
}

// rank tells which of two kinds the other is read by, where neither value is a
// constant: the one of higher rank.
func rank(v event.Value) int {
	switch v.Kind() {
	case event.Date:
		return 5
	case event.IP:
		return 4
	case event.Version:
		return 3
	case event.Bool:
		return 2
	case event.Long, event.Double:
		return 1
	}
	return 0
}

// textNumber reads text as a number, as a numeric field's query does.
func textNumber(v event.Value) (event.Value, bool) {
	if v.Kind() != event.String {
		return event.Value{}, false
	}
	if n, err := strconv.ParseInt(v.Str(), 10, 64); err == nil {
		return event.LongValue(n), true
	}
	f, err := strconv.ParseFloat(v.Str(), 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return event.Value{}, false
	}
	return event.DoubleValue(f), true
}

// compareNumbers orders numbers exactly, also a long and a double.
func compareNumbers(v, w event.Value) int {
	switch {
	case v.Kind() == event.Long && w.Kind() == event.Long:
		return compareLongs(v.Long(), w.Long())
	case v.Kind() == event.Long:
		return compareLongDouble(v.Long(), w.Float())
	case w.Kind() == event.Long:
		return -compareLongDouble(w.Long(), v.Float())
	case v.Float() < w.Float():
		return -1
	case v.Float() > w.Float():
		return 1
	}
	return 0
}

func compareLongs(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func compareLongDouble(a int64, f float64) int {
	const exact = 1 << 53 // integers up to here are exact in a double
	if a >= -exact && a <= exact {
		switch x := float64(a); {
		case x < f:
			return -1
		case x > f:
			return 1
		}
		return 0
	}
	return new(big.Float).SetInt64(a).Cmp(big.NewFloat(f))
}

// compareVersions orders as semantic versions do: numeric parts as numbers, a
// pre-release before its release, text that is no version after all versions.
func compareVersions(a, b string) int {
	x, okA := parseVersion(a)
	y, okB := parseVersion(b)
	switch {
	case okA && !okB:
		return -1
	case !okA && okB:
		return 1
	case !okA:
		return strings.Compare(a, b)
	}
	if c := slices.CompareFunc(x.parts, y.parts, compareDigits); c != 0 {
		return c
	}
	if x.pre == "" || y.pre == "" {
		switch {
		case x.pre == y.pre:
			return strings.Compare(a, b)
		case x.pre == "":
			return 1
		}
		return -1
	}
	if c := slices.CompareFunc(strings.Split(x.pre, "."), strings.Split(y.pre, "."), comparePreRelease); c != 0 {
		return c
	}
	return strings.Compare(a, b)
}

type version struct {
	parts []string // runs of digits
	pre   string
}

func parseVersion(s string) (version, bool) {
	main, _, _ := strings.Cut(s, "+")
	main, pre, hasPre := strings.Cut(main, "-")
	v := version{parts: strings.Split(main, "."), pre: pre}
	for _, p := range v.parts {
		if !isDigits(p) {
			return v, false
		}
	}
	return v, !hasPre || pre != ""
}

// compareDigits orders runs of digits of any length as numbers.
func compareDigits(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return compareLongs(int64(len(a)), int64(len(b)))
	}
	return strings.Compare(a, b)
}

func comparePreRelease(a, b string) int {
	switch {
	case isDigits(a) && isDigits(b):
		return compareDigits(a, b)
	case isDigits(a):
		return -1
	case isDigits(b):
		return 1
	}
	return strings.Compare(a, b)
}

// Order orders two values as the operators "<" and ">" do. It reports false
// where they have no order.
func Order(v, w event.Value) (int, bool) { return order(v, w) }
