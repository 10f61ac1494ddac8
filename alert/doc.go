// Package alert turns signals into alerts: the documents Elastic's detection
// engine would write, with Shrike's explanation added.
//
//	Signal ─Build─▶ Alert (document, reason, why)
//
// The fields, the reason sentence and the identity of an alert are those of
// Kibana's security solution. What Shrike adds stands below the one field
// "shrike".
//
// # Documents
//
// A document is mostly its rule's: the texts of the rule and of the query are written
// once and shared by all alerts. Build reads the event as a tree, copies of it what
// does not fit as it is, and writes the bytes that are the alert's own; so the work is
// done by whoever builds, and AppendJSON only puts the pieces together. The way over
// maps and encoding/json, which defines what is right, is kept in the tests.
//
// The package has no clock and does no I/O. It is part of the program, not of
// its promised interface.
package alert
