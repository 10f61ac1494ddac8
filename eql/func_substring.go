package eql

import "github.com/shrike-project/shrike/event"

var substringFunction = &Function{
	Name: "substring",
	Params: []Param{
		{Name: "source", Types: []string{"string"}}, {Name: "start", Types: []string{"integer"}},
		{Name: "end", Types: []string{"integer"}, Optional: true},
	},
	Result: "string", result: tKeyword,
	Doc: "The text from start up to, but without, end. Positions count code points from 0, negative ones from the end; " +
		"those out of range are moved into it. Without end, the text goes to its end.",
	Example: `substring("start regsvr32.exe", -4) == ".exe"`,
	bind: func(c *boundCall) evaluator {
		return func(env *env) event.Value {
			source, ok := c.text(env, 0)
			if !ok {
				return event.Value{}
			}
			start, ok := position(c.arg(env, 1))
			if !ok {
				return event.StringValue(source)
			}
			text := []rune(source)
			end, ok := position(c.arg(env, 2))
			if !ok {
				end = len(text)
			}
			start, end = clamp(start, len(text)), clamp(end, len(text))
			if start >= end {
				return event.StringValue("")
			}
			return event.StringValue(string(text[start:end]))
		}
	},
}

// clamp turns a position that may count from the end into one from 0 to n.
func clamp(i, n int) int {
	if i < 0 {
		i += n
	}
	return max(0, min(i, n))
}
