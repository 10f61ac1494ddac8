// Package shrike is the map of the project.
//
//	event bytes ─event→ fields ─predicate→ hits ─sequence→ matches ─detect→ signals ─alert→ alerts
//	                eql (the language) ─ rule (the files) ┘     pipeline runs it all; source feeds it
//
// The order in which packages may import each other is the way an event takes: a
// package knows only those that come earlier.
//
//   - event turns one JSON document into typed fields.
//   - eql is the language: parser, checks, and the evaluator that defines it.
//   - windows makes ECS events of the records of Windows event logs.
//   - rule reads rule files in the three forms users have.
//   - predicate is the conditions of all rules as one network.
//   - sequence finds sequences and samples among the events that hit their items.
//   - detect runs rules over events and gives signals.
//   - coverage tells which tests of a rule a source of events never decides.
//   - alert makes the documents people see, with the reason each rule fired.
//   - eqltest is the language of test scripts.
//   - pipeline runs a scan, or live events, on several workers and keeps results in order.
//   - store keeps alerts, positions, states and keys in SQLite or PostgreSQL.
//   - source/file reads events from files, folders, archives and standard input.
//   - source/evtx reads Windows event logs.
//   - source/bulk takes events over HTTP as Elasticsearch does.
//   - source/kafka takes events from Kafka.
//   - source/nats is the journal of what was taken, and takes events from others' streams.
//   - sink sends alerts on.
//   - report turns the alerts of a scan into pages, notes, tables and layers to hand on.
//   - web is the API of the server.
//   - config reads the settings of the server; server is the server.
//   - rules are the rules that ship with Shrike.
//   - cmd/shrike is the program.
//
// event, eql, rule, detect and eqltest are for other Go programs too; the example
// shows how little it takes to detect something.
package shrike
