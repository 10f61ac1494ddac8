// Package report turns the alerts of a scan into things people hand on.
//
//	alerts ─Write─▶ facts ─▶ groups, counts (memory)
//	                  └────▶ details (a temporary file) ─Close─▶ html, markdown
//	alerts ─Write─▶ one line each ─────────────────────────────▶ csv
//
// Open gives a Writer of a kind. Alerts come one by one and are not kept: a Writer
// holds what it counts, and puts what it shows of each alert aside in a file. Close
// gets the summary of the scan and writes the rest.
//
// # Hostile content
//
// Everything an event or a rule says is foreign text. It is cut to a bounded
// length with a note, its control and direction characters are made visible, and
// then it is escaped the way its kind of report needs: see clean and each kind's
// file. Guides are Markdown with raw HTML off, sanitised once more.
//
// # Groups
//
// A Grouper puts alerts that say the same into one group; see group.go for what
// that means. Tables, pages and notes show groups; csv shows every alert.
//
// The package is part of the program, not of its promised interface.
package report
