// Package alert turns signals into alerts: the documents Elastic's detection
// engine would write, with Shrike's explanation added.
//
//	Signal ─Build─▶ Alert (document, reason, why)
//
// The fields, the reason sentence and the identity of an alert are those of
// Kibana's security solution. What Shrike adds stands below the one field
// "shrike".
//
// The package has no clock and does no I/O. It is part of the program, not of
// its promised interface.
package alert
