package evtx_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/shrike-project/shrike/source/evtx"
	"github.com/shrike-project/shrike/windows"
)

const fileHeader = 4096

// selfMade is a log of three full chunks that needs nothing recorded.
func selfMade() []byte {
	def := &templateDef{1, event(el("EventData", el("Data", sub(2)).with("Name", "x"), el("Data", sub(1)).with("Name", "id")))}
	var chunks [][]byte
	id := uint64(100)
	for range 3 {
		w := newChunk(id)
		for len(w.b) < evtx.ChunkBytes-1000 {
			w.record(func(w *chunkWriter) {
				w.instance(def, append(eventHead[:2:2], text(fmt.Sprintf("value %d", id)))...)
			})
			id++
		}
		chunks = append(chunks, w.seal(nil))
	}
	return logOf(chunks...)
}

// everyLog is the self-made log and the recorded ones.
func everyLog(t *testing.T) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	t.Run("recorded", func(t *testing.T) { all = logs(t) }) // skipped alone if they are not there
	all["self-made"] = selfMade()
	return all
}

// content is the records of each chunk of a sound log, in the order of the file.
type content [][]windows.Record

func contentOf(t *testing.T, log []byte) content {
	t.Helper()
	var c content
	for at := fileHeader; at < len(log); at += evtx.ChunkBytes {
		records, _ := readChunk(t, log[at:min(len(log), at+evtx.ChunkBytes)])
		c = append(c, records)
	}
	return c
}

func readChunk(t *testing.T, b []byte) ([]windows.Record, evtx.Stats) {
	t.Helper()
	d := evtx.NewDecoder()
	var all []windows.Record
	err := d.Decode(evtx.Chunk{Bytes: b}, func(r *windows.Record) error {
		all = append(all, clone(r))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all, d.Stats()
}

func (c content) all() []windows.Record {
	var all []windows.Record
	for _, records := range c {
		all = append(all, records...)
	}
	return all
}

func statsOf(t *testing.T, log []byte) ([]windows.Record, evtx.Stats) {
	t.Helper()
	d := evtx.NewDecoder()
	records := read(t, d, log)
	return records, d.Stats()
}

// TestTruncated cuts logs near every border of a chunk. Every whole chunk is read,
// and of the cut one every record is read or counted.
func TestTruncated(t *testing.T) {
	cuts := 0
	for name, log := range everyLog(t) {
		chunks := contentOf(t, log)
		for border := fileHeader; border <= len(log); border += evtx.ChunkBytes {
			for _, off := range []int{-20001, -513, -1, 0, 1, 7, 511, 512, 513, 999, 30003} {
				size := border + off
				if size < fileHeader || size > len(log) {
					continue
				}
				cuts++
				whole := (size - fileHeader) / evtx.ChunkBytes
				sure := chunks[:whole].all()
				records, stats := statsOf(t, log[:size])
				if !holds(records, sure) {
					t.Errorf("%s cut to %d bytes: %d records, %d were whole", name, size, len(records), len(sure))
				}
				rest := (size - fileHeader) % evtx.ChunkBytes
				if rest < 512 || whole == len(chunks) {
					continue
				}
				if n := len(chunks[whole]); int64(n) != int64(len(records)-len(sure))+stats.LostRecords() {
					t.Errorf("%s cut to %d bytes: %d records, %d lost, of %d", name, size, len(records)-len(sure), stats.LostRecords(), n)
				}
			}
		}
	}
	t.Logf("%d cuts", cuts)
}

// TestFlipped changes bytes at random. Chunks left alone give all their records,
// the others no more than they had, and of those whose header is whole each record
// is read or counted.
func TestFlipped(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 1))
	start := time.Now()
	var total, lost int64
	for name, log := range everyLog(t) {
		chunks := contentOf(t, log)
		for range 40 {
			b := bytes.Clone(log)
			i := rng.IntN(len(chunks))
			chunk := b[fileHeader+i*evtx.ChunkBytes:][:evtx.ChunkBytes]
			header, end := false, false // damaged: the header; what it says of the end
			for range 1 + rng.IntN(30) {
				at := rng.IntN(len(chunk))
				chunk[at] ^= byte(1 + rng.IntN(255))
				header = header || at < 512
				end = end || at >= 32 && at < 56
			}
			got, stats := readChunk(t, chunk)
			had := int64(len(chunks[i]))
			// A changed size may show one more record, made of another's inside.
			if !end && int64(len(got)) > had+1 {
				t.Errorf("seed %d: %s chunk %d: %d records of %d", seed, name, i, len(got), had)
			}
			if n := int64(len(got)) + stats.LostRecords(); !header && n < had {
				t.Errorf("seed %d: %s chunk %d: %d records read or counted of %d", seed, name, i, n, had)
			}
			total, lost = total+had, lost+max(had-int64(len(got)), 0)
			records, _ := statsOf(t, b)
			for j, untouched := range chunks {
				if j != i && !holds(records, untouched) {
					t.Errorf("seed %d: %s: records of chunk %d lost by damage to %d", seed, name, j, i)
				}
			}
		}
	}
	t.Logf("seed %d: %d of %d records lost, %v", seed, lost, total, time.Since(start))
}

