package eqltest

import (
	"fmt"
	"reflect"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
)

// RoundTrip checks that a query printed and parsed again is the same tree.
func RoundTrip(q *eql.Query) error {
	text := q.String()
	again, err := eql.Parse(text)
	if err != nil {
		return fmt.Errorf("printed as %s: %w", text, err)
	}
	if !reflect.DeepEqual(Shape(q), Shape(again)) {
		return fmt.Errorf("printed as %s, which parses to another tree", text)
	}
	return nil
}

// Shape reduces a syntax tree to what matters of it, for comparison: its nodes
// and values without positions.
func Shape(v any) any { return shape(reflect.ValueOf(v)) }

func shape(v reflect.Value) any {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return nil
		}
		return shape(v.Elem())
	case reflect.Slice:
		list := make([]any, v.Len())
		for i := range list {
			list[i] = shape(v.Index(i))
		}
		return list
	case reflect.Struct:
		if val, ok := v.Interface().(event.Value); ok {
			return [2]string{val.Kind().String(), val.Text()}
		}
		m := map[string]any{"type": v.Type().Name()}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Name != "Span" && f.Name != "Source" {
				m[f.Name] = shape(v.Field(i))
			}
		}
		return m
	}
	return v.Interface()
}
