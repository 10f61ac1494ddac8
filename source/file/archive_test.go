package file_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zip"
	"github.com/klauspost/compress/zstd"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/source/file"
)

// entry is a file in an archive that a test makes.
type entry struct{ name, data string }

func zipped(entries ...entry) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	w.RegisterCompressor(zstd.ZipMethodWinZip, zstd.ZipCompressor())
	for i, e := range entries {
		f, err := w.CreateHeader(&zip.FileHeader{Name: e.name, Method: []uint16{zip.Deflate, zip.Store, zstd.ZipMethodWinZip}[i%3]})
		if err != nil {
			panic(err)
		}
		_, _ = f.Write([]byte(e.data))
	}
	_ = w.Close()
	return b.Bytes()
}

func tarred(entries ...entry) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: 0o600, Size: int64(len(e.data)), Typeflag: tar.TypeReg}
		if strings.HasPrefix(e.data, "-> ") {
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, e.data[3:], 0
		}
		if err := w.WriteHeader(h); err != nil {
			panic(err)
		}
		if h.Size > 0 {
			_, _ = w.Write([]byte(e.data))
		}
	}
	_ = w.Close()
	return b.Bytes()
}

// outcome reads paths to their end: each batch as "name: document", and what went
// wrong as "name: error", with the folder cut off.
type outcome struct {
	docs, failures []string
	stats          file.Stats
}

func read(t *testing.T, opt file.Options, dir string, paths ...string) outcome {
	t.Helper()
	var o outcome
	short := func(path string) string { return strings.TrimPrefix(strings.ReplaceAll(path, "/./", "/"), dir+"/") }
	opt.Report = func(path string, err error) { o.failures = append(o.failures, short(path)+": "+err.Error()) }
	s := file.Open(paths, opt)
	defer s.Close()
	for {
		b, err := s.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if b.Read != nil {
			b.Data = b.Read()
		}
		if b.Expand != nil {
			var x event.Expansion
			b.Expand(&x)
			b.Data, b.Docs = x.Data, x.Docs
		}
		b.Each(func(_ int, doc []byte) { o.docs = append(o.docs, short(b.Name)+": "+strings.TrimSpace(string(doc))) })
		if b.Release != nil {
			b.Release()
		}
		if b.Ack != nil {
			b.Ack()
		}
	}
	if got, total := s.Progress(); got != total {
		t.Errorf("%d of %d bytes read", got, total)
	}
	o.stats = s.Stats()
	return o
}