// holds reports whether some lie in all one after another.
func holds(all, some []windows.Record) bool {
	if len(some) == 0 {
		return true
	}
	for i := 0; i+len(some) <= len(all); i++ {
		if all[i].RecordID == some[0].RecordID && reflect.DeepEqual(all[i:i+len(some)], some) {
			return true
		}
	}
	return false
}

// TestZeroedChunk counts what lay in a chunk that is gone.
func TestZeroedChunk(t *testing.T) {
	log := selfMade()
	chunks := contentOf(t, log)
	clear(log[fileHeader+evtx.ChunkBytes:][:evtx.ChunkBytes])
	records, stats := statsOf(t, log)
	want := evtx.Stats{Chunks: 3, Damaged: 1, Records: int64(len(chunks[0]) + len(chunks[2]))}
	want.Lost[evtx.Missing] = int64(len(chunks[1]))
	if stats != want || !holds(records, chunks[0]) || !holds(records, chunks[2]) {
		t.Errorf("stats %+v, want %+v", stats, want)
	}
}

// TestHeaders takes away headers, which are not needed to read anything.
func TestHeaders(t *testing.T) {
	for name, log := range everyLog(t) {
		want := contentOf(t, log).all()
		f := func(what string, change func(b []byte)) {
			t.Helper()
			b := bytes.Clone(log)
			change(b)
			if records, _ := statsOf(t, b); !reflect.DeepEqual(records, want) {
				t.Errorf("%s, %s: %d records of %d", name, what, len(records), len(want))
			}
		}
		f("no file header", func(b []byte) { clear(b[:fileHeader]) })
		f("count 0", func(b []byte) { le.PutUint16(b[42:], 0) })
		f("count 1, dirty", func(b []byte) { le.PutUint16(b[42:], 1); b[120] = 1 })
		f("count 65535", func(b []byte) { le.PutUint16(b[42:], 65535) })
		for _, what := range []string{"no chunk headers", "wrong sums", "wrong end", "end in the middle"} {
			f(what, func(b []byte) {
				for at := fileHeader; at < len(b); at += evtx.ChunkBytes {
					spoil(b[at:], what)
				}
			})
		}
	}
}

func spoil(chunk []byte, what string) {
	switch what {
	case "no chunk headers":
		clear(chunk[:512])
	case "wrong sums":
		chunk[52] ^= 0x55
		chunk[124] ^= 0x55
	case "wrong end":
		le.PutUint32(chunk[48:], 0xffffffff)
	case "end in the middle":
		le.PutUint32(chunk[48:], 0x1234)
	}
}

// TestDamagedRecords spoils the frame of one record; the others are read, and its
// own if it still can be.
func TestDamagedRecords(t *testing.T) {
	log := selfMade()
	chunk := log[fileHeader:][:evtx.ChunkBytes]
	want, _ := readChunk(t, chunk)
	pos := 512 // of the third record
	for range 2 {
		pos += int(le.Uint32(chunk[pos+4:]))
	}
	size := int(le.Uint32(chunk[pos+4:]))
	f := func(what string, lost int, change func(record []byte)) {
		t.Helper()
		for _, headless := range []bool{false, true} {
			b := bytes.Clone(chunk)
			change(b[pos : pos+size])
			if headless {
				clear(b[:512])
			}
			got, stats := readChunk(t, b)
			if len(got) != len(want)-lost || stats.LostRecords() != int64(lost) || stats.Recovered != int64(len(got)) || stats.Damaged != 1 {
				t.Errorf("%s, header gone %t: %d records of %d, stats %+v", what, headless, len(got), len(want), stats)
			}
			if !reflect.DeepEqual(got[len(got)-5:], want[len(want)-5:]) {
				t.Errorf("%s: the records that follow differ", what)
			}
		}
	}
	f("signature", 1, func(r []byte) { r[0] = 0 })
	f("size", 0, func(r []byte) { le.PutUint32(r[4:], 0x12345678) })
	f("small size", 0, func(r []byte) { le.PutUint32(r[4:], 3) })
	f("repeated size", 0, func(r []byte) { le.PutUint32(r[len(r)-4:], 9) })
	f("both sizes", 1, func(r []byte) { le.PutUint32(r[4:], 9); le.PutUint32(r[len(r)-4:], 9) })
	f("number", 0, func(r []byte) { r[14] = 9 })
	f("all", 1, func(r []byte) { clear(r) })
	f("inside", 1, func(r []byte) { clear(r[24 : len(r)-4]); r[24] = 0x77 })
}

