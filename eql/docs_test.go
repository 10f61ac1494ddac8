package eql_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/shrike-project/shrike/eql"
)

var update = flag.Bool("update", false, "rewrite the table of functions in the language page")

// TestFunctionTable holds the table in the language page to the functions there
// are.
func TestFunctionTable(t *testing.T) {
	const page, begin, end = "../docs/language.md", "<!-- functions: go test ./eql -run FunctionTable -update -->\n", "<!-- end -->"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok1 := strings.Cut(string(text), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok1 || !ok2 {
		t.Fatalf("%s has no place for the table: %s … %s", page, begin, end)
	}
	var b strings.Builder
	b.WriteString("| function | result | `~` | |\n|---|---|---|---|\n")
	for _, f := range eql.Functions() {
		fold := ""
		if f.Fold {
			fold = "yes"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s Example: `%s` |\n", f.Signature(), f.Result, fold, f.Doc, f.Example)
	}
	want := before + begin + b.String() + end + after
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(text) != want {
		t.Error("the table of functions is out of date: go test ./eql -run FunctionTable -update")
	}
}
