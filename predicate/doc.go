// Package predicate decides for an event which of many conditions hold, without
// asking each of them. It is part of the program, not for others to build on; what a
// condition means is said by package eql alone, and the Network is held to it.
//
// Most tests look at one field. So the tests of a field are answered together: its
// values are classified once, by the exact values, literals and patterns of all
// tests, and a Matcher remembers which class a text belonged to. What is left of all
// conditions once the classes of some fields are known is a state, from which those of
// the fields that matter next lead to another; a Matcher remembers these ways too. So
// an event goes by a few states to the conditions that hold, and only tests that take
// long are made there one by one.
package predicate
