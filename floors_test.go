package shrike_test

import (
	"os/exec"
	"strings"
	"testing"
)

// floors lists the packages by floor, the lowest first. An import may only go
// down; packages of one floor do not know each other, but for floor 0 and the
// program.
var floors = [][]string{
	{"event", "internal/"},
	{"eql", "windows"},
	{"rule", "predicate", "sequence"},
	{"detect", "lint", "coverage"},
	{"alert"},
	{"eqltest", "store", "pipeline"},
	{"source/", "sink", "report", "web"},
	{"", "cmd/", "config", "server", "rules", "bench", "bench/"},
}

// only names packages that may know less than their floor allows.
var only = map[string][]string{
	"source/":   {"event", "windows"},
	"sink":      {"alert", "event"},
	"store":     {"alert", "event"},
	"web":       {"alert", "event", "store"},
	"report":    {"alert", "detect", "event", "rule"},
	"windows":   {"event"},
	"predicate": {"eql", "event"},
	"sequence":  {"eql", "event"},
}

const module = "github.com/shrike-project/shrike"

// floorOf gives the floor of a package and the entry that says so; -1 if none does.
func floorOf(pkg string) (int, string) {
	for floor, entries := range floors {
		for _, entry := range entries {
			if pkg == entry || strings.HasSuffix(entry, "/") && strings.HasPrefix(pkg, entry) {
				return floor, entry
			}
		}
	}
	return -1, ""
}

// TestImportsPointDown holds the real imports to the floors.
func TestImportsPointDown(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	packages := 0
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		words := strings.Fields(line)
		pkg := local(words[0])
		packages++
		floor, entry := floorOf(pkg)
		if floor < 0 {
			t.Errorf("package %q has no floor", pkg)
			continue
		}
		for _, imported := range words[1:] {
			if imported != module && !strings.HasPrefix(imported, module+"/") {
				continue
			}
			other := local(imported)
			otherFloor, _ := floorOf(other)
			program := floor == len(floors)-1
			if otherFloor > floor || otherFloor == floor && floor > 0 && !program {
				t.Errorf("%s imports %s, which is on floor %d and not below %d", pkg, other, otherFloor, floor)
			}
			if allowed, ok := only[entry]; ok && !contains(allowed, other) {
				t.Errorf("%s imports %s; it may know only %v", pkg, other, allowed)
			}
		}
	}
	if packages < 8 {
		t.Errorf("only %d packages found", packages)
	}
}

func local(path string) string { return strings.TrimPrefix(strings.TrimPrefix(path, module), "/") }

func contains(list []string, s string) bool {
	for _, e := range list {
		if e == s || strings.HasSuffix(e, "/") && strings.HasPrefix(s, e) {
			return true
		}
	}
	return false
}
