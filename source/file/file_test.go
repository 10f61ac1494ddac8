package file_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/source/file"
)

// contents reads a source to its end: its documents and its refusals.
func contents(t *testing.T, s *file.Source) (docs, refused []string) {
	t.Helper()
	defer s.Close()
	for {
		b, err := s.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return docs, refused
		}
		if err != nil {
			t.Fatal(err)
		}
		if b.Read != nil {
			b.Data = b.Read()
		}
		b.Each(func(_ int, doc []byte) { docs = append(docs, strings.TrimSpace(string(doc))) })
		for _, r := range b.Refused {
			refused = append(refused, fmt.Sprintf("%s@%d", r.Reason, r.Offset))
		}
		if b.Release != nil {
			b.Release()
		}
	}
}

func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func gzipped(data []byte) []byte {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(data)
	_ = w.Close()
	return b.Bytes()
}

func zstded(data []byte) []byte {
	w, _ := zstd.NewWriter(nil)
	return w.EncodeAll(data, nil)
}

func utf16le(s string) []byte {
	out := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		out = binary.LittleEndian.AppendUint16(out, u)
	}
	return out
}

func TestLayouts(t *testing.T) {
	f := func(data []byte, want ...string) {
		t.Helper()
		var failures []string
		s := file.Open([]string{write(t, "x", data)}, file.Options{Report: func(_ string, err error) { failures = append(failures, err.Error()) }})
		docs, _ := contents(t, s)
		got := append(docs, failures...)
		if strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%.60q:\ngot  %q\nwant %q", data, got, want)
		}
	}
	lines := []byte("{\"a\":1}\n\n{\"b\":\"x\\n\"}\r\n{\"c\":3}")
	three := []string{`{"a":1}`, `{"b":"x\n"}`, `{"c":3}`}
	f(lines, three...)
	f(gzipped(lines), three...)
	f(zstded(lines), three...)
	f(append(gzipped([]byte("{\"a\":1}\n")), gzipped([]byte("{\"b\":2}\n"))...), `{"a":1}`, `{"b":2}`)
	f(append([]byte("\xef\xbb\xbf"), lines...), three...)
	f(utf16le("{\"a\":\"é😀\"}\r\n{\"b\":2}\r\n"), `{"a":"é😀"}`, `{"b":2}`)
	f([]byte(`[{"a":1},{"b":[2,{"c":"]}"}]} , {"d":{}}]`), `{"a":1}`, `{"b":[2,{"c":"]}"}]}`, `{"d":{}}`)
	f([]byte("[\n  {\n    \"a\": 1\n  },\n  {\n    \"b\": 2\n  }\n]\n"), "{\n    \"a\": 1\n  }", "{\n    \"b\": 2\n  }")
	f([]byte("{\n  \"a\": 1\n}\n{\n  \"b\": {\n  }\n}\n"), "{\n  \"a\": 1\n}", "{\n  \"b\": {\n  }\n}")
	f([]byte(`{"a":1}{"b":2}`), `{"a":1}{"b":2}`) // one line; the decoder tells them apart
	f([]byte("{ \"a\": 1,\n  \"b\": 2 }\n{ \"a\": 3,\n  \"b\": 4 }\n"), "{ \"a\": 1,\n  \"b\": 2 }", "{ \"a\": 3,\n  \"b\": 4 }")
	f([]byte("{\n\"list\": [\n{\n\"a\": 1\n},\n{\n\"a\": 2\n}\n]\n}\n{\n\"b\": 1\n}\n"), "{\n\"list\": [\n{\n\"a\": 1\n},\n{\n\"a\": 2\n}\n]\n}", "{\n\"b\": 1\n}")
	// What is cut short takes nothing else with it.
	f([]byte("{\"a\":\"x\n{\"b\":2}\n{\"c\":3}\n"), `{"a":"x`, `{"b":2}`, `{"c":3}`)
	f([]byte("{\n  \"a\": {\n    \"x\": 1\n{\n  \"b\": 2\n}\n"), "{\n  \"a\": {\n    \"x\": 1", "{\n  \"b\": 2\n}")
	f([]byte("x\":1}\n{\"b\":2}\n"), `x":1}`, `{"b":2}`)
	f([]byte(`[{"a":1},2,"x",{"b":2}]`), `{"a":1}`, `2`, `"x"`, `{"b":2}`)
	f([]byte(""))
	f([]byte(" \n\n"))
	f([]byte("just text\n"), `not JSON: the file begins with "just text\n", expected an object or an array`)
	f(gzipped(lines)[:30], `{"a":1}`, `{"b":"`, "the compressed file is cut short: unexpected EOF")
}

