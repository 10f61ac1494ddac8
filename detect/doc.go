// Package detect turns events into signals: rules in, events in, signals out.
//
//	rules ─New─▶ Detector ─Match(event)─▶ Hits ─Signals─▶ Signal
//
// Which rules hit an event depends on the event alone, so events are matched by
// many goroutines at once, each with a Matcher of its own. The same events and
// rules always give the same signals.
//
// # Which events a rule looks at
//
// A rule names index patterns. They are compared with the event's data stream
// (data_stream.type, .dataset and .namespace), else with the index its search
// hit came from, else with the index the caller names. An event of which none
// is known is shown to every rule.
//
// The package is part of Shrike's promised interface for other Go programs.
package detect
