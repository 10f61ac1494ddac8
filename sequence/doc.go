// Package sequence follows queries that need several events: sequences, with
// missing events, runs and until, and samples.
//
//	event + items hit ─▶ keys ─▶ Tracker ─▶ Match
//	                                ▲
//	                        Advance(watermark)
//
// A Plan is one compiled sequence or sample. A Tracker holds its unfinished
// matches, at most one for each key and step: a newer event replaces an older one
// at the same step, as Elasticsearch does. The package evaluates no conditions:
// who calls it says which items of the query an event hits.
//
// # Time
//
// Events arrive in the order of time, then tiebreaker, then arrival; detect puts
// them into it. maxspan counts from the first event to the last, by the full
// precision of their times, and equality is within; missing events are compared by
// milliseconds. Advance says that no earlier event will come: it drops
// what can no longer complete, and completes what only waited for an event that
// did not come ("![…]").
//
// # Memory
//
// Of an event a Record is kept, once, shared by all unfinished matches of all
// rules that need it. A key with one unfinished match costs about 250 bytes beside
// the bytes of its event, the record and the text of the key included. Keys expire
// by maxspan; without one, by the bounds of Options.
//
// # Invariants
//
//   - Observe allocates nothing for an event that hits no item.
//   - A snapshot that is restored gives a Tracker that answers the same.
package sequence
