package eql

import "github.com/shrike-project/shrike/event"

var wildcardFunction = &Function{
	Name: "wildcard",
	Params: []Param{
		{Name: "value", Types: []string{"string"}},
		{Name: "pattern", Types: []string{"string"}, Constant: true},
	},
	variadic: true, Result: "boolean", result: tBoolean, Fold: true,
	Doc:     `Whether the whole value matches one of the patterns, in which "*" is any run of characters and "?" one. The operator like does the same.`,
	Example: `wildcard("cmd.exe", "*.dll", "cmd.?xe") == true`,
	bind: func(c *boundCall) evaluator {
		return func(env *env) event.Value {
			s, ok := c.text(env, 0)
			if !ok {
				return event.Value{}
			}
			null := false
			for _, p := range c.constants[1:] {
				if p.IsNull() {
					null = true
					continue
				}
				if MatchWildcard(p.Str(), s, c.fold) {
					return event.BoolValue(true)
				}
			}
			if null {
				return event.Value{}
			}
			return event.BoolValue(false)
		}
	},
}
