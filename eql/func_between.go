package eql

import "github.com/shrike-project/shrike/event"

var betweenFunction = &Function{
	Name: "between",
	Params: []Param{
		{Name: "source", Types: []string{"string"}}, {Name: "left", Types: []string{"string"}},
		{Name: "right", Types: []string{"string"}}, {Name: "greedy", Types: []string{"boolean"}, Optional: true, Constant: true},
	},
	Result: "string", result: tKeyword, Fold: true,
	Doc: "The text behind the first left and before the next right, or before the last right if greedy is true. " +
		`"" if either is not found; the source itself if left or right is empty.`,
	Example: `between("C:\\a\\b.exe", "a\\", ".exe") == "b"`,
	bind:    bindBetween,
}

func bindBetween(c *boundCall) evaluator {
	return func(env *env) event.Value {
		source, ok1 := c.text(env, 0)
		left, ok2 := c.text(env, 1)
		right, ok3 := c.text(env, 2)
		if !ok1 || !ok2 || !ok3 {
			return event.Value{}
		}
		greedy := c.arg(env, 3).Bool()
		return event.StringValue(between(source, left, right, greedy, c.fold))
	}
}

func between(source, left, right string, greedy, fold bool) string {
	if source == "" || left == "" || right == "" {
		return source
	}
	text, l, r := runes(source, fold), runes(left, fold), runes(right, fold)
	start := indexRunes(text, l, 0)
	if start < 0 {
		return ""
	}
	start += len(l)
	end := indexRunes(text, r, start)
	if greedy {
		end = lastIndexRunes(text, r)
	}
	if end < start {
		return ""
	}
	return string([]rune(source)[start:end])
}
