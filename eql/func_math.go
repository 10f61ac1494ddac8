package eql

// add, subtract, multiply, divide, modulo: the arithmetic operators as functions.

var numberParams = []Param{{Name: "a", Types: []string{"numeric"}}, {Name: "b", Types: []string{"numeric"}}}

func arithFunction(name, op, doc, example string) *Function {
	return &Function{
		Name: name, Params: numberParams, Result: "number", result: tNumber, Doc: doc, Example: example,
		bind: func(c *boundCall) evaluator { return arithmetic(op, c.args[0], c.args[1], c.narrow) },
	}
}

var (
	addFunction      = arithFunction("add", "+", "The sum of two numbers.", "add(7, 3.5) == 10.5")
	subtractFunction = arithFunction("subtract", "-", "The difference of two numbers.", "subtract(-2, 4) == -6")
	multiplyFunction = arithFunction("multiply", "*", "The product of two numbers.", "multiply(2, 4.0) == 8.0")
	divideFunction   = arithFunction("divide", "/", "The quotient of two numbers. Between integers it is cut towards zero; division by zero gives null.", "divide(7, 2) == 3")
	moduloFunction   = arithFunction("modulo", "%", "The remainder of a division; it has the sign of the dividend.", "modulo(-10, 6) == -4")
)
