package eql

import (
	"unicode/utf8"

	"github.com/shrike-project/shrike/event"
)

var lengthFunction = &Function{
	Name:   "length",
	Params: []Param{{Name: "text", Types: []string{"string"}}}, Result: "integer", result: tInteger,
	Doc:     "The number of code points of a text.",
	Example: `length("explorer.exe") == 12`,
	bind: func(c *boundCall) evaluator {
		return func(env *env) event.Value {
			s, ok := c.text(env, 0)
			if !ok {
				return event.Value{}
			}
			return event.LongValue(int64(utf8.RuneCountInString(s)))
		}
	},
}
