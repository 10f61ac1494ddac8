// Package rules holds the detection rules that ship with Shrike, each with its
// test script beside it.
package rules

import "embed"

// FS holds the rules and their test scripts.
//
//go:embed *.toml *.test
var FS embed.FS
