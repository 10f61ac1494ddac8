package eql

import (
	"slices"
	"strings"

	"github.com/shrike-project/shrike/event"
)

// staticType is what is known of an expression's type before it is evaluated.
type staticType uint8

const (
	tAny staticType = iota // of a field nobody knows
	tNull
	tBoolean
	tInteger
	tLong
	tDouble
	tNumber // one of the three above
	tKeyword
	tText
	tDate
	tIP
	tVersion
	tUnsupported
)

var staticTypeNames = [...]string{
	"unknown", "null", "boolean", "integer", "long", "double", "number", "keyword", "text", "date", "ip", "version", "unsupported",
}

// String gives the type in Elasticsearch's words.
func (t staticType) String() string { return staticTypeNames[t] }

func (t staticType) isNumber() bool {
	return t == tInteger || t == tLong || t == tDouble || t == tNumber
}

func (t staticType) isString() bool { return t == tKeyword || t == tText }

func fieldType(t event.Type) staticType {
	switch t {
	case event.Keyword, event.Wildcard, event.Flattened:
		return tKeyword
	case event.Text:
		return tText
	case event.Boolean:
		return tBoolean
	case event.LongType:
		return tLong
	case event.DoubleType:
		return tDouble
	case event.DateType, event.DateNanos:
		return tDate
	case event.IPType:
		return tIP
	case event.VersionType:
		return tVersion
	}
	if t.Unsupported() {
		return tUnsupported
	}
	return tAny
}

func literalType(v event.Value) staticType {
	switch v.Kind() {
	case event.Bool:
		return tBoolean
	case event.Long:
		if n := v.Long(); n == int64(int32(n)) {
			return tInteger
		}
		return tLong
	case event.Double:
		return tDouble
	case event.String:
		return tKeyword
	}
	return tNull
}

// fits reports whether an argument of a type may stand for a parameter that
// accepts the named types.
func (t staticType) fits(types []string) bool {
	if len(types) == 0 || t == tAny || t == tNull {
		return true
	}
	return slices.ContainsFunc(types, func(want string) bool {
		switch want {
		case "string":
			return t.isString() || t == tVersion
		case "numeric":
			return t.isNumber()
		case "integer":
			return t == tInteger || t == tLong || t == tNumber
		}
		return t.String() == want
	})
}

// comparable reports whether values of two types may meet in an "in" list or as
// join keys.
func (t staticType) comparable(u staticType) bool {
	switch {
	case t == tAny || u == tAny || t == tNull || u == tNull || t == u:
		return true
	case t.isNumber() && u.isNumber():
		return true
	}
	return t.isString() && u.isString()
}

func upperName(t staticType) string { return strings.ToUpper(t.String()) }