// TestLeftOvers has records of the chunk's former life behind its end.
func TestLeftOvers(t *testing.T) {
	write := func(w *chunkWriter, n int) {
		for range n {
			w.record(func(w *chunkWriter) { w.fragment(el("Event", el("EventData", el("Data", "some text"))), false) })
		}
	}
	former := newChunk(10)
	write(former, 300)
	now := newChunk(1000)
	write(now, 100)
	for _, shift := range []int{0, 5, 64} {
		leftOver := former.b[min(len(former.b), len(now.b)+shift):]
		chunk := now.seal(leftOver)
		for _, what := range []string{"nothing", "no chunk headers", "wrong sums", "wrong end", "end in the middle"} {
			b := bytes.Clone(chunk)
			spoil(b, what)
			got, stats := readChunk(t, b)
			if len(got) != 100 || got[0].RecordID != 1000 || got[99].RecordID != 1099 || stats.LostRecords() != 0 {
				t.Errorf("spoilt %s, left-overs %d bytes off: %d records, stats %+v", what, shift, len(got), stats)
			}
		}
	}
}

// TestReadLeftOvers asks for the records of the chunk's former life, too. Those whose
// template or names were written over are lost: what lies there now is another's.
func TestReadLeftOvers(t *testing.T) {
	log := func(guid byte, data string) *templateDef {
		return &templateDef{guid, el("Event", el("System", el("Provider").with("Name", "P"), el("Computer", "C"), el("EventID", "7")), el("EventData", el("Data", sub(0)).with("Name", data)))}
	}
	write := func(w *chunkWriter, n int, def *templateDef) {
		for range n {
			w.record(func(w *chunkWriter) { w.instance(def, text(fmt.Sprint("record ", w.firstID+w.count))) })
		}
	}
	early, late := log(1, "early"), log(2, "late")
	former := newChunk(10)
	write(former, 100, early)
	former.names = map[string]int{} // so that the next template refers to nothing before it
	write(former, 50, late)
	write(former, 20, early)
	other := log(4, "other")
	now := newChunk(1000)
	write(now, 1, other)
	former.names = map[string]int{"Data": now.names["Computer"]} // which is where "Data" was
	write(former, 5, log(3, "renamed"))
	f := func(name string, live int, def *templateDef, spoilt string, read, lost int64) {
		t.Helper()
		now := newChunk(1000)
		write(now, live, def)
		chunk := now.seal(former.b[len(now.b):])
		spoil(chunk, spoilt)
		d := evtx.NewDecoder()
		d.LeftOver = true
		var got []windows.Record
		for range 2 { // it leaves nothing behind
			got = got[:0]
			if err := d.Decode(evtx.Chunk{Bytes: chunk}, func(r *windows.Record) error { got = append(got, clone(r)); return nil }); err != nil {
				t.Fatal(err)
			}
		}
		stats := d.Stats()
		if stats.Records != 2*int64(live) || stats.LeftOver != 2*read || stats.LeftOverLost != 2*lost || stats.LostRecords() != 0 || int64(len(got)) != int64(live)+read {
			t.Errorf("%s: %d records, stats %+v", name, len(got), stats)
			return
		}
		for i, r := range got {
			old, data := i >= live, def.root.kids[1].(node).kids[0].(node).attrs[0].value
			if old {
				data = "late"
			}
			if r.LeftOver != old || len(r.Data) != 1 || r.Data[0].Name != data || r.Data[0].Value != fmt.Sprint("record ", r.RecordID) || old && (r.RecordID < 110 || r.RecordID >= 160) {
				t.Errorf("%s: record %d is %+v", name, i, r)
			}
		}
	}
	whole := int64(0) // records of the first hundred that lie whole behind the new ones
	for _, live := range []int{1, 30} {
		now := newChunk(1000)
		write(now, live, other)
		whole = int64(bytes.Count(former.b[len(now.b):], []byte("**\x00\x00"))) - 75
		f(fmt.Sprint(live, " records since"), live, other, "nothing", 50, whole+25)
	}
	f("a header that cannot be believed", 30, other, "no chunk headers", 50, whole+25)
}

// TestBeingWritten has more records than the chunk's header knows of, whose sums
// therefore do not hold.
func TestBeingWritten(t *testing.T) {
	w := newChunk(7)
	write := func() { w.record(func(w *chunkWriter) { w.fragment(el("Event"), false) }) }
	write()
	write()
	header := bytes.Clone(w.seal(nil)[:512])
	write()
	write()
	chunk := w.seal(nil)
	copy(chunk, header)
	chunk[52]++ // the sum of the records is behind as well
	sealHeader(chunk)
	if got, stats := readChunk(t, chunk); len(got) != 4 || got[3].RecordID != 10 || stats.LostRecords() != 0 {
		t.Errorf("%d records, stats %+v", len(got), stats)
	}
}

// TestWrapped reads a full log, which went on in its first chunk.
func TestWrapped(t *testing.T) {
	log := selfMade()
	want := contentOf(t, log).all()
	chunk := func(i int) []byte { return log[fileHeader+i*evtx.ChunkBytes:][:evtx.ChunkBytes] }
	for _, order := range [][3]int{{1, 2, 0}, {2, 0, 1}} {
		got, stats := statsOf(t, logOf(chunk(order[0]), chunk(order[1]), chunk(order[2])))
		if !reflect.DeepEqual(got, want) || stats.Damaged != 0 || stats.LostRecords() != 0 {
			t.Errorf("order %v: %d records from %d on, stats %+v", order, len(got), got[0].RecordID, stats)
		}
	}
}
