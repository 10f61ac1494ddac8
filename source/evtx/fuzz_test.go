package evtx_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/shrike-project/shrike/source/evtx"
	"github.com/shrike-project/shrike/windows"
)

// FuzzChunk decodes any bytes as a chunk, twice with one Decoder: it neither
// panics nor hands over more than a chunk can hold, and answers the same again.
func FuzzChunk(f *testing.F) {
	log := selfMade()
	f.Add(log[fileHeader:][:8000])
	for _, write := range []func(*chunkWriter){
		func(w *chunkWriter) { w.fragment(event(el("UserData", el("X", el("a", "b").with("c", "d")))), false) },
		func(w *chunkWriter) {
			w.instance(&templateDef{1, event(sub(2))}, append(eventHead[:2:2], xml(func(w *chunkWriter) {
				w.instance(&templateDef{2, el("EventData", el("Data", sub(0), cdata("c")))}, val{typ: 0x81, data: utf16le("a\x00b\x00")})
			}))...)
		},
	} {
		w := newChunk(1)
		w.record(write)
		f.Add(w.seal(nil)[:len(w.b)])
	}
	names, _ := filepath.Glob(data + "evtx/*.evtx") // fewer seeds where they are not there
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if len(b) == fileHeader+evtx.ChunkBytes {
			f.Add(b[fileHeader:])
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > evtx.ChunkBytes {
			return
		}
		d := evtx.NewDecoder()
		var first []windows.Record
		decode := func(each func(*windows.Record) error) {
			if err := d.Decode(evtx.Chunk{Bytes: b}, each); err != nil {
				t.Fatal(err)
			}
		}
		decode(func(r *windows.Record) error {
			first = append(first, clone(r))
			return nil
		})
		if len(first) > evtx.ChunkBytes/28 {
			t.Fatalf("%d records", len(first))
		}
		n := 0
		decode(func(r *windows.Record) error {
			if n >= len(first) || len(r.Data) != len(first[n].Data) || r.RecordID != first[n].RecordID || r.Provider != first[n].Provider {
				t.Fatalf("record %d differs the second time", n)
			}
			n++
			return nil
		})
		if n != len(first) {
			t.Fatalf("%d records, then %d", len(first), n)
		}
		n, d.LeftOver = 0, true
		decode(func(r *windows.Record) error {
			if n++; r.LeftOver != (n > len(first)) {
				t.Fatalf("record %d of %d: left over is %v", n, len(first), r.LeftOver)
			}
			return nil
		})
	})
}
