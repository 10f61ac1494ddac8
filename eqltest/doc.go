// Package eqltest is the language of test scripts: events, a query or a rule, and
// what is expected of it. Rule authors write such scripts beside their rules, and
// Shrike's own behaviour is written in them.
//
//	events
//	    a: 0s process process.name=cmd.exe
//	    b: 5s process process.name=CMD.EXE
//	query
//	    process where process.name == "cmd.exe"
//	expect a
//
// A script is read strictly: an unknown word, a query nobody expects anything of
// or an empty expectation is an error, so that no typing mistake can turn a test
// into a comment. The page docs/test-scripts.md describes the language.
//
// Each case is run in several ways that must agree. A faster way of evaluating
// adds a way here rather than a second set of tests.
//
// The package is part of Shrike's promised interface for other Go programs.
package eqltest
