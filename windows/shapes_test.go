package windows_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/windows"
)

// counts are the figures of a file in the data's README: events, Sysmon 1, 4688.
type counts struct{ events, sysmon1, security4688 int }

// readmeCounts reads them from the table of the README.
func readmeCounts(t *testing.T) map[string]counts {
	row := regexp.MustCompile(`(?m)^\| (\w+) \|.*?\| ([\d,]+) \| (\d+) \| (\d+) \|`)
	out := map[string]counts{}
	for _, m := range row.FindAllStringSubmatch(string(read(t, sharedFiles(t, "README.md")[0])), -1) {
		n := func(s string) int {
			v, _ := strconv.Atoi(strings.ReplaceAll(s, ",", ""))
			return v
		}
		out[m[1]] = counts{n(m[2]), n(m[3]), n(m[4])}
	}
	return out
}

// TestRecordings reads all of windows-json: every line is recognised and becomes an
// event, and the figures are those of the README.
func TestRecordings(t *testing.T) {
	files := sharedFiles(t, "windows-json/*.json.gz")
	want := readmeCounts(t)
	if len(files) != 32 || len(want) != 32 {
		t.Errorf("%d files and %d rows of figures, want 32", len(files), len(want))
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json.gz")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := recording(t, read(t, file)); got != want[name] {
				t.Errorf("%+v, want %+v", got, want[name])
			}
		})
	}
}

func recording(t *testing.T, data []byte) counts {
	var n counts
	m, p := windows.NewMapper(), new(windows.Parser)
	var r windows.Record
	var out []byte
	lines(t, data, func(doc []byte) {
		n.events++
		if err := p.Parse(doc, windows.Native, &r); err != nil {
			t.Fatalf("line %d: %v in %.300s", n.events, err, doc)
		}
		out = m.Append(out[:0], &r)
		check(t, &r, out)
		switch {
		case r.Provider == "Microsoft-Windows-Sysmon" && r.EventID == 1:
			n.sysmon1++
		case r.Channel == "Security" && r.EventID == 4688:
			n.security4688++
		}
	})
	return n
}

// check holds an event to what all events have.
func check(t *testing.T, r *windows.Record, out []byte) {
	if !json.Valid(out) {
		t.Fatalf("invalid JSON: %s", out)
	}
	doc := event.Document(out)
	get := func(path string) any {
		var v any = doc
		for _, word := range strings.Split(path, ".") {
			object, ok := v.(map[string]any)
			if !ok {
				return nil
			}
			v = object[word]
		}
		return v
	}
	for _, path := range []string{"@timestamp", "event.code", "event.provider", "event.dataset", "winlog.channel", "winlog.event_id", "host.os.type"} {
		if get(path) == nil {
			t.Errorf("no %s in %.600s", path, out)
		}
	}
	if r.Provider == "Microsoft-Windows-Sysmon" && r.EventID == 1 || r.EventID == 4688 && r.Channel == "Security" {
		for _, path := range []string{"process.pid", "process.executable", "process.name", "process.parent.pid"} {
			lost := path == "process.pid" && r.EventID == 1 && r.Get("ProcessId") == "" // NXLog lost it
			if get(path) == nil && !lost {
				t.Errorf("no %s in %.1000s", path, out)
			}
		}
	}
}

// TestEqllib reads the raw Sysmon events of eqllib, which name neither provider nor
// channel.
func TestEqllib(t *testing.T) {
	var docs []json.RawMessage
	if err := json.Unmarshal(read(t, sharedFiles(t, "eqllib/sysmon-*.json.gz")[0]), &docs); err != nil {
		t.Fatal(err)
	}
	m, p := windows.NewMapper(), new(windows.Parser)
	var r windows.Record
	starts := 0
	for _, doc := range docs {
		if err := p.Parse(doc, windows.Native, &r); err != nil {
			t.Fatalf("%v in %s", err, doc)
		}
		check(t, &r, m.Append(nil, &r))
		if r.EventID == 1 {
			starts++
		}
	}
	if len(docs) != 19882 || starts != 435 {
		t.Errorf("%d events, %d of Sysmon 1", len(docs), starts)
	}
}

// TestSigmaRegression reads the logs that evtx_dump wrote.
func TestSigmaRegression(t *testing.T) {
	m, p := windows.NewMapper(), new(windows.Parser)
	var r windows.Record
	events := 0
	tarFiles(t, sharedFiles(t, "sigma-regression.tar.gz")[0], func(name string, data []byte) {
		if !strings.HasSuffix(name, ".json") {
			return
		}
		d := json.NewDecoder(bytes.NewReader(data))
		for d.More() {
			var doc json.RawMessage
			if err := d.Decode(&doc); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if f := windows.Recognise(doc); f != windows.EvtxDump {
				t.Errorf("%s: recognised as %v", name, f)
			}
			if err := p.Parse(doc, windows.Native, &r); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			check(t, &r, m.Append(nil, &r))
			events++
		}
	})
	if events != 71 {
		t.Errorf("%d events, want 71", events)
	}
}

// TestEvtxDecoded reads the logs that evtxexport decoded.
func TestEvtxDecoded(t *testing.T) {
	m, p := windows.NewMapper(), new(windows.Parser)
	var r windows.Record
	events := 0
	for _, file := range sharedFiles(t, "evtx-decoded/*.ndjson.gz") {
		lines(t, read(t, file), func(doc []byte) {
			if f := windows.Recognise(doc); f != windows.EvtxExport {
				t.Errorf("%s: recognised as %v", file, f)
			}
			if err := p.Parse(doc, windows.Native, &r); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			check(t, &r, m.Append(nil, &r))
			events++
		})
	}
	if events != 682 {
		t.Errorf("%d events, want 682", events)
	}
}

// TestConverted compares with the recording that was converted by hand: all it has
// must be there.
func TestConverted(t *testing.T) {
	converted := map[string]map[string]any{}
	key := func(doc map[string]any) string {
		f := fieldsOf(doc)
		return strings.Join([]string{str(f["@timestamp"]), str(f["event.code"]), str(f["process.pid"]), str(f["file.path"]), str(f["registry.path"]), str(f["file.name"]), str(f["network.direction"])}, "|")
	}
	total := 0
	lines(t, read(t, sharedFiles(t, "ecs/*.gz")[0]), func(doc []byte) {
		m := decode(t, doc)
		converted[key(m)] = m
		total++
	})
	m, p := windows.NewMapper(), new(windows.Parser)
	var r windows.Record
	compared := 0
	lines(t, read(t, sharedFiles(t, "windows-json/aptsimulator_cobaltstrike.json.gz")[0]), func(doc []byte) {
		if err := p.Parse(doc, windows.Native, &r); err != nil {
			t.Fatal(err)
		}
		got := decode(t, m.Append(nil, &r))
		want, ok := converted[key(got)]
		if !ok {
			return
		}
		delete(converted, key(want))
		compared++
		for name, v := range fieldsOf(want) {
			if w := fieldsOf(got)[name]; str(v) != str(w) {
				t.Errorf("%s of %s: %v, want %v", name, key(want), w, v)
			}
		}
	})
	if total != 1242 || len(converted) > 0 {
		t.Errorf("%d events, of which %d were compared; missing %d", total, compared, len(converted))
	}
}

func str(v any) string {
	if v == nil {
		return ""
	}
	b, _ := json.Marshal(v)
	return string(b)
}
