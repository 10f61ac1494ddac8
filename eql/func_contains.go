package eql

// startsWith, endsWith, stringContains: tests for a part of a text.

import (
	"strings"

	"github.com/shrike-project/shrike/event"
)

var partParams = []Param{{Name: "source", Types: []string{"string"}}, {Name: "part", Types: []string{"string"}}}

func partFunction(name, doc, example string, test func(source, part string) bool) *Function {
	return &Function{
		Name: name, Params: partParams, Result: "boolean", result: tBoolean, Fold: true, Doc: doc, Example: example,
		bind: func(c *boundCall) evaluator {
			return func(env *env) event.Value {
				source, ok1 := c.text(env, 0)
				part, ok2 := c.text(env, 1)
				if !ok1 || !ok2 {
					return event.Value{}
				}
				if c.fold {
					source, part = lower(source), lower(part)
				}
				return event.BoolValue(test(source, part))
			}
		},
	}
}

var (
	startsWithFunction = partFunction("startsWith", "Whether the source begins with part. An empty part always is there.",
		`startsWith("regsvr32.exe", "regsvr") == true`, strings.HasPrefix)
	endsWithFunction = partFunction("endsWith", "Whether the source ends with part. An empty part always is there.",
		`endsWith~("REGSVR32.EXE", ".exe") == true`, strings.HasSuffix)
	stringContainsFunction = partFunction("stringContains", "Whether part is somewhere in the source. An empty part never is.",
		`stringContains("start regsvr32", "regsvr") == true`,
		func(source, part string) bool { return part != "" && strings.Contains(source, part) })
)
