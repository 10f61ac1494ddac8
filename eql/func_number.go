package eql

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/shrike-project/shrike/event"
)

var numberFunction = &Function{
	Name: "number",
	Params: []Param{
		{Name: "text", Types: []string{"string"}},
		{Name: "base", Types: []string{"integer"}, Optional: true, Constant: true},
	},
	Result: "number", result: tNumber,
	Doc: "The number a text stands for, in the given base from 2 to 36. Without a base it is 16 if the text begins with 0x, else 10. " +
		"Only base 10 knows decimals and exponents. Text of a field that is no number gives null.",
	Example: `number("0x1337") == 4919`,
	check:   checkNumber,
	bind: func(c *boundCall) evaluator {
		return func(env *env) event.Value {
			s, ok := c.text(env, 0)
			if !ok {
				return event.Value{}
			}
			v, err := parseNumber(s, c.arg(env, 1))
			if err != nil {
				return event.Value{}
			}
			return v
		}
	},
}

// parseNumber reads text as EQL's number function does. The error names the text
// and the base, in Elasticsearch's words.
func parseNumber(s string, base event.Value) (event.Value, error) {
	radix := 10
	if n, ok := position(base); ok {
		radix = n
	} else if strings.HasPrefix(s, "0x") {
		radix = 16
	}
	//lint:ignore ST1005 the wording is Elasticsearch's
	bad := fmt.Errorf("Unable to convert [%s] to number of base [%d]", s, radix)
	if radix < 2 || radix > 36 {
		return event.Value{}, bad
	}
	if radix == 10 {
		return parseDecimal(strings.TrimSpace(s), bad)
	}
	digits := s
	if radix == 16 {
		digits = strings.TrimPrefix(digits, "0x")
	}
	n, err := strconv.ParseInt(digits, radix, 64)
	if err != nil || strings.ContainsAny(digits, "_") {
		return event.Value{}, bad
	}
	return event.LongValue(n), nil
}

func parseDecimal(s string, bad error) (event.Value, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return event.LongValue(n), nil
	}
	if s == "" || strings.Trim(s, "0123456789+-.eE") != "" {
		return event.Value{}, bad // ParseFloat also reads infinities, hexadecimal and underscores
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsInf(f, 0) {
		return event.Value{}, bad
	}
	return event.DoubleValue(f), nil
}

func checkNumber(c *checker, call *Call) {
	lit, ok := call.Args[0].(*Literal)
	if !ok || lit.Value.Kind() != event.String {
		return
	}
	base := event.Value{}
	if len(call.Args) > 1 {
		b, ok := call.Args[1].(*Literal)
		if !ok {
			return
		}
		base = b.Value
	}
	if _, err := parseNumber(lit.Value.Str(), base); err != nil {
		c.problem(call.Span, BadLiteral, "", "%s", err.Error())
	}
}
