package event

import (
	"math"
	"net/netip"
	"strconv"
	"strings"
)

// Kind is the kind of a single value.
type Kind uint8

// The kinds of values. Null is the absence of a value.
const (
	Null Kind = iota
	String
	Bool
	Long
	Double
	Date
	IP
	Version
)

var kindNames = [...]string{"null", "keyword", "boolean", "long", "double", "date", "ip", "version"}

// String gives the kind's name in Elasticsearch's words.
func (k Kind) String() string { return kindNames[k] }

// Value is one typed value. The zero Value is null.
//
// A value read from a document may share that document's memory: see Clone.
type Value struct {
	kind    Kind
	natural bool  // the type came from the JSON token, not from a known field type
	nsec    int32 // Date: nanoseconds within the second
	num     uint64
	text    string
	addr    netip.Addr
}

// StringValue makes a string.
func StringValue(s string) Value { return Value{kind: String, text: s} }

// BoolValue makes a boolean.
func BoolValue(b bool) Value {
	v := Value{kind: Bool}
	if b {
		v.num = 1
	}
	return v
}

// LongValue makes a 64-bit integer.
func LongValue(n int64) Value { return Value{kind: Long, num: uint64(n)} }

// DoubleValue makes a floating-point number. NaN and infinities are null: no
// JSON number and no EQL arithmetic has them as a result.
func DoubleValue(f float64) Value {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return Value{}
	}
	return Value{kind: Double, num: math.Float64bits(f)}
}

// DateValue makes an instant.
func DateValue(t Time) Value { return Value{kind: Date, num: uint64(t.Sec), nsec: t.Nsec} }

// IPValue makes an address. A zone is dropped, and a v4 address mapped into v6
// is its v4 form, as Elasticsearch stores them.
func IPValue(a netip.Addr) Value { return Value{kind: IP, addr: a.Unmap().WithZone("")} }

// VersionValue makes a version, which orders as semantic versions do.
func VersionValue(s string) Value { return Value{kind: Version, text: s} }

// Kind reports the value's kind.
func (v Value) Kind() Kind { return v.kind }

// IsNull reports whether there is no value.
func (v Value) IsNull() bool { return v.kind == Null }

// Natural reports whether the value's kind was taken from the document because
// its field has no known type. Such a number may serve as text too.
func (v Value) Natural() bool { return v.natural }

// IsNumber reports whether the value is a long or a double.
func (v Value) IsNumber() bool { return v.kind == Long || v.kind == Double }

// Str gives the text of a String or Version, and "" for other kinds.
func (v Value) Str() string {
	if v.kind == String || v.kind == Version {
		return v.text
	}
	return ""
}

// Bool gives the boolean of a Bool, and false for other kinds.
func (v Value) Bool() bool { return v.kind == Bool && v.num == 1 }

// Long gives the integer of a Long, and 0 for other kinds.
func (v Value) Long() int64 {
	if v.kind == Long {
		return int64(v.num)
	}
	return 0
}

// Float gives a Long or Double as floating point, and 0 for other kinds.
func (v Value) Float() float64 {
	switch v.kind {
	case Long:
		return float64(int64(v.num))
	case Double:
		return math.Float64frombits(v.num)
	}
	return 0
}

// Time gives the instant of a Date, and the zero Time for other kinds.
func (v Value) Time() Time {
	if v.kind == Date {
		return Time{Sec: int64(v.num), Nsec: v.nsec}
	}
	return Time{}
}

// Addr gives the address of an IP, and the zero address for other kinds.
func (v Value) Addr() netip.Addr { return v.addr }

// Text renders the value as EQL's string function does: integers plain, doubles
// always with a fraction, dates as epoch milliseconds, null as "null". A number
// of a field without a known type keeps the text it has in the document.
func (v Value) Text() string {
	switch v.kind {
	case String, Version:
		return v.text
	case Bool:
		return strconv.FormatBool(v.num == 1)
	case Long:
		if v.natural && v.text != "" {
			return v.text
		}
		return strconv.FormatInt(int64(v.num), 10)
	case Double:
		if v.natural && v.text != "" {
			return v.text
		}
		return formatDouble(math.Float64frombits(v.num))
	case Date:
		return strconv.FormatInt(v.Time().UnixMilli(), 10)
	case IP:
		return v.addr.String()
	}
	return "null"
}

// Display renders the value for people: as Text, but dates in RFC 3339.
func (v Value) Display() string {
	if v.kind == Date {
		return v.Time().String()
	}
	return v.Text()
}

// JSON gives the value as encoding/json writes it: null, a boolean, a number, or
// the text of Display.
func (v Value) JSON() any {
	switch v.kind {
	case Null:
		return nil
	case Bool:
		return v.Bool()
	case Long:
		return v.Long()
	case Double:
		return v.Float()
	}
	return v.Display()
}

// Clone copies the value so that it no longer shares a document's memory.
func (v Value) Clone() Value {
	v.text = strings.Clone(v.text)
	return v
}

// Same reports whether two values are the same key: equal in kind and content,
// where a long and a double of equal value are the same number.
func (v Value) Same(w Value) bool {
	if v.IsNumber() && w.IsNumber() {
		if v.kind == Long && w.kind == Long {
			return v.num == w.num
		}
		return v.Float() == w.Float()
	}
	if v.kind != w.kind {
		return false
	}
	switch v.kind {
	case String, Version:
		return v.text == w.text
	case Date:
		return v.num == w.num && v.nsec == w.nsec
	case IP:
		return v.addr == w.addr
	}
	return v.num == w.num
}

// formatDouble writes a double the way Java's Double.toString does, which is
// what EQL's concat and string show: always a fraction, and scientific form
// outside 10^-3 … 10^7.
func formatDouble(f float64) string {
	abs := math.Abs(f)
	if f == 0 || (abs >= 1e-3 && abs < 1e7) {
		s := strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.Contains(s, ".") {
			s += ".0"
		}
		return s
	}
	s := strconv.FormatFloat(f, 'E', -1, 64)
	mant, exp, _ := strings.Cut(s, "E")
	if !strings.Contains(mant, ".") {
		mant += ".0"
	}
	sign := ""
	if exp[0] == '-' {
		sign = "-"
	}
	exp = strings.TrimLeft(exp[1:], "0")
	return mant + "E" + sign + exp
}

// IsIP reports whether text is an address a field of the type ip can hold.
func IsIP(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}