func TestLargeDocuments(t *testing.T) {
	big := `{"x":"` + strings.Repeat("y", 5<<20) + `"}`
	for _, layout := range []string{"%s\n%s\n%s\n", "[%s,\n%s,\n%s]", "[%s,%s,%s]", "[\n  %s,\n  %s,\n  %s\n]\n"} {
		data := fmt.Sprintf(layout, `{"a":1}`, big, `{"b":2}`)
		s := file.Open([]string{write(t, "x", []byte(data))}, file.Options{MaxEventBytes: 6 << 20})
		docs, refused := contents(t, s)
		if len(docs) != 3 || docs[1] != big || len(refused) != 0 {
			t.Errorf("%q: %d documents, refused %v", layout, len(docs), refused)
		}
		s = file.Open([]string{write(t, "x", []byte(data))}, file.Options{MaxEventBytes: 1 << 20})
		docs, refused = contents(t, s)
		if len(docs) != 2 || docs[0] != `{"a":1}` || docs[1] != `{"b":2}` || len(refused) != 1 || !strings.HasPrefix(refused[0], string(event.TooLarge)) {
			t.Errorf("%q: %.100q, refused %v", layout, docs, refused)
		}
	}
	// An endless last line.
	s := file.Open([]string{write(t, "x", []byte("{\"a\":1}\n"+big[:len(big)-1]))}, file.Options{MaxEventBytes: 1 << 20})
	docs, refused := contents(t, s)
	if len(docs) != 1 || len(refused) != 1 {
		t.Errorf("%d documents, refused %v", len(docs), refused)
	}
}

func TestFolders(t *testing.T) {
	dir := t.TempDir()
	for name, data := range map[string]string{
		"b.ndjson": `{"n":"b"}`, "a.json": `{"n":"a"}`, "sub/c.jsonl.gz": string(gzipped([]byte(`{"n":"c"}`))), "sub/d.JSON.ZST": string(zstded([]byte(`{"n":"d"}`))),
		"notes.txt": "text", "e.json": "no json",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var failures []string
	s := file.Open([]string{dir, filepath.Join(dir, "nowhere"), "-"}, file.Options{
		Stdin: strings.NewReader(`{"n":"stdin"}`), Report: func(path string, err error) { failures = append(failures, filepath.Base(path)+": "+err.Error()) },
	})
	docs, _ := contents(t, s)
	want := `{"n":"a"} {"n":"b"} {"n":"c"} {"n":"d"} {"n":"stdin"}`
	if got := strings.Join(docs, " "); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	st := s.Stats()
	if st.Files != 5 || st.Failed != 2 || st.Skipped["no events recognised in it"] != 1 || len(failures) != 2 {
		t.Errorf("%+v, failures %q", st, failures)
	}
	if read, total := s.Progress(); read != total || total == 0 {
		t.Errorf("read %d of %d bytes", read, total)
	}
}

func TestStopsWhileStandardInputIsSilent(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	in, out := io.Pipe()
	defer func() { _ = out.Close() }()
	s := file.Open([]string{"-"}, file.Options{Stdin: in})
	go func() {
		_, _ = out.Write([]byte("{}\n"))
		cancel()
	}()
	for {
		if _, err := s.Next(ctx); err != nil {
			if !errors.Is(err, context.Canceled) || s.Stats().Failed != 0 {
				t.Errorf("error %v, %+v", err, s.Stats())
			}
			return
		}
	}
}

func TestLinks(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "real"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "real", "a.json"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if os.Symlink(filepath.Join(dir, "real"), filepath.Join(dir, "link")) != nil {
		t.Skip("no symbolic links here")
	}
	_ = os.Symlink(dir, filepath.Join(dir, "real", "circle"))
	s := file.Open([]string{filepath.Join(dir, "link")}, file.Options{})
	if docs, _ := contents(t, s); len(docs) != 1 || s.Stats().Skipped["a symbolic link to a folder"] != 1 {
		t.Errorf("%d documents, %+v", len(docs), s.Stats())
	}
}

func TestStopsWhenTheContextIsDone(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s := file.Open([]string{"-"}, file.Options{Stdin: strings.NewReader("{}")})
	if _, err := s.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}
