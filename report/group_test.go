package report_test

import (
	"testing"

	"github.com/shrike-project/shrike/report"
)

func TestGroups(t *testing.T) {
	r := rules()
	f := func(one, two string, same bool) {
		t.Helper()
		g := report.NewGrouper(false)
		_, _ = g.Add(processAlert(r[0], 2, "h", "u", `C:\p.exe`, `C:\c.exe`, one))
		group, began := g.Add(processAlert(r[0], 1, "h", "u", `C:\p.exe`, `C:\c.exe`, two))
		if began == same {
			t.Errorf("%q and %q: one group %v, expected %v", one, two, !began, same)
		}
		if same && (group.Count != 2 || group.First.Compare(group.Last) >= 0) {
			t.Errorf("group %+v", group)
		}
	}
	f("a --pid 1", "A --PID 22", true)
	f("x 7d444840-9dc0-11d1-b245-5ffdce74fad2", "x 11111111-9dc0-11d1-b245-5ffdce74fad2", true)
	f(`C:\Users\anna\x.exe`, `C:\Users\bert\x.exe`, true)
	f("/home/anna/x", "/home/bert/x", true)
	f("x S-1-5-21-1-2-3", "x S-1-5-18", true)
	f("x deadbeef01", "x 12345678ab", true)
	f("x 0x1f", "x 0xA0", true)
	f("ping 10.0.0.1", "ping 10.0.0.2", false) // another destination
	f("x defaced", "x facades", false)         // words of the letters a to f
	f("-enc QQBB", "-enc QQBC", false)         // another content
	f("a", "b", false)

	// Of other rules, hosts, users and processes.
	g := report.NewGrouper(false)
	for i, a := range fixed() {
		if _, began := g.Add(a); began != (i != 2 && i != 4) {
			t.Errorf("alert %d begins a group: %v", i, began)
		}
	}
	// Switched off, each is its own.
	off := report.NewGrouper(true)
	for range 2 {
		if group, began := off.Add(fixed()[0]); !began || group.Count != 1 {
			t.Errorf("group %+v", group)
		}
	}
}
