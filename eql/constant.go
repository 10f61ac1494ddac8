package eql

import "github.com/shrike-project/shrike/event"

// Constant gives the value of an expression that reads no field. It reports
// false if the expression reads one, or names a function that does not exist.
func Constant(e Expr) (event.Value, bool) {
	if !isConstant(e) {
		return event.Value{}, false
	}
	c := &compiler{fields: event.NewFieldSet(nil)}
	v := c.leaf(e).evaluator()(&env{})
	return v, len(c.problems) == 0
}
