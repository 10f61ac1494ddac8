// Package rule reads detection rules.
//
//	rule files ─Load─▶ Set (rules, exception lists, problems)
//
// Three forms are read, told apart by what a file holds: the TOML files of the
// detection-rules repository, the NDJSON that Kibana exports, and the rule's
// page in Elastic's documentation. All three become the same Rule.
//
// Reading never stops at a fault. A broken rule is listed with its problems, a
// rule of a type or language that cannot run is listed with the reason, and the
// others are loaded. Whatever a rule says is kept: what has no field of its own
// is in Params.
//
// Kibana's rule type, fields and defaults are those of its detection engine API.
//
// The package is part of Shrike's promised interface for other Go programs.
package rule
