package predicate_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/shrike-project/shrike/eql"
)

// TestCells compares fields with whole numbers in all ways, at and beside the numbers.
func TestCells(t *testing.T) {
	var queries []*eql.EventQuery
	for _, test := range []string{
		"== 4", "!= 4", "< 4", "<= 5", "> 7", ">= 7", "in (1, 9, 4)", "not in (5, 7)", "> 0", "< 0", "== 0", "< 1000000000000",
		fmt.Sprintf("== %d", math.MaxInt64), fmt.Sprintf("< %d", math.MaxInt64), fmt.Sprintf(">= %d", math.MaxInt64), "== null", "!= null",
	} {
		queries = append(queries, parseQueries(t, "any where process.pid "+test)...)
	}
	for _, list := range [][]*eql.EventQuery{queries[:15], queries, queries[:1], queries[2:6]} {
		w := newWorld(t, list)
		hits := 0
		for _, value := range []string{
			"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "-1", "4.0", "4.5", "4e0", `"4"`, `" 4"`, `""`, "true", "null", "[4]", "[4, 8]", "[]",
			"999999999999", "1000000000000", "999999999999999999", "1000000000000000000", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
		} {
			hits += w.hits(t, []byte(`{"process":{"pid":`+value+`}}`))
		}
		if hits == 0 {
			t.Error("nothing holds")
		}
	}
}
