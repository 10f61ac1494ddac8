// Package eql is the Event Query Language of Elasticsearch: its syntax, its
// checks, and the plain evaluator that defines what a query means.
//
//	text ─Parse─▶ Query ─Check─▶ Problems
//	                └─Compile─▶ Condition ─Matches(event)─▶ yes or no
//	                                     └─Trace(event)───▶ why
//
// Parse reads the whole language: event queries, sequences, samples and pipes.
// String prints a query so that it parses to the same tree again. Check reports
// everything wrong with a query at once, each with position, code and hint.
// Compile makes one event query (or one item of a sequence) ready to run.
//
// # Null and negation
//
// A condition is evaluated on two levels. Peel and, or, not and parentheses off
// its top; what remains are leaves. Inside a leaf, logic has three values: an
// operand that is missing makes the result unknown. A leaf holds only if it is
// true; and, or and not then combine these yes-or-no answers, so negation is the
// complement: process.name != "x" holds for an event without process.name.
//
// # Several values
//
// A leaf holds if some choice of one value for each of its fields makes it true.
//
// # Where this differs from Elasticsearch
//
// Nothing fails at run time: overflow, division by zero and text that is no
// number give null. Two fields may be compared. Every string position and length
// counts code points. The language page in docs lists all of it.
//
// The evaluator is plain on purpose. It is the oracle that faster ways of
// matching are held to.
//
// The package is part of Shrike's promised interface for other Go programs.
package eql
