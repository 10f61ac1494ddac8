package main

import (
	"context"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"shrike": main})
}

// TestCommands runs the command lines of testdata.
func TestCommands(t *testing.T) {
	examples, err := os.ReadFile("../../examples/endpoint.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			return os.WriteFile(env.WorkDir+"/endpoint.ndjson", examples, 0o600)
		},
	})
}

func TestStoppedScanPrintsItsSummary(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, errs tail
	p := newProgram(nil, &out, &errs, nil)
	status := p.run(ctx, []string{"scan", "-o", "jsonl", "../../examples/endpoint.ndjson"})
	if status != exitStopped || !errs.contains("Stopped before the end of the input.") || !errs.contains("0 events") {
		t.Errorf("status %d, standard error:\n%s", status, errs)
	}
}

// TestOutputIsSafe gives every command an event and a rule full of control
// characters: none may reach the terminal, and JSON stays valid.
func TestOutputIsSafe(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return dir + "/" + name
	}
	const bad = "\x1b[2J\x07\u009b31m\u0085\x7f\xff\xc2"
	const escaped = `\u001b[2J\u0007\u009b31m\u007f`
	events := write("events.ndjson", `{"event":{"category":"process"},"user":{"name":"`+escaped+"\u009b\x7f"+`"}}`+"\n"+
		`{"event":{"category":"process"},"user":{"name":"`+bad+`"}}`+"\n"+bad+"\n")
	rules := write("rules.ndjson", `{"rule_id":"1","name":"x`+escaped+`","description":"`+escaped+`","type":"eql","language":"eql","severity":"low","risk_score":1,"query":"process where user.name : \"*\" // `+escaped+`"}`+"\n"+
		`{"rule_id":"2`+escaped+`","name":"`+escaped+`","description":"`+bad+`","type":"eql","severity":"`+escaped+`","risk_score":1,"query":"process where `+escaped+`"}`+"\n")
	for _, args := range [][]string{
		{"scan", "--rules", rules, "-o", "table", "--explain", events}, {"scan", "--rules", rules, "-o", "jsonl", events}, {"scan", "--rules", rules, "-o", "json", events},
		{"scan", "--rules", rules, "-o", "html", events}, {"scan", "--rules", rules, "-o", "markdown", events}, {"scan", "--rules", rules, "-o", "navigator", events},
		{"explain", "--rules", rules, "--rule", "1", events}, {"explain", "--rules", rules, "--rule", "1", "-o", "json", events},
		{"query", "any where true", events}, {"query", "-o", "json", "any where true", events}, {"query", "sequence [any where true] [any where true]", events},
		{"query", "-o", "text", "sequence [any where true] [any where true]", events}, {"query", "any where " + bad, events}, {"scan", dir + "/" + bad},
		{"rules", "list", rules}, {"rules", "show", rules}, {"rules", "check", rules}, {"rules", "check", "-o", "json", rules}, {"test", events},
	} {
		var out, errs tail
		newProgram(nil, &out, &errs, nil).run(t.Context(), args)
		for _, r := range string(out) + string(errs) {
			if r < ' ' && r != '\n' || r >= 0x7f && r <= 0x9f {
				t.Errorf("%s prints %U:\n%q\n%q", args, r, out, errs)
				break
			}
		}
		if !utf8.ValidString(string(out)) {
			t.Errorf("%s prints invalid UTF-8:\n%q", args, out)
		}
		if slices.Contains(args, "json") || slices.Contains(args, "jsonl") || args[0] == "query" && !slices.Contains(args, "text") {
			dec := json.NewDecoder(strings.NewReader(string(out)))
			for dec.More() {
				var v any
				if err := dec.Decode(&v); err != nil {
					t.Errorf("%s prints no valid JSON: %v\n%q", args, err, out)
					break
				}
			}
		}
	}
}

// full is a place without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

func TestFullDiskFailsTheCommand(t *testing.T) {
	const event = "../../examples/slack_child.json"
	for _, args := range [][]string{
		{"rules", "list"}, {"rules", "show"}, {"rules", "check"}, {"rules", "check", "-o", "json"},
		{"test", "../../docs/examples/office_shell.test"}, {"version"}, {"completion", "bash"},
		{"scan", "-o", "table", event}, {"scan", "-o", "jsonl", event}, {"scan", "-o", "json", event},
		{"query", "any where true", event}, {"explain", "--rule", "communication_app_child", event},
	} {
		var errs tail
		status := newProgram(nil, full{}, &errs, nil).run(t.Context(), args)
		if status != exitIncomplete || !errs.contains("no space left on device") {
			t.Errorf("%q: status %d, standard error:\n%s", args, status, errs)
		}
	}
}
