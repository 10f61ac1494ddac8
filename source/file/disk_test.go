package file_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/source/file"
)

// linesOf makes n lines of random lengths up to most.
func linesOf(r *rand.Rand, n, most int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, `{"n":%d,"x":"%s"}%s`, i, strings.Repeat("x", r.IntN(most)), []string{"\n", "\r\n"}[r.IntN(2)])
	}
	if r.IntN(2) == 0 {
		b.WriteString(`{"last":true}`)
	}
	return b.Bytes()
}

// What is read by the workers is what the same bytes give from a stream.
func TestReadByWorkers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, most := range []int{10, 3_000, 200_000, 1_500_000} {
		data := linesOf(r, min(20_000, 6_000_000/most), most)
		path := write(t, "events.ndjson", data)
		opt := file.Options{MaxEventBytes: 1_000_000}
		got, refused := contents(t, file.Open([]string{path}, opt))
		opt.Stdin = bytes.NewReader(data)
		want, wantRefused := contents(t, file.Open([]string{"-"}, opt))
		same(t, fmt.Sprintf("documents of up to %d bytes", most), got, want...)
		same(t, fmt.Sprintf("refused of up to %d bytes", most), refused, wantRefused...)
	}
}

func TestReadAgain(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for i := range 3 {
		paths = append(paths, filepath.Join(dir, fmt.Sprint(i)))
		if err := os.WriteFile(paths[i], linesOf(rand.New(rand.NewPCG(uint64(i), 3)), 2000, 1000), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := file.Open(paths, file.Options{})
	defer s.Close()
	type kept struct {
		again func(event.Extent) ([]byte, error)
		at    event.Extent
		doc   string
	}
	var all []kept
	for {
		b, err := s.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if b.Read == nil {
			continue
		}
		b.Data = b.Read()
		b.Each(func(at int, doc []byte) {
			all = append(all, kept{b.Again, event.Extent{Start: at, End: at + len(doc)}, string(doc)})
		})
		b.Release()
	}
	if len(all) < 3000 {
		t.Fatalf("%d documents, expected more", len(all))
	}
	for _, k := range all {
		if doc, err := k.again(k.at); err != nil || string(doc) != k.doc {
			t.Fatalf("read again: %q, %v; expected %q", doc, err, k.doc)
		}
	}
	if err := os.WriteFile(paths[0], []byte("other\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := all[0].again(all[0].at); err == nil || !strings.Contains(err.Error(), "changed while it was read") {
		t.Errorf("a file that changed is read again: %v", err)
	}
}

func TestShortenedWhileRead(t *testing.T) {
	path := write(t, "events.ndjson", linesOf(rand.New(rand.NewPCG(4, 5)), 4000, 1000))
	var failures []string
	s := file.Open([]string{path, write(t, "other.ndjson", []byte("{}\n"))}, file.Options{
		Report: func(_ string, err error) { failures = append(failures, err.Error()) },
		Resume: map[string]file.Position{},
	})
	defer s.Close()
	docs, whole := 0, int64(0)
	for n := 0; ; n++ {
		b, err := s.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if n == 1 {
			whole = b.Offset
			if err := os.Truncate(path, b.Offset+1000); err != nil {
				t.Fatal(err)
			}
		}
		if b.Read != nil {
			b.Data = b.Read()
		}
		b.Each(func(int, []byte) { docs++ })
		if b.Release != nil {
			b.Release()
		}
		b.Ack()
	}
	if len(failures) == 0 || failures[0] != "it was shortened while it was read" || s.Stats().Failed == 0 {
		t.Errorf("failures %q", failures)
	}
	for _, p := range s.Positions() {
		if strings.HasSuffix(p.Path, "events.ndjson") && (p.Done || p.Offset > whole) {
			t.Errorf("a later run goes on at %+v", p)
		}
	}
	if docs < 400 {
		t.Errorf("%d documents", docs)
	}
}
