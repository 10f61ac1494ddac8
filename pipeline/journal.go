package pipeline

// The memory of a scan that can be gone on with.
//
// A journal is a file that is only appended to. After each stretch of the scan it
// gets what the stretch added: the ids of its alerts, the arrivals at rules that
// need several events, how far the source was read; and then a mark. What follows
// the last mark when the file is opened was never finished, and is cut off.

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

// ErrJournal is in every error of a file that is no journal, or one of another
// scan.
var ErrJournal = errors.New("it is not the state of this scan")

const journalMagic = "shrike scan state 1\n"

// The kinds of entries.
const (
	journalScan     = 'S' // which scan it is, the first entry
	journalAlert    = 'A' // the id of an alert that was emitted
	journalArrival  = 'R'
	journalPosition = 'P'
	journalOutput   = 'O' // what was known of the output before it was written to
	journalMark     = 'M'
)

// Journal remembers a scan. It belongs to one goroutine.
type Journal struct {
	file      *os.File
	out       *bufio.Writer
	ids       []string
	positions [][]byte
	unwritten []byte // of an output that was being written to when the run ended
	arrivals  int
	end       int64 // of what is marked, when it was opened
}

// OpenJournal opens the journal of a scan, or begins it if there is none. Scan
// names the scan by all that decides about its results.
func OpenJournal(path, scan string) (*Journal, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	j := &Journal{file: f, out: bufio.NewWriterSize(f, 1<<16)}
	if err := j.open(scan); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("open the state %s: %w", path, err)
	}
	return j, nil
}

func (j *Journal) open(scan string) error {
	info, err := j.file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w: it is not a regular file", ErrJournal)
	}
	if info.Size() > 0 {
		if err := j.load(scan); err != nil {
			return err
		}
	}
	if err := j.file.Truncate(j.end); err != nil {
		return err
	}
	if _, err := j.file.Seek(j.end, io.SeekStart); err != nil || j.end > 0 {
		return err
	}
	_, _ = j.out.WriteString(journalMagic)
	j.add(journalScan, []byte(scan))
	return j.mark()
}

// load reads what is marked.
func (j *Journal) load(scan string) error {
	in := &journalReader{in: bufio.NewReaderSize(j.file, 1<<16)}
	if !in.magic() {
		return fmt.Errorf("%w, nor that of any", ErrJournal)
	}
	ids, positions, arrivals := 0, 0, 0
	for first := true; ; first = false {
		kind, data, ok := in.next()
		if !ok {
			break
		}
		if first && (kind != journalScan || string(data) != scan) {
			return fmt.Errorf("%w: its rules or flags were others; remove it to begin anew", ErrJournal)
		}
		switch kind {
		case journalAlert:
			j.ids = append(j.ids, string(data))
		case journalPosition:
			j.positions = append(j.positions, append([]byte{}, data...))
		case journalArrival:
			j.arrivals++
		case journalOutput:
			j.unwritten = append([]byte{}, data...)
		case journalMark:
			ids, positions, arrivals, j.unwritten = len(j.ids), len(j.positions), j.arrivals, nil
			j.end = in.at
		}
	}
	j.ids, j.positions, j.arrivals = j.ids[:ids], j.positions[:positions], arrivals
	return nil
}

// Positions are what Positions of DetectOptions gave, in order.
func (j *Journal) Positions() [][]byte { return j.positions }

// Unwritten is what Output of DetectOptions gave before the alerts of a stretch were
// written that did not come to its mark; nil if there is no such stretch.
func (j *Journal) Unwritten() []byte { return j.unwritten }

// each calls visit with the arrivals.
func (j *Journal) each(visit func([]byte) error) error {
	in := &journalReader{in: bufio.NewReaderSize(io.NewSectionReader(j.file, 0, j.end), 1<<16)}
	in.magic()
	for n := 0; n < j.arrivals; {
		kind, data, ok := in.next()
		if !ok {
			return fmt.Errorf("%w: it changed", ErrJournal)
		}
		if kind == journalArrival {
			n++
			if err := visit(data); err != nil {
				return fmt.Errorf("read the state: %w", err)
			}
		}
	}
	return nil
}

// add writes an entry. An error shows at the next mark.
func (j *Journal) add(kind byte, data []byte) {
	head := binary.AppendUvarint([]byte{kind}, uint64(len(data)))
	sum := crc32.Update(crc32.ChecksumIEEE(head), crc32.IEEETable, data)
	_, _ = j.out.Write(head)
	_, _ = j.out.Write(data)
	_, _ = j.out.Write(binary.LittleEndian.AppendUint32(nil, sum))
}

// mark says that all entries before it belong together.
func (j *Journal) mark() error {
	j.add(journalMark, nil)
	return j.sync()
}

func (j *Journal) sync() error {
	err := j.out.Flush()
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("write the state of the scan: %w", err)
	}
	return nil
}

// Close ends the journal.
func (j *Journal) Close() error { return j.file.Close() }

// journalReader reads entries up to the first that is not whole.
type journalReader struct {
	in  *bufio.Reader
	at  int64
	buf []byte
}

func (r *journalReader) magic() bool {
	got := make([]byte, len(journalMagic))
	n, _ := io.ReadFull(r.in, got)
	r.at += int64(n)
	return string(got) == journalMagic
}

// maxEntry bounds what is believed to be an entry.
const maxEntry = 1 << 30

func (r *journalReader) next() (kind byte, data []byte, ok bool) {
	kind, err := r.in.ReadByte()
	if err != nil {
		return 0, nil, false
	}
	size, err := binary.ReadUvarint(r.in)
	if err != nil || size > maxEntry {
		return 0, nil, false
	}
	head := binary.AppendUvarint([]byte{kind}, size)
	r.buf = r.buf[:0]
	for len(r.buf) < int(size)+4 { // in steps: the size may be wrong
		n := min(int(size)+4-len(r.buf), 1<<20)
		start := len(r.buf)
		r.buf = append(r.buf, make([]byte, n)...)
		if _, err := io.ReadFull(r.in, r.buf[start:]); err != nil {
			return 0, nil, false
		}
	}
	data = r.buf[:size]
	sum := crc32.Update(crc32.ChecksumIEEE(head), crc32.IEEETable, data)
	if binary.LittleEndian.Uint32(r.buf[size:]) != sum {
		return 0, nil, false
	}
	r.at += int64(len(head)) + int64(size) + 4
	return kind, data, true
}
