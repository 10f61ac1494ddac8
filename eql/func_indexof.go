package eql

import "github.com/shrike-project/shrike/event"

var indexOfFunction = &Function{
	Name: "indexOf",
	Params: []Param{
		{Name: "source", Types: []string{"string"}}, {Name: "part", Types: []string{"string"}},
		{Name: "start", Types: []string{"numeric"}, Optional: true},
	},
	Result: "integer", result: tInteger, Fold: true,
	Doc: "The position of the first part at or behind start, counted in code points from 0; null if it is not there. " +
		"A negative or null start is 0.",
	Example: `indexOf("subdomain.example.com", ".") == 9`,
	bind: func(c *boundCall) evaluator {
		return func(env *env) event.Value {
			source, ok1 := c.text(env, 0)
			part, ok2 := c.text(env, 1)
			if !ok1 || !ok2 {
				return event.Value{}
			}
			start, ok := position(c.arg(env, 2))
			if !ok {
				start = 0
			}
			at := indexRunes(runes(source, c.fold), runes(part, c.fold), max(0, start))
			if at < 0 {
				return event.Value{}
			}
			return event.LongValue(int64(at))
		}
	},
}

// position gives a number as a position in a text, within the range of an int32;
// false if it is null or no number.
func position(v event.Value) (int, bool) {
	if !v.IsNumber() {
		return 0, false
	}
	const limit = 1<<31 - 1
	return int(max(-limit, min(limit, v.Float()))), true
}
