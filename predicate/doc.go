// Package predicate decides for an event which of many conditions hold, without
// asking each of them. It is part of the program, not for others to build on; what a
// condition means is said by package eql alone, and the Network is held to it.
//
// Most tests look at one field. So the tests of a field are answered together: its
// values are classified once, by the exact values, literals and patterns of all
// tests, and a Matcher remembers which class a text belonged to. Of each condition
// follows, for each field it looks at, what must hold of that field alone; a class
// therefore rules out whole sets of conditions, and a few of those sets, intersected,
// leave the few conditions that are looked at in full.
package predicate
