package eql

import (
	"strings"

	"github.com/shrike-project/shrike/event"
)

var concatFunction = &Function{
	Name:   "concat",
	Params: []Param{{Name: "value"}}, variadic: true, Result: "string", result: tKeyword,
	Doc:     "The values as text, one after another; null if one of them is null.",
	Example: `concat("pid ", 42) == "pid 42"`,
	bind: func(c *boundCall) evaluator {
		return func(env *env) event.Value {
			var b strings.Builder
			for i := range c.args {
				v := c.args[i](env)
				if v.IsNull() {
					return event.Value{}
				}
				b.WriteString(v.Text())
			}
			return event.StringValue(b.String())
		}
	},
}

var stringFunction = &Function{
	Name:   "string",
	Params: []Param{{Name: "value"}}, Result: "string", result: tKeyword,
	Doc:     "The value as text: integers plain, doubles always with a fraction, dates as epoch milliseconds.",
	Example: `string(1.0) == "1.0"`,
	bind:    concatFunction.bind,
}
