package coverage_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/shrike-project/shrike/coverage"
	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/eqltest"
	"github.com/shrike-project/shrike/rule"
	"github.com/shrike-project/shrike/rules"
)

func source(t testing.TB, name string) *coverage.Source {
	t.Helper()
	for _, s := range coverage.Known() {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no source %s", name)
	return nil
}

func parse(t testing.TB, query string) *rule.Rule {
	t.Helper()
	q, err := eql.Parse(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return &rule.Rule{EQL: q, Name: query}
}

// text writes a result as the tables of the tests have it.
func text(r coverage.Result) string {
	out := string(r.Status)
	if r.Status == coverage.Degraded {
		out = r.Effects()
	}
	for _, l := range r.Lacks {
		step := ""
		if l.Step != "" {
			step = l.Step + " "
		}
		out += fmt.Sprintf("; %s%s %s", step, l.Effect, l.Test)
	}
	return out
}

func TestRulesOnSysmon(t *testing.T) {
	sysmon := source(t, "sysmon")
	f := func(query, want string) {
		t.Helper()
		if got := text(coverage.Compile(parse(t, query), coverage.Options{}).On(sysmon)); got != want {
			t.Errorf("%s\n got %s\nwant %s", query, got, want)
		}
	}
	// What the events say of themselves.
	f(`process where event.type == "start" and process.name : "cmd.exe"`, "full")
	f(`process where host.os.type == "linux" and process.name : "sh"`, "not applicable")
	f(`process where event.type == "fork"`, "not applicable")
	f(`process where event.action == "exec"`, "not applicable")
	f(`process where event.action : "Process Create*"`, "full")
	f(`library where dll.name : "x.dll"`, "not applicable")
	f(`any where event.category == "library" and dll.name : "x" or event.category == "process" and process.name : "x"`, "full")
	f(`any where event.code == "1" and process.name : "x"`, "full")
	f(`any where event.provider == "Microsoft-Windows-Security-Auditing" and process.name : "x"`, "not applicable")
	f(`process where true`, "full")

	// Missing fields.
	f(`process where process.Ext.token.elevation == true`, "blind; blind process.Ext.token.elevation == true")
	f(`process where process.name : "x" and not process.code_signature.trusted == true`, "noisy; noisy process.code_signature.trusted == true")
	f(`process where process.name : "x" and process.code_signature.trusted != true`, "noisy; noisy process.code_signature.trusted != true")
	f(`process where process.code_signature.exists == false or process.name : "x"`, "partly blind; blind process.code_signature.exists == false")
	f(`process where not (process.name : "x" and (process.executable : "y" or process.code_signature.trusted == true))`, "noisy; noisy process.code_signature.trusted == true")
	f(`process where not (process.name : "x" and not process.code_signature.trusted == true)`, "partly blind; blind process.code_signature.trusted == true")
	f(`process where process.code_signature.subject_name == null and process.name : "x"`, "noisy; noisy process.code_signature.subject_name == null")
	f(`process where process.code_signature.subject_name != null and process.name : "x"`, "blind; blind process.code_signature.subject_name != null")
	f(`process where ?process.code_signature.subject_name == null or process.code_signature.subject_name : "x"`, "noisy; noisy ?process.code_signature.subject_name == null")
	// One test decides for the others beside it.
	f(`process where not (process.code_signature.trusted == true and process.code_signature.subject_name : "x")`, "noisy; noisy process.code_signature.trusted == true; noisy process.code_signature.subject_name : \"x\"")
	f(`process where not (process.code_signature.trusted == true and (process.code_signature.subject_name : "x" or process.name : "y"))`, "noisy; noisy process.code_signature.trusted == true; noisy process.code_signature.subject_name : \"x\"")

	// By the kind of record: an end has no command line, a start does.
	f(`process where event.type == "end" and process.command_line : "x"`, "blind; blind process.command_line : \"x\"")
	f(`process where process.command_line : "x"`, "full")

	// Functions, several fields, other views of a field.
	f(`process where length(process.Ext.device.serial_number) > 3`, "blind; blind length(process.Ext.device.serial_number) > 3")
	f(`process where not startsWith(process.name, process.Ext.device.serial_number)`, "noisy; noisy startsWith(process.name, process.Ext.device.serial_number)")
	f(`process where process.name in ("a", process.Ext.device.serial_number)`, "partly blind; blind process.name in (\"a\", process.Ext.device.serial_number)")
	f(`process where process.name.caseless == "cmd.exe"`, "full")

	// Sequences.
	f(`sequence by process.entity_id [process where event.type == "start"] [network where destination.port == 443]`, "full")
	f(`sequence by process.entity_id [process where event.type == "start"] [library where dll.name : "x"]`, "blind; 2 blind library where dll.name : \"x\"")
	f(`sequence by process.Ext.device.serial_number [process where true] [network where true]`, "blind; 1 blind by process.Ext.device.serial_number; 2 blind by process.Ext.device.serial_number")
	f(`sequence by ?process.Ext.device.serial_number [process where true] [network where true]`, "noisy; 1 noisy by ?process.Ext.device.serial_number; 2 noisy by ?process.Ext.device.serial_number")
	f(`sequence with maxspan=1m [process where true] ![library where dll.name : "x"]`, "noisy; 2 noisy library where dll.name : \"x\"")
	f(`sequence [process where true] [network where true] until [process where process.Ext.token.elevation == true]`, "noisy; until noisy process.Ext.token.elevation == true")
	f(`sequence [library where true] [process where host.os.type == "macos"]`, "not applicable")
	f(`sample by host.id [process where process.name : "a"] [process where process.code_signature.trusted == true]`, "blind; 2 blind process.code_signature.trusted == true")
}

func TestIndexPatterns(t *testing.T) {
	r := parse(t, `process where process.code_signature.trusted == true or process.name : "a"`)
	r.Index = []string{"logs-endpoint.events.process-*"}
	res := coverage.Compile(r, coverage.Options{}).On(source(t, "sysmon"))
	if res.Status != coverage.NotApplicable || res.WithoutIndex != coverage.Degraded {
		t.Errorf("other patterns: %+v", res)
	}
	r.Index = append(r.Index, "logs-windows.sysmon_operational-*")
	if res := coverage.Compile(r, coverage.Options{}).On(source(t, "sysmon")); res.Status != coverage.Degraded || res.WithoutIndex != "" {
		t.Errorf("a pattern that matches: %+v", res)
	}
	r.Index = r.Index[:1]
	if res := coverage.Compile(r, coverage.Options{IgnoreIndex: true}).On(source(t, "sysmon")); res.Status != coverage.Degraded {
		t.Errorf("patterns ignored: %+v", res)
	}
}

// shipped gives the rule that ships with Shrike.
func shipped(t testing.TB) *rule.Rule {
	t.Helper()
	set, err := rule.Load(rules.FS, ".", "")
	if err != nil || len(set.Rules) != 1 {
		t.Fatal(err, len(set.Rules))
	}
	return set.Rules[0]
}

// TestSeedOnSysmon: Sysmon says nothing of signatures, so the exemptions of signed
// programs never hold.
func TestSeedOnSysmon(t *testing.T) {
	res := coverage.Compile(shipped(t), coverage.Options{IgnoreIndex: true}).On(source(t, "sysmon"))
	if res.Status != coverage.Degraded || !res.Noisy || res.Blind || res.PartlyBlind {
		t.Errorf("%+v", res)
	}
	if len(res.Lacks) < 7 { // one for each client at least
		t.Errorf("%d tests", len(res.Lacks))
	}
	for _, l := range res.Lacks {
		if l.Effect != coverage.Noisy || !strings.HasPrefix(l.Fields[0], "process.code_signature.") || l.Line < 2 {
			t.Errorf("%+v", l)
		}
	}
}

// TestCorpusOnWindows prints what the public rules come to on Windows event logs.
func TestCorpusOnWindows(t *testing.T) {
	name := os.Getenv("SHRIKE_CORPUS")
	if name == "" {
		name = "../../shared/corpus/rules.tar.gz"
	}
	tree, err := eqltest.OpenTree(name)
	if err != nil {
		t.Skipf("no corpus of rules: %v (set SHRIKE_CORPUS)", err)
	}
	set, err := rule.Load(tree, ".", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, ignore := range []bool{false, true} {
		var compiled []*coverage.Rule
		for _, r := range set.Rules {
			if c := coverage.Compile(r, coverage.Options{IgnoreIndex: ignore}); c != nil {
				compiled = append(compiled, c)
			}
		}
		if len(compiled) < 700 {
			t.Errorf("only %d rules", len(compiled))
		}
		fmt.Printf("coverage of %d corpus rules, index patterns ignored: %v\n", len(compiled), ignore)
		for _, s := range coverage.Known() {
			var c coverage.Counts
			for _, r := range compiled {
				res := r.On(s)
				c.Add(res)
				if (res.Status == coverage.Degraded) != (len(res.Lacks) > 0) || res.Status == coverage.Degraded && res.Effects() == "" {
					t.Errorf("%s on %s: %+v", r.Rule.Name, s.Name, res)
				}
			}
			fmt.Printf("    %-20s %s\n", s.Name, c)
			if c.Full+c.Degraded+c.NotApplicable != len(compiled) {
				t.Errorf("%s: %+v do not add up", s.Name, c)
			}
			if ignore && s.Name == "sysmon" && (c.Full < 200 || c.Noisy < 10) {
				t.Errorf("%s: %+v", s.Name, c)
			}
		}
	}
}

func TestRecognise(t *testing.T) {
	known := coverage.Known()
	f := func(provider, dataset, want string) {
		t.Helper()
		got := ""
		if s := coverage.Recognise(known, provider, dataset); s != nil {
			got = s.Name
		}
		if got != want {
			t.Errorf("%s %s is %q", provider, dataset, got)
		}
	}
	f("Microsoft-Windows-Sysmon", "", "sysmon")
	f("", "windows.sysmon_operational", "sysmon")
	f("Microsoft-Windows-Eventlog", "system.security", "eventlog")
	f("Some-Other", "system.security", "")
	f("", "endpoint.events.process", "")
	if names := coverage.Known(); !slices.ContainsFunc(names, func(s *coverage.Source) bool { return s.Name == "security" }) {
		t.Error("no security")
	}
}
