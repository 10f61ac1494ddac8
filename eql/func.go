package eql

// Functions: their table, and what is common to them. A function stands in a
// file func_*.go and is listed here; documentation is made from the same table.

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/shrike-project/shrike/event"
)

// Function describes one function of the language.
type Function struct {
	Name    string
	Params  []Param
	Result  string // in Elasticsearch's type names
	Fold    bool   // has a form "name~" that ignores case
	Doc     string
	Example string // an expression and its value

	result   staticType
	variadic bool // the last parameter may repeat
	bind     func(c *boundCall) evaluator
	check    func(c *checker, call *Call) // further checks of constant arguments
}

// Param is a parameter of a function.
type Param struct {
	Name     string
	Types    []string // in Elasticsearch's type names; empty: any
	Optional bool
	Constant bool // only a constant is accepted
}

// boundCall is a call whose arguments are compiled.
type boundCall struct {
	fold   bool
	narrow bool // of arithmetic: its arguments are
	args   []evaluator
	// constants holds the values of arguments that read no field, else null.
	constants []event.Value
}

// arg gives the value of argument i, or null if the call has fewer.
func (c *boundCall) arg(env *env, i int) event.Value {
	if i >= len(c.args) {
		return event.Value{}
	}
	return c.args[i](env)
}

// text gives argument i as text; false if it is null or cannot be text.
func (c *boundCall) text(env *env, i int) (string, bool) {
	return asText(c.arg(env, i))
}

// Functions lists the functions of the language, by name.
func Functions() []*Function { return functions }

var functions = []*Function{
	addFunction, betweenFunction, cidrMatchFunction, concatFunction, divideFunction, endsWithFunction,
	indexOfFunction, lengthFunction, moduloFunction, multiplyFunction, numberFunction, startsWithFunction,
	stringFunction, stringContainsFunction, substringFunction, subtractFunction, wildcardFunction,
}

// lookupFunction finds a function by name, without regard to case.
func lookupFunction(name string) *Function {
	for _, f := range functions {
		if strings.EqualFold(f.Name, name) {
			return f
		}
	}
	return nil
}

func functionNames() []string {
	names := make([]string, len(functions))
	for i, f := range functions {
		names[i] = strings.ToLower(f.Name)
	}
	return names
}

// arity gives the least and most arguments; most is -1 where there is no bound.
func (f *Function) arity() (least, most int) {
	for _, p := range f.Params {
		if !p.Optional {
			least++
		}
	}
	if f.variadic {
		return least, -1
	}
	return least, len(f.Params)
}

func (f *Function) param(i int) Param { return f.Params[min(i, len(f.Params)-1)] }

// Signature gives the function's form for people, such as
// between(source, left, right[, greedy]).
func (f *Function) Signature() string {
	var b strings.Builder
	b.WriteString(f.Name + "(")
	for i, p := range f.Params {
		switch {
		case p.Optional:
			b.WriteString("[")
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(p.Name + "]")
			continue
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(p.Name)
	}
	if f.variadic {
		b.WriteString(", …")
	}
	return b.String() + ")"
}

var countWords = []string{"zero", "one", "two", "three", "four", "five"}

// arityText says how many arguments the function takes.
func (f *Function) arityText() string {
	least, most := f.arity()
	switch {
	case most < 0:
		return fmt.Sprintf("at least %s %s", countWords[least], plural(least, "argument"))
	case least == most:
		return fmt.Sprintf("exactly %s %s", countWords[least], plural(least, "argument"))
	}
	return fmt.Sprintf("%s or %s arguments", countWords[least], countWords[most])
}

func plural(n int, word string) string {
	if n == 1 {
		return word
	}
	return word + "s"
}

// asText gives a value as text where it is a string, or a number or boolean of a
// field without a known type, which may as well be a keyword.
func asText(v event.Value) (string, bool) {
	switch {
	case v.Kind() == event.String || v.Kind() == event.Version:
		return v.Str(), true
	case v.Natural() && !v.IsNull():
		return v.Text(), true
	}
	return "", false
}

// runes splits text into code points, lower-cased one by one with fold, so that
// positions stay the same.
func runes(s string, fold bool) []rune {
	list := []rune(s)
	if fold {
		for i, r := range list {
			list[i] = unicode.ToLower(r)
		}
	}
	return list
}

// indexRunes finds part in text at or behind start; -1 if it is not there.
func indexRunes(text, part []rune, start int) int {
	for i := start; i+len(part) <= len(text); i++ {
		if equalRunes(text[i:i+len(part)], part) {
			return i
		}
	}
	return -1
}

func lastIndexRunes(text, part []rune) int {
	for i := len(text) - len(part); i >= 0; i-- {
		if equalRunes(text[i:i+len(part)], part) {
			return i
		}
	}
	return -1
}

func equalRunes(a, b []rune) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