// readData reads one file that has the given content.
func readData(t *testing.T, opt file.Options, name string, data []byte) outcome {
	t.Helper()
	path := write(t, name, data)
	return read(t, opt, filepath.Dir(path), path)
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\ngot  %s\nwant %s", what, strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

func TestArchives(t *testing.T) {
	one, two := `{"n":1}`, `{"n":2}`
	f := func(name string, data []byte, want ...string) {
		t.Helper()
		o := readData(t, file.Options{}, name, data)
		same(t, name, append(o.docs, o.failures...), want...)
	}
	entries := []entry{{"a.json", one}, {"dir/", ""}, {"dir/b.json.gz", string(gzipped([]byte(two)))}, {"dir/c.txt", "text"}, {"d", two}}
	inside := func(archive string) []string {
		return []string{archive + "!/a.json: " + one, archive + "!/dir/b.json.gz: " + two, archive + "!/d: " + two}
	}
	f("x.zip", zipped(entries...), inside("x.zip")...)
	f("x", zipped(entries...), inside("x")...) // the name does not matter
	entries = slices.Delete(entries, 1, 2)
	f("x.tar", tarred(entries...), inside("x.tar")...)
	f("x.tgz", gzipped(tarred(entries...)), inside("x.tgz")...)
	f("x.tar.zst", zstded(tarred(entries...)), inside("x.tar.zst")...)
	f("x.zip", zipped(entry{"y.tar.gz", string(gzipped(tarred(entries...)))}), inside("x.zip!/y.tar.gz")...)
	f("x.tar", tarred(entry{"y.zip", string(zipped(entries...))}, entry{"z.json", one}), append(inside("x.tar!/y.zip"), "x.tar!/z.json: "+one)...)
	f("x.zip", zipped())
	f("x.gz", gzipped(gzipped([]byte(one))), "x.gz: "+one)
	// What is not regular, and names that want to get out.
	o := readData(t, file.Options{}, "x.tar", tarred(entry{"../../etc/passwd", one}, entry{"link.json", "-> /etc/passwd"}, entry{"\x1b[2J\xff.json", two}))
	same(t, "hostile names", o.docs, "x.tar!/../../etc/passwd: "+one, "x.tar!/\x1b[2J\uFFFD.json: "+two)
	if o.stats.Skipped["not a regular file"] != 1 || o.stats.Files != 2 || o.stats.Archives != 1 {
		t.Errorf("%+v", o.stats)
	}
	long := readData(t, file.Options{}, "x.tar", tarred(entry{strings.Repeat("n", 5000), one}))
	if len(long.docs) != 1 || len(long.docs[0]) > 1100 {
		t.Errorf("a long name: %d documents, %.80q", len(long.docs), long.docs)
	}
}

func TestDamagedArchives(t *testing.T) {
	f := func(name string, data []byte, docs int, want ...string) {
		t.Helper()
		o := readData(t, file.Options{}, name, data)
		same(t, name, o.failures, want...)
		if len(o.docs) != docs || o.stats.Failed != len(want) {
			t.Errorf("%s: %d documents, %+v", name, len(o.docs), o.stats)
		}
	}
	const one, two = `{"n":1}`, `{"n":2}`
	z := zipped(entry{"a.json", one}, entry{"b.json", two}, entry{"c.json", `{"n":3}`})
	encrypted := bytes.Clone(z)
	at := bytes.Index(encrypted, []byte("PK\x01\x02"))
	encrypted[at+8] |= 1
	f("x.zip", encrypted, 2, "x.zip!/a.json: it is encrypted; unpack it with its password first")
	method := bytes.Clone(z)
	method[at+10] = 14
	f("x.zip", method, 2, "x.zip!/a.json: it is compressed in a way that cannot be read; unpack it first")
	changed := bytes.Replace(z, []byte(two), []byte(`{"n":7}`), 1) // stored, so the checksum tells
	f("x.zip", changed, 3, "x.zip!/b.json: the compressed file is damaged: zip: checksum error")
	f("x.zip", z[:len(z)-30], 0, "x.zip: read zip: the compressed file is damaged: zip: not a valid zip file")
	broken := tarred(entry{"a.json", one}, entry{"b.json", strings.Repeat(two+"\n", 200)})
	f("x.tar", broken[:1600], 9, "x.tar!/b.json: the compressed file is cut short: unexpected EOF", "x.tar: the compressed file is cut short: unexpected EOF")
	o := readData(t, file.Options{}, "x.tgz", gzipped(broken)[:60])
	if len(o.failures) == 0 || !strings.Contains(o.failures[0], "cut short") {
		t.Errorf("%q", o.failures)
	}
	for what, magic := range map[string]string{"a 7z archive": "7z\xbc\xaf\x27\x1c\x00\x04", "a RAR archive": "Rar!\x1a\x07\x01\x00", "an xz file": "\xfd7zXZ\x00", "a bzip2 file": "BZh91AY"} {
		f("x", []byte(magic+"............"), 0, "x: "+what+" cannot be read; unpack it first")
	}
	mixed := zipped(entry{"a.json", one}, entry{"bad.json", "no json"}, entry{"deep.zip", "PK\x03\x04 no zip"}, entry{"c.json", two})
	f("x.zip", mixed, 2, `x.zip!/bad.json: not JSON: the file begins with "no json", expected an object or an array`,
		"x.zip!/deep.zip: read zip: the compressed file is damaged: zip: not a valid zip file")
}

func TestBombs(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "z.json")
	if err := os.WriteFile(good, []byte(`{"n":1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	f := func(name string, limits file.Limits, data []byte, want ...string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		o := read(t, file.Options{Limits: limits}, dir, path, good)
		same(t, name, o.failures, want...)
		if n := len(o.docs); n == 0 || o.docs[n-1] != `z.json: {"n":1}` {
			t.Errorf("%s: the file after it was not read", name)
		}
	}
	line := `{"a":"` + strings.Repeat("a", 1000) + `"}` + "\n"
	text := strings.Repeat(line, 4<<20/len(line))
	ratio := file.Limits{Ratio: 100, RatioFrom: 1 << 20}
	const tooDense = "it looks like an archive bomb: it unpacks to more than 100 times its size; the rest is not read"
	f("bomb.json.gz", ratio, gzipped([]byte(text)), "bomb.json.gz: "+tooDense)
	f("bomb.json.zst", ratio, zstded([]byte(text)), "bomb.json.zst: "+tooDense)
	f("bomb.zip", ratio, zipped(entry{"a.json", text}, entry{"b.json", `{"n":2}`}, entry{"c.json", text}), "bomb.zip!/a.json: "+tooDense)
	f("bomb.tgz", ratio, gzipped(tarred(entry{"a.json", text}, entry{"b.json", text})), "bomb.tgz!/a.json: "+tooDense)
	f("kept.json.gz", file.Limits{}, gzipped([]byte(text))) // too small to matter
	f("large.zip", file.Limits{Bytes: 3 << 20}, zipped(entry{"a.json", text}),
		"large.zip!/a.json: it looks like an archive bomb: it unpacks to more than 3145728 bytes; the rest is not read")
	many := make([]entry, 40)
	for i := range many {
		many[i] = entry{fmt.Sprint(i, ".json"), `{}`}
	}
	const tooMany = "it looks like an archive bomb: it has more than 30 entries; the rest is not read"
	f("many.zip", file.Limits{Entries: 30}, zipped(many...), "many.zip: "+tooMany)
	f("many.tar", file.Limits{Entries: 30}, tarred(many...), "many.tar: "+tooMany)
	// Zip archives in zip archives, each holding the next one twice.
	nested := zipped(entry{"a.json", text})
	for range 4 {
		nested = zipped(entry{"1.zip", string(nested)}, entry{"2.zip", string(nested)})
	}
	f("nested.zip", ratio, nested, "nested.zip!/1.zip!/1.zip!/1.zip!/2.zip!/a.json: "+tooDense)
	f("deep.zip", file.Limits{Depth: 3}, zipped(entry{"1.zip", string(zipped(entry{"2.tgz", string(gzipped(tarred(entry{"a.json", "{}"})))}))}, entry{"b.json", `{"n":2}`}),
		"deep.zip!/1.zip!/2.tgz: it looks like an archive bomb: archives in archives, more than 3 layers")
	// A sparse file in a tar archive is nearly nothing there.
	f("sparse.tar", ratio, sparseTar(), "sparse.tar!/s.json: "+tooDense)
}

// sparseTar makes an archive with one file of 8 GB: a document, and then a hole.
func sparseTar() []byte {
	h := make([]byte, 512)
	copy(h, "s.json")
	copy(h[100:], "0000600\x000000000\x000000000\x00")
	copy(h[124:], "00000001000\x0000000000000\x00        S") // 512 bytes in the archive
	copy(h[257:], "ustar  \x00")
	copy(h[386:], "00000000000\x0000000001000\x00") // one piece: at 0, of 512 bytes
	copy(h[483:], "77777777777\x00")
	sum := 0
	for _, c := range h {
		sum += int(c)
	}
	copy(h[148:], fmt.Sprintf("%06o\x00 ", sum))
	data := make([]byte, 512+1024)
	copy(data, "{\"n\":1}\n")
	return append(h, data...)
}

// numbers is a toy kind: after a magic word, every byte is an event.
func numbers() file.Kind {
	return file.Kind{
		Name: "numbers", Endings: []string{".num"},
		Is: func(head []byte) bool { return bytes.HasPrefix(head, []byte("NUM")) },
		Open: func(name string, r io.ReaderAt, size int64) (file.Documents, error) {
			if size == 4 {
				return nil, errors.New("it has no numbers")
			}
			return &numberFile{r, 3, size}, nil
		},
	}
}

type numberFile struct {
	r        io.ReaderAt
	at, size int64
}

func (n *numberFile) Next(context.Context) (event.Batch, error) {
	if n.at == n.size {
		return event.Batch{}, io.EOF
	}
	data := make([]byte, min(3, n.size-n.at))
	if _, err := n.r.ReadAt(data, n.at); err != nil && !errors.Is(err, io.EOF) {
		return event.Batch{}, err
	}
	b := event.Batch{Offset: n.at, Data: data}
	n.at += int64(len(data))
	b.Expand = func(x *event.Expansion) {
		for i, c := range data {
			x.Data = fmt.Appendf(x.Data, `{"n":%q}`, string(c))
			x.Add(b.Offset + int64(i))
		}
	}
	return b, nil
}

func (n *numberFile) Close() error { return nil }

func TestKinds(t *testing.T) {
	opt := file.Options{Kinds: []file.Kind{numbers()}}
	want := func(name string) []string {
		return []string{name + `: {"n":"a"}`, name + `: {"n":"b"}`, name + `: {"n":"c"}`, name + `: {"n":"d"}`}
	}
	f := func(name string, opt file.Options, data []byte, want ...string) {
		t.Helper()
		o := readData(t, opt, name, data)
		same(t, name, append(o.docs, o.failures...), want...)
	}
	f("x", opt, []byte("NUMabcd"), want("x")...)
	f("x.gz", opt, gzipped([]byte("NUMabcd")), want("x.gz")...)
	f("x.zip", opt, zipped(entry{"a.num", "NUMabcd"}), want("x.zip!/a.num")...)
	f("x.tar", opt, tarred(entry{"a.num", "NUMabcd"}, entry{"b.json", "{}"}), append(want("x.tar!/a.num"), "x.tar!/b.json: {}")...)
	opt.Limits.Memory = 4 // then to a temporary file
	f("x.zip", opt, zipped(entry{"a.num", "NUMabcd"}), want("x.zip!/a.num")...)
	f("x.zip", opt, zipped(entry{"y.zip", string(zipped(entry{"a.num", "NUMabcd"}))}), want("x.zip!/y.zip!/a.num")...)
	opt.Limits.Spill = 5
	f("x.zip", opt, zipped(entry{"a.num", "NUMabcd"}), "x.zip!/a.num: it looks like an archive bomb: a file in it is larger than 5 bytes, and has to be unpacked to be read")
	opt.Limits = file.Limits{}
	f("x", opt, []byte("NUM1"), "x: it has no numbers")
	f("x.num", opt, []byte("MUM1"), `x.num: not numbers, though its name ends in .num: the file begins with "MUM1"`)
	f("x.num.gz", opt, gzipped([]byte(`{"n":1}`)), `x.num.gz: {"n":1}`)
	// What there is of a file that is cut short is read.
	raw := gzipped([]byte("NUM" + strings.Repeat("a", 20) + strings.Repeat("zxvywq", 3)))
	o := readData(t, opt, "x.gz", raw[:len(raw)-6])
	if len(o.docs) < 20 || len(o.failures) != 1 || !strings.Contains(o.failures[0], "cut short") {
		t.Errorf("%d documents, %q", len(o.docs), o.failures)
	}
	// A file without a batch has its place among the files all the same.
	s := file.Open([]string{write(t, "x", []byte("NUM"))}, opt)
	if b, err := s.Next(t.Context()); err != nil || filepath.Base(b.Name) != "x" || !b.Last || s.Stats().Files != 1 {
		t.Errorf("%+v, %v", b, err)
	}
	// Forced.
	opt.Format = "numbers"
	f("x", opt, []byte("...a"), "x: it has no numbers")
	f("x", opt, []byte("...ab"), `x: {"n":"a"}`, `x: {"n":"b"}`)
	opt.Format = file.JSON
	f("x", opt, []byte("NUMabcd"), `x: not JSON: the file begins with "NUMabcd", expected an object or an array`)
}

func TestShapes(t *testing.T) {
	made := 0
	opt := file.Options{Shapes: []file.Shape{{
		Name: "flat", Is: func(doc []byte) bool { return bytes.Contains(doc, []byte(`"EventID"`)) },
		New: func() file.Converter {
			made++
			return func(name string, dst, doc []byte) ([]byte, bool) {
				if !bytes.Contains(doc, []byte(`"EventID"`)) {
					return append(dst, "half done"...), false
				}
				return append(dst, bytes.ReplaceAll(bytes.TrimSpace(doc), []byte("EventID"), []byte("event.code"))...), true
			}
		},
	}}}
	f := func(opt file.Options, data string, want ...string) {
		t.Helper()
		o := readData(t, opt, "x", []byte(data))
		same(t, data, append(o.docs, o.failures...), want...)
	}
	f(opt, "{\"EventID\":1}\n{\"x\":2}\n{\"EventID\":3\n", `x: {"event.code":1}`, `x: {"x":2}`, `x: {"event.code":3`)
	f(opt, "[{\"EventID\":1},{\"EventID\":2}]", `x: {"event.code":1}`, `x: {"event.code":2}`)
	f(opt, "{\n \"EventID\":1\n}\n{\n \"EventID\":2\n}\n", "x: {\n \"event.code\":1\n}", "x: {\n \"event.code\":2\n}")
	f(opt, "{\"x\":1}\n{\"EventID\":2}\n", `x: {"x":1}`, `x: {"EventID":2}`)
	forced, plain := opt, opt
	forced.Format, plain.Format = "flat", file.JSON
	f(forced, "{\"x\":1}\n{\"EventID\":2}\n", `x: {"x":1}`, `x: {"event.code":2}`)
	f(plain, "{\"EventID\":2}\n", `x: {"EventID":2}`)
	if made == 0 || made > 10 {
		t.Errorf("%d converters made", made)
	}
}

func TestWhatAFolderHolds(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{
		"a.json": `{"n":1}`, "b.log": `{"n":2}`, "c.ini": "[section]\nx=1\n", "d": "[ {\"n\":4}]", "e.txt": "hello", "f.bin": "\x00\x01", "g.txt": "{not json}",
		"h.json": "", "i.txt": "", "j.zip": string(zipped(entry{"k.json", `{"n":5}`}, entry{"l.txt", "text"})), "._a.json": "\x00\x05\x16\x07",
		"m.txt": string(utf16le(`{"n":6}`)),
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := read(t, file.Options{}, dir, dir, filepath.Join(dir, "a.json"), dir+"/./b.log")
	same(t, "documents", o.docs, `a.json: {"n":1}`, `b.log: {"n":2}`, `d: {"n":4}`, `j.zip!/k.json: {"n":5}`, `m.txt: {"n":6}`)
	same(t, "failures", o.failures)
	want := map[string]int{"no events recognised in it": 5, "empty": 1, "a file beside a file, as macOS makes them": 1, "given twice, read once": 2}
	if !maps.Equal(o.stats.Skipped, want) || o.stats.Files != 6 || len(o.stats.Notes) != 9 {
		t.Errorf("%+v", o.stats)
	}
}

func TestGrowingFilesAreReadToTheirPresentEnd(t *testing.T) {
	path := write(t, "x", []byte("{\"n\":1}\n"))
	s := file.Open([]string{path}, file.Options{})
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	docs := 0
	for {
		b, err := s.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		b.Each(func(int, []byte) {
			docs++
			_, _ = f.WriteString("{\"n\":2}\n")
		})
	}
	if docs != 1 {
		t.Errorf("%d documents", docs)
	}
}

func TestPositions(t *testing.T) {
	var text strings.Builder
	for i := range 60_000 {
		fmt.Fprintf(&text, "{\"n\":%d,\"pad\":\"%050d\"}\n", i, i)
	}
	lines := text.String()
	array := "[" + strings.ReplaceAll(strings.TrimSpace(lines), "\n", ",\n") + "]"
	kind := "NUM" + strings.Repeat("abcdefghij", 5)
	f := func(name, data string) {
		t.Helper()
		path := write(t, name, []byte(data))
		opt := file.Options{Kinds: []file.Kind{numbers()}}
		want := read(t, opt, filepath.Dir(path), path).docs
		for stop := 1; ; stop++ {
			first, positions, ended := readBatches(t, opt, path, stop)
			opt := opt
			opt.Resume = positions
			rest := read(t, opt, filepath.Dir(path), path)
			if got := append(first, rest.docs...); !slices.Equal(got, want) {
				t.Fatalf("%s: stopped after %d batches, %d and %d documents, expected %d", name, stop, len(first), len(rest.docs), len(want))
			}
			if ended {
				if rest.stats.Skipped["read by an earlier run"] != 1 {
					t.Errorf("%s: read to its end, %+v", name, rest.stats)
				}
				return
			}
		}
	}
	f("lines.json", lines)
	f("lines.json.gz", string(gzipped([]byte(lines))))
	f("array.json", array)
	f("utf16.json", string(utf16le(lines[:2_500_000])))
	f("kind", kind)
	f("x.zip", string(zipped(entry{"a.json", lines}, entry{"b", kind}, entry{"c.txt", "text"}, entry{"d.json", array}, entry{"e.json", "{}"})))
	f("x.tgz", string(gzipped(tarred(entry{"a.json", lines}, entry{"b", kind}))))
}

// readBatches reads so many batches, of which the last is not acknowledged if it is
// not the end; it gives the documents of those that are.
func readBatches(t *testing.T, opt file.Options, path string, n int) (docs []string, at map[string]file.Position, ended bool) {
	t.Helper()
	at = map[string]file.Position{}
	opt.Resume = map[string]file.Position{}
	s := file.Open([]string{path}, opt)
	defer s.Close()
	for i := 0; ; i++ {
		b, err := s.Next(t.Context())
		if ended = errors.Is(err, io.EOF); ended || i == n {
			break
		}
		name := strings.TrimPrefix(b.Name, filepath.Dir(path)+"/")
		if b.Read != nil {
			b.Data = b.Read()
		}
		if b.Expand != nil {
			var x event.Expansion
			b.Expand(&x)
			b.Data, b.Docs = x.Data, x.Docs
		}
		if b.Read != nil {
			b.Data = b.Read()
		}
		b.Each(func(_ int, doc []byte) { docs = append(docs, name+": "+strings.TrimSpace(string(doc))) })
		b.Ack()
	}
	for _, p := range s.Positions() {
		at[p.Path] = p
	}
	return docs, at, ended
}

func TestGrownAndChangedFiles(t *testing.T) {
	f := func(name, before, after string, want ...string) {
		t.Helper()
		path := write(t, name, []byte(before))
		_, at, ended := readBatches(t, file.Options{}, path, 100)
		if !ended || !at[path].Done {
			t.Fatalf("%s: %+v", name, at)
		}
		if err := os.WriteFile(path, []byte(after), 0o600); err != nil {
			t.Fatal(err)
		}
		o := read(t, file.Options{Resume: at}, filepath.Dir(path), path)
		same(t, name, o.docs, want...)
	}
	pad := `{"pad":"` + strings.Repeat("p", 5000) + "\"}\n"
	f("lines", pad+"{\"n\":1}\n", pad+"{\"n\":1}\n{\"n\":2}\n", `lines: {"n":2}`)
	f("open line", pad+"{\"n\":1}", pad+"{\"n\":1}\n{\"n\":2}", `open line: {"n":2}`)
	f("half a line", pad+"{\"n\":1}\n{\"n\"", pad+"{\"n\":1}\n{\"n\":2}\n", `half a line: {"n":2}`)
	f("array", "["+pad+",{\"n\":1}]", "["+pad+",{\"n\":1},{\"n\":2}]", `array: {"n":2}`)
	f("short", "{\"n\":1}\n", "{\"n\":1}\n{\"n\":2}\n", `short: {"n":2}`)
	f("changed", "{\"n\":1}\n", "{\"n\":7}\n{\"n\":2}\n", `changed: {"n":7}`, `changed: {"n":2}`)
	f("shrunk", "{\"n\":1}\n{\"n\":2}\n", "{\"n\":1}\n", `shrunk: {"n":1}`)
}
