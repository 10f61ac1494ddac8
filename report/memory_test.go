package report_test

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/shrike-project/shrike/report"
)

// TestAlertsAreNotKept writes large alerts that are all different: what stays in
// memory of each is a small part of it.
func TestAlertsAreNotKept(t *testing.T) {
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	n, most := int64(2000), int64(1500)
	if raced {
		n /= 4
	}
	for _, kind := range report.Kinds() {
		w, err := report.Open(kind, io.Discard, report.Options{TempDir: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		make := many()
		before := heap()
		for i := range int(n) {
			a := make(i)
			change(a, func(doc map[string]any) {
				doc["message"] = strings.Repeat(fmt.Sprint(i, " "), 39_000/len(fmt.Sprint(i, " ")))
			})
			if err := w.Write(a); err != nil {
				t.Fatal(err)
			}
		}
		each := (heap() - before) / n
		t.Logf("%s keeps %d bytes of each alert", kind, each)
		if each > most {
			t.Errorf("%s keeps %d bytes of each alert, expected %d at most", kind, each, most)
		}
		if err := w.Close(summary); err != nil {
			t.Fatal(err)
		}
	}
}
