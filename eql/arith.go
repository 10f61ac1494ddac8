package eql

// Arithmetic: integers stay integers, and what Elasticsearch refuses at run time
// (overflow, division by zero) is null.

import (
	"math"
	"math/bits"
	"slices"

	"github.com/shrike-project/shrike/event"
)

// arithmetic evaluates an operator on two operands; null if one of them is null
// or no number. Two narrow operands that hold integers of 32 bits give one too.
func arithmetic(op string, l, r evaluator, narrow bool) evaluator {
	return func(env *env) event.Value {
		v, w := l(env), r(env)
		if !v.IsNumber() || !w.IsNumber() {
			return event.Value{}
		}
		if v.Kind() != event.Long || w.Kind() != event.Long {
			return doubleArithmetic(op, v.Float(), w.Float())
		}
		n := longArithmetic(op, v.Long(), w.Long())
		if narrow && isInt32(v) && isInt32(w) && !isInt32(n) {
			return event.Value{}
		}
		return n
	}
}

func isInt32(v event.Value) bool { return v.Kind() == event.Long && int64(int32(v.Long())) == v.Long() }

// narrow reports whether Elasticsearch computes an expression with integers of 32
// bits as long as they suffice: it reads no field of a wider type.
func narrow(e Expr) bool {
	switch e := e.(type) {
	case *Literal:
		return isInt32(e.Value) && e.Value.Long() != math.MinInt32 // that one is a wide number with a sign before it
	case *Negate:
		return narrow(e.X)
	case *Arith:
		return narrow(e.L) && narrow(e.R)
	case *Call:
		f := lookupFunction(e.Name)
		return f != nil && (f.result == tInteger || f == numberFunction || f.result == tNumber && allNarrow(e.Args))
	}
	return false
}

func allNarrow(list []Expr) bool {
	return !slices.ContainsFunc(list, func(e Expr) bool { return !narrow(e) })
}

func longArithmetic(op string, a, b int64) event.Value {
	n, ok := int64(0), false
	switch op {
	case "+":
		n = a + b
		ok = (n > a) == (b > 0)
	case "-":
		n = a - b
		ok = (n < a) == (b > 0)
	case "*":
		n, ok = multiplyLongs(a, b)
	case "/":
		if ok = b != 0 && !(a == math.MinInt64 && b == -1); ok {
			n = a / b
		}
	case "%":
		if ok = b != 0; ok {
			if b != -1 {
				n = a % b
			}
		}
	}
	if !ok {
		return event.Value{}
	}
	return event.LongValue(n)
}

func multiplyLongs(a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	negative := (a < 0) != (b < 0)
	switch {
	case hi != 0 || lo > 1<<63 || lo == 1<<63 && !negative:
		return 0, false
	case negative:
		return -int64(lo), true
	}
	return int64(lo), true
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

func doubleArithmetic(op string, a, b float64) event.Value {
	switch op {
	case "+":
		return event.DoubleValue(a + b)
	case "-":
		return event.DoubleValue(a - b)
	case "*":
		return event.DoubleValue(a * b)
	case "/":
		return event.DoubleValue(a / b)
	}
	return event.DoubleValue(math.Mod(a, b))
}
