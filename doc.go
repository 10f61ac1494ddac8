// Package shrike is the map of the project.
//
//	event bytes ─event→ fields ─→ hits ─→ matches ─detect→ signals ─alert→ alerts
//	                eql (the language) ─ rule (the files) ┘     pipeline runs it all; source feeds it
//
// The order in which packages may import each other is the way an event takes: a
// package knows only those that come earlier.
//
//   - event turns one JSON document into typed fields.
//   - eql is the language: parser, checks, and the evaluator that defines it.
//   - rule reads rule files in the three forms users have.
//   - detect runs rules over events and gives signals.
//   - coverage tells which tests of a rule a source of events never decides.
//   - alert makes the documents people see, with the reason each rule fired.
//   - eqltest is the language of test scripts.
//   - pipeline runs a scan on several workers and keeps its results in order.
//   - source/file reads events from files and standard input.
//   - report turns the alerts of a scan into pages, notes, tables and layers to hand on.
//   - rules are the rules that ship with Shrike.
//   - cmd/shrike is the program.
//
// event, eql, rule, detect and eqltest are for other Go programs too; the example
// shows how little it takes to detect something.
package shrike
