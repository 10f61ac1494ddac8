package windows_test

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"sort"
	"strings"
	"testing"

	"github.com/shrike-project/shrike/windows"
)

const shared = "../../shared/data/"

// sharedFiles lists files of the shared data, and skips the test where they are not.
func sharedFiles(t testing.TB, pattern string) []string {
	t.Helper()
	files, _ := filepath.Glob(shared + pattern)
	if len(files) == 0 {
		t.Skipf("the shared data are not there: %s%s", shared, pattern)
	}
	return files
}

// read gives the content of a file, unpacked.
func read(t testing.TB, file string) []byte {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(file, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// lines calls visit for the documents of a file with one on each line.
func lines(t testing.TB, data []byte, visit func(doc []byte)) {
	t.Helper()
	scanner := bufio.NewScanner(bytes.NewReader(data))
	scanner.Buffer(nil, 64<<20)
	for scanner.Scan() {
		if line := bytes.TrimSpace(scanner.Bytes()); len(line) > 0 {
			visit(line)
		}
	}
}

// decode reads a JSON object.
func decode(t testing.TB, doc []byte) map[string]any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil {
		t.Fatalf("%v in %s", err, doc)
	}
	return m
}

// flatten gives the fields of a document: dotted names, lists whole.
func flatten(prefix string, v any, into map[string]any) {
	m, ok := v.(map[string]any)
	if !ok {
		into[prefix] = v
		return
	}
	for k, v := range m {
		if prefix != "" {
			k = prefix + "." + k
		}
		flatten(k, v, into)
	}
}

func fieldsOf(doc map[string]any) map[string]any {
	out := map[string]any{}
	older := doc["event.action"]
	delete(doc, "event.action")
	flatten("", doc, out)
	if older != nil {
		out["(older) event.action"] = older
	}
	return out
}

// extra are the fields that a document has more than the pipeline's, with the
// reason why.
var extra = map[string]string{
	"event.dataset":         "the integration sets it for the data stream",
	"data_stream.type":      "the agent sets it; index patterns of rules ask for it",
	"data_stream.dataset":   "the same",
	"data_stream.namespace": "the same",
	"host.os.type":          "the agent adds it; nearly all rules ask for it",
	"host.os.family":        "the agent adds it",
	"host.id":               "the agent adds it; the computer's name stands in",
	"(older) event.action":  "the name of the action before the pipeline's",
}

func difference(want, got map[string]any) []string {
	var out []string
	for name, v := range want {
		if w, ok := got[name]; !ok {
			out = append(out, fmt.Sprintf("%s: missing, want %v", name, v))
		} else if !reflect.DeepEqual(v, w) {
			out = append(out, fmt.Sprintf("%s: %v, want %v", name, w, v))
		}
	}
	for name, v := range got {
		if _, ok := want[name]; !ok && extra[name] == "" {
			out = append(out, fmt.Sprintf("%s: %v, want none", name, v))
		}
	}
	sort.Strings(out)
	return out
}

// TestPairs holds the documents to what Elastic's pipeline makes of the same input.
func TestPairs(t *testing.T) {
	m, p := windows.NewMapper(), new(windows.Parser)
	pairs := 0
	for _, file := range sharedFiles(t, "ecs-pairs/*.input.json") {
		var inputs, outputs []json.RawMessage
		if err := json.Unmarshal(read(t, file), &inputs); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(read(t, strings.Replace(file, ".input.", ".ecs.", 1)), &outputs); err != nil {
			t.Fatal(err)
		}
		for i, input := range inputs {
			var r windows.Record
			if f := windows.Recognise(input); f != windows.Winlogbeat {
				t.Errorf("%s: recognised as %v", file, f)
			}
			if f := windows.Recognise(outputs[i]); f != windows.Native {
				t.Errorf("%s: its output is recognised as %v", file, f)
			}
			if err := p.Parse(input, windows.Native, &r); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			got := m.Append(nil, &r)
			for _, d := range difference(fieldsOf(decode(t, outputs[i])), fieldsOf(decode(t, got))) {
				t.Errorf("%s %d: %s", filepath.Base(file), i, d)
			}
			pairs++
		}
	}
	if pairs != 6 {
		t.Errorf("%d pairs, want 6", pairs)
	}
}

// tarFiles calls visit for the files of an archive.
func tarFiles(t testing.TB, file string, visit func(name string, data []byte)) {
	t.Helper()
	archive := tar.NewReader(bytes.NewReader(read(t, file)))
	for {
		h, err := archive.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		visit(h.Name, data)
	}
}
