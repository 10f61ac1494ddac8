package evtx

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/shrike-project/shrike/windows"
)

const (
	fileHeaderBytes = 4096
	// ChunkBytes is the size of a chunk.
	ChunkBytes = 64 << 10
)

const (
	fileMagic  = "ElfFile\x00"
	chunkMagic = "ElfChnk\x00"
)

// ErrNotEVTX says that a file is not a Windows event log.
var ErrNotEVTX = errors.New("not a Windows event log (EVTX)")

// Is reports whether a file that begins like this is a Windows event log.
func Is(head []byte) bool { return bytes.HasPrefix(head, []byte(fileMagic)) }

// File is one log. It is safe for use by many goroutines if its reader is.
type File struct {
	r       io.ReaderAt
	size    int64
	order   []chunkPlace
	claimed int // chunks the header says are in use
}

// chunkPlace is where a chunk lies in the file and in the log.
type chunkPlace struct {
	index    uint32
	first    uint32 // low half of its first record's number, or of the chunk's before it
	expected uint32 // see Chunk
}

// Chunk is one chunk of a file.
type Chunk struct {
	Offset  int64  // in the file
	Bytes   []byte // ChunkBytes of them, fewer where the file is cut
	Claimed bool   // the file's header says that the chunk is in use
	// Expected is how many records the chunks around it leave room for, by their
	// numbers, if this one's header is lost; else 0. Of several lost chunks in a
	// row each gets its share.
	Expected int
}

// Open looks at a log of that many bytes. A log that is being written is read as
// far as it went when it was opened. The file's header is not needed if a chunk
// follows where it should be.
func Open(r io.ReaderAt, size int64) (*File, error) {
	f := &File{r: r, size: size}
	head := make([]byte, 128)
	n, err := readAt(r, head, 0, size)
	if err != nil {
		return nil, fmt.Errorf("read header: %w", err)
	}
	known := Is(head[:n])
	if known && n >= 0x2c {
		f.claimed = int(binary.LittleEndian.Uint16(head[0x2a:]))
	}
	if err := f.findChunks(); err != nil {
		return nil, err
	}
	if !known && !f.startsWithChunk() {
		return nil, ErrNotEVTX
	}
	return f, nil
}

func (f *File) startsWithChunk() bool {
	var magic [len(chunkMagic)]byte
	n, err := readAt(f.r, magic[:], fileHeaderBytes, f.size)
	return err == nil && string(magic[:n]) == chunkMagic
}

// findChunks brings the chunks into the order of the log: a full log goes on in
// its oldest chunk, so that the oldest records lie in the middle of the file. A
// chunk whose header says nothing stays behind the one before it.
func (f *File) findChunks() error {
	if f.size <= fileHeaderBytes {
		return nil
	}
	f.order = make([]chunkPlace, (f.size-fileHeaderBytes+ChunkBytes-1)/ChunkBytes)
	var head [40]byte
	var last uint64            // number of the last record of the last chunk with a header
	headless, seen := 0, false // chunks without one since then
	for i := range f.order {
		n, err := readAt(f.r, head[:], f.offset(i), f.size)
		if err != nil {
			return fmt.Errorf("read header of chunk %d: %w", i, err)
		}
		f.order[i].index = uint32(i)
		if n < len(head) || string(head[:8]) != chunkMagic {
			headless++
			if i > 0 {
				f.order[i].first = f.order[i-1].first
			}
			continue
		}
		first := binary.LittleEndian.Uint64(head[24:])
		if seen && headless > 0 {
			expect(f.order[i-headless:i], first-last-1)
		}
		f.order[i].first = uint32(first)
		last, headless, seen = binary.LittleEndian.Uint64(head[32:]), 0, true
	}
	f.sort()
	return nil
}

// expect shares out records among the chunks that they must have lain in. A number
// that they cannot have held means that the log does not go on there.
func expect(lost []chunkPlace, records uint64) {
	if records > uint64(len(lost))*ChunkBytes/minRecordBytes {
		return
	}
	share, rest := records/uint64(len(lost)), records%uint64(len(lost))
	for i := range lost {
		lost[i].expected = uint32(share)
	}
	lost[0].expected += uint32(rest)
}

// sort orders chunks by number. Of the numbers only the lower half is kept, so it
// is the distance that counts.
func (f *File) sort() {
	if len(f.order) == 0 {
		return
	}
	base := f.order[0].first
	slices.SortStableFunc(f.order, func(a, b chunkPlace) int {
		return cmp.Compare(int32(a.first-base), int32(b.first-base))
	})
}

func (f *File) offset(index int) int64 { return fileHeaderBytes + int64(index)*ChunkBytes }

// Chunks is the number of chunks, the unused ones included.
func (f *File) Chunks() int { return len(f.order) }

// Chunk reads the i-th chunk in the order of the log into buf, which is used if it
// holds ChunkBytes and replaced otherwise.
func (f *File) Chunk(i int, buf []byte) (Chunk, error) {
	if cap(buf) < ChunkBytes {
		buf = make([]byte, ChunkBytes)
	}
	place := f.order[i]
	index := int(place.index)
	offset := f.offset(index)
	n, err := readAt(f.r, buf[:ChunkBytes], offset, f.size)
	if err != nil {
		return Chunk{}, fmt.Errorf("read chunk %d: %w", index, err)
	}
	return Chunk{Offset: offset, Bytes: buf[:n], Claimed: index < f.claimed, Expected: int(place.expected)}, nil
}

// Records decodes all chunks one after another. An error of each ends it and is
// returned as it is.
func (f *File) Records(d *Decoder, each func(*windows.Record) error) error {
	buf := make([]byte, ChunkBytes)
	for i := range f.order {
		c, err := f.Chunk(i, buf)
		if err != nil {
			return err
		}
		if err := d.Decode(c, each); err != nil {
			return err
		}
	}
	return nil
}

// readAt reads up to len(b) bytes, fewer only at the end of the file, which may
// have moved since its size was taken.
func readAt(r io.ReaderAt, b []byte, offset, size int64) (int, error) {
	if left := size - offset; left < int64(len(b)) {
		b = b[:max(left, 0)]
	}
	if len(b) == 0 {
		return 0, nil
	}
	n, err := r.ReadAt(b, offset)
	if n == len(b) || errors.Is(err, io.EOF) {
		return n, nil
	}
	return n, err
}
