package event

import (
	"math"
	"net/netip"
	"strconv"
)

// token is a scalar of a document before it has a field's type.
type token struct {
	kind Kind   // String, Bool, Long or Double; Null for null
	text string // the characters of the scalar
}

// as reads the token by the type of its field, as Elasticsearch's mappers do.
// It reports false where the type cannot read it; a null value is no value.
func (t token) as(typ Type) (Value, bool) {
	switch typ {
	case Keyword, Wildcard, Text, Flattened:
		return StringValue(t.text), true
	case Boolean:
		return t.asBool()
	case LongType:
		return t.asLong()
	case DoubleType:
		return t.asDouble()
	case DateType:
		v, ok := t.asDate()
		v.nsec -= v.nsec % 1e6 // the type keeps milliseconds
		return v, ok
	case DateNanos:
		return t.asDate()
	case IPType:
		a, err := netip.ParseAddr(t.text)
		return IPValue(a), err == nil
	case VersionType:
		return VersionValue(t.text), t.kind == String
	}
	if typ.Unsupported() {
		return Value{}, false
	}
	return t.natural(), true
}

func (t token) asBool() (Value, bool) {
	switch t.text {
	case "true":
		return BoolValue(true), true
	case "false":
		return BoolValue(false), true
	case "":
		return BoolValue(false), true
	}
	return Value{}, false
}

func (t token) asLong() (Value, bool) {
	if t.text == "" && t.kind == String {
		return Value{}, true
	}
	if n, err := strconv.ParseInt(t.text, 10, 64); err == nil {
		return LongValue(n), true
	}
	if n, err := strconv.ParseUint(t.text, 10, 64); err == nil {
		return DoubleValue(float64(n)), true // an unsigned long beyond the signed range
	}
	f, err := strconv.ParseFloat(t.text, 64)
	if err != nil || t.kind == Bool || !(f >= -1<<63 && f < 1<<63) {
		return Value{}, false
	}
	return LongValue(int64(f)), true // coerced: decimals are cut off
}

func (t token) asDouble() (Value, bool) {
	if t.text == "" && t.kind == String {
		return Value{}, true
	}
	f, err := strconv.ParseFloat(t.text, 64)
	if err != nil || t.kind == Bool || math.IsNaN(f) || math.IsInf(f, 0) {
		return Value{}, false
	}
	return DoubleValue(f), true
}

func (t token) asDate() (Value, bool) {
	if t.text == "" && t.kind == String {
		return Value{}, true
	}
	if t.kind == Bool {
		return Value{}, false
	}
	if t.kind != String {
		if when, ok := parseEpochMillis(t.text); ok {
			return DateValue(when), true
		}
		f, err := strconv.ParseFloat(t.text, 64) // 1.5e12
		if err != nil || math.Abs(f) > 1e17 {
			return Value{}, false
		}
		return DateValue(UnixMilli(int64(math.Floor(f)))), true
	}
	when, ok := ParseTime(t.text)
	return DateValue(when), ok
}

// natural gives the value the kind of its token. A number keeps its text, for
// tests that treat the field as a keyword.
func (t token) natural() Value {
	v := Value{kind: t.kind, natural: true, text: t.text}
	switch t.kind {
	case Bool:
		v.num = BoolValue(t.text == "true").num
	case Long:
		n, err := strconv.ParseInt(t.text, 10, 64)
		if err == nil {
			v.num = uint64(n)
			break
		}
		v.kind = Double
		fallthrough
	case Double:
		f, err := strconv.ParseFloat(t.text, 64)
		if err != nil || math.IsInf(f, 0) {
			v.kind = String // no number Elasticsearch could hold: only its text is left
			break
		}
		v.num = math.Float64bits(f)
	}
	return v
}
