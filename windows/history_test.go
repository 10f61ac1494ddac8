package windows_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/windows"
)

func record(provider string, id uint32, sec int64, data ...string) *windows.Record {
	r := &windows.Record{Provider: provider, EventID: id, Computer: "WS-1", Channel: "Security", Time: event.Time{Sec: sec}, Timed: true}
	for i := 0; i < len(data); i += 2 {
		r.Data = append(r.Data, windows.Item{Name: data[i], Value: data[i+1]})
	}
	return r
}

func started(sec int64, pid, parent string, path, parentPath, line string) *windows.Record {
	return record("Microsoft-Windows-Security-Auditing", 4688, sec, "NewProcessId", pid, "NewProcessName", path,
		"ProcessId", parent, "ParentProcessName", parentPath, "CommandLine", line)
}

func sysmonStarted(sec int64, guid, pid, path, parentGuid string) *windows.Record {
	return record("Microsoft-Windows-Sysmon", 1, sec, "ProcessGuid", guid, "ProcessId", pid, "Image", path,
		"ParentProcessGuid", parentGuid, "CommandLine", path+" /s", "CurrentDirectory", `C:\work\`)
}

const (
	guidA = "{00000000-0000-0000-0000-00000000000A}"
	guidB = "{00000000-0000-0000-0000-00000000000B}"
)

func TestHistoryOfSecurity(t *testing.T) {
	h := windows.NewHistory(0)
	a := started(100, "0x10", "0x4", `C:\a.exe`, `C:\old.exe`, "a one two")
	b := started(101, "0x20", "0x10", `C:\b.exe`, `C:\A.EXE`, "b")
	c := started(102, "0x30", "0x20", `C:\c.exe`, `C:\b.exe`, "c")
	end := record("Microsoft-Windows-Security-Auditing", 4689, 103, "ProcessId", "0x30", "ProcessName", `C:\c.exe`)
	reused := started(104, "0x40", "0x10", `C:\d.exe`, `C:\other.exe`, "d") // the pid of a, but not a
	for _, r := range []*windows.Record{a, b, c, end, reused} {
		h.Complete(r)
	}
	if a.Lineage.EntityID != "WS-1-16-100.0000000" || a.Lineage.ParentID != "" {
		t.Errorf("first start: %+v", a.Lineage)
	}
	if got := fmt.Sprint(c.Lineage.Ancestry); got != "[WS-1-32-101.0000000 WS-1-16-100.0000000]" {
		t.Errorf("ancestry: %s", got)
	}
	if end.Lineage.EntityID != c.Lineage.EntityID || end.Lineage.ParentExecutable != `C:\b.exe` {
		t.Errorf("end: %+v", end.Lineage)
	}
	if reused.Lineage.ParentID != "" {
		t.Errorf("a pid of another process became the parent: %+v", reused.Lineage)
	}
	doc := event.Document(windows.NewMapper().Append(nil, b))
	parent := doc["process"].(map[string]any)["parent"].(map[string]any)
	want := `{"args":["a","one","two"],"args_count":3,"command_line":"a one two","entity_id":"WS-1-16-100.0000000","executable":"C:\\A.EXE","name":"A.EXE","pid":16}`
	if got, _ := json.Marshal(parent); string(got) != want {
		t.Errorf("parent: %s\nwant    %s", got, want)
	}
}

// TestOneStart: what both logs report is recognised, whichever comes first.
func TestOneStart(t *testing.T) {
	f := func(name string, first, second *windows.Record, entity, same string) {
		t.Helper()
		h := windows.NewHistory(0)
		h.Complete(first)
		h.Complete(second)
		if second.Lineage.EntityID != entity || second.Lineage.Start != same {
			t.Errorf("%s: %+v", name, second.Lineage)
		}
	}
	f("sysmon first", sysmonStarted(100, guidA, "16", `C:\a.exe`, guidB), started(100, "0x10", "0x4", `C:\A.exe`, "", ""), guidA, guidA)
	f("security first", started(100, "0x10", "0x4", `C:\a.exe`, "", ""), sysmonStarted(101, guidA, "16", `C:\a.exe`, guidB), "", "WS-1-16-100.0000000")
	f("another program", sysmonStarted(100, guidA, "16", `C:\b.exe`, guidB), started(100, "0x10", "0x4", `C:\a.exe`, "", ""), "WS-1-16-100.0000000", "")
	f("much later", sysmonStarted(100, guidA, "16", `C:\a.exe`, guidB), started(200, "0x10", "0x4", `C:\a.exe`, "", ""), "WS-1-16-200.0000000", "")
	f("the same log", started(100, "0x10", "0x4", `C:\a.exe`, "", ""), started(101, "0x10", "0x4", `C:\a.exe`, "", ""), "WS-1-16-101.0000000", "")
}

// TestHistoryForgets: memory is bounded, and what was forgotten is not found.
func TestHistoryForgets(t *testing.T) {
	h := windows.NewHistory(3)
	for i := range 10 {
		h.Complete(started(int64(i), fmt.Sprintf("0x%x", 16+i), "0x4", `C:\a.exe`, "", ""))
	}
	old := started(20, "0x100", "0x10", `C:\b.exe`, `C:\a.exe`, "")
	young := started(21, "0x101", "0x19", `C:\b.exe`, `C:\a.exe`, "")
	h.Complete(old)
	h.Complete(young)
	if old.Lineage.ParentID != "" || young.Lineage.ParentID == "" {
		t.Errorf("old %+v, young %+v", old.Lineage, young.Lineage)
	}
}

// TestHistoryOfRecordings counts over all recordings how many starts of the Security
// log find the report of Sysmon, and how many starts find a parent.
func TestHistoryOfRecordings(t *testing.T) {
	t.Parallel()
	var starts, twice, parents int
	for _, file := range sharedFiles(t, "windows-json/*.json.gz") {
		if strings.Contains(file, "log4shell") || filepath.Base(file) == "metasploit_comsvcs_lsass_memory_dump.json.gz" && testing.Short() {
			continue
		}
		h, p := windows.NewHistory(0), new(windows.Parser)
		lines(t, read(t, file), func(doc []byte) {
			var r windows.Record
			if err := p.Parse(doc, windows.Native, &r); err != nil {
				t.Fatal(err)
			}
			h.Complete(&r)
			sysmon := r.Provider == "Microsoft-Windows-Sysmon"
			if sysmon && r.EventID == 1 || !sysmon && r.EventID == 4688 {
				starts++
				if r.Lineage.Start != "" {
					twice++
				}
				if r.Lineage.ParentExecutable != "" {
					parents++
				}
			}
		})
	}
	t.Logf("%d starts, %d reported before by the other log, %d with a remembered parent", starts, twice, parents)
	if starts < 300 || twice*3 < starts || parents*4 < starts {
		t.Errorf("%d starts, %d reported before, %d with a parent", starts, twice, parents)
	}
}

func BenchmarkHistory(b *testing.B) {
	h := windows.NewHistory(0)
	r := started(0, "0x10", "0x4", `C:\a.exe`, `C:\b.exe`, "a one two")
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.Time.Sec = int64(i)
		r.Lineage = windows.Lineage{}
		h.Complete(r)
	}
}

// TestHistoryOutOfOrder reads one log after the other: a process of a later time does
// not become the parent of an earlier one, and a start is found again among those of
// its pid.
func TestHistoryOutOfOrder(t *testing.T) {
	h := windows.NewHistory(0)
	early := sysmonStarted(100, guidA, "16", `C:\a.exe`, "")
	late := sysmonStarted(900, guidB, "16", `C:\a.exe`, "")
	child := started(101, "0x20", "0x10", `C:\b.exe`, `C:\a.exe`, "b")
	again := started(100, "0x10", "0x4", `C:\a.exe`, `C:\old.exe`, "a")
	before := started(50, "0x30", "0x10", `C:\c.exe`, `C:\a.exe`, "c")
	for _, r := range []*windows.Record{early, late, child, again, before} {
		h.Complete(r)
	}
	if got := child.Lineage.ParentID; got != guidA {
		t.Errorf("the parent is %s, want the one that ran then", got)
	}
	if again.Lineage.Start != guidA {
		t.Errorf("the second report names %q", again.Lineage.Start)
	}
	if before.Lineage.ParentID != "" {
		t.Errorf("a parent that started later: %+v", before.Lineage)
	}
}

func TestCopiesShareNothing(t *testing.T) {
	buf := []byte("namevalueSecurity")
	text := func(from, to int) string { return string(buf[from:to]) }
	r := &windows.Record{Channel: text(9, 17), Data: []windows.Item{{Name: text(0, 4), Value: text(4, 9)}}, KeywordSet: []string{"k"}}
	var c windows.Record
	r.CopyTo(&c)
	r.Data[0].Value, r.KeywordSet[0] = "other", "other"
	if c.Get("name") != "value" || c.Channel != "Security" || c.KeywordSet[0] != "k" {
		t.Errorf("%+v", c)
	}
}
