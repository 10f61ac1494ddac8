package detect

import (
	"sync"
	"unsafe"
)

// slab gives arrivals, which wait about as long as those after them, parts of the same
// memory. It is used again when a Stream has seen the last of them.
type slab struct {
	arrivals block[Arrival]
	hits     block[itemHit]
	keys     block[string]
	texts    block[byte]
	// users are the arrivals that a Stream has not done with, and the Matcher that makes
	// more of them. Only one goroutine has any of them at a time; see Matcher.Pause.
	users int
}

var slabs = sync.Pool{New: func() any { return &slab{} }}

// newSlab gives a slab that is empty.
func newSlab() *slab {
	s := slabs.Get().(*slab)
	s.users = 1
	return s
}

// arrival gives an empty arrival.
func (s *slab) arrival() *Arrival {
	s.users++
	a := &s.arrivals.take(1)[0]
	a.slab = s
	return a
}

// text copies a text.
func (s *slab) text(text []byte) string {
	out := s.texts.take(len(text))
	copy(out, text)
	return unsafe.String(unsafe.SliceData(out), len(out)) // nobody writes there until release
}

// full reports whether the next arrivals should have another slab.
func (s *slab) full() bool {
	return len(s.hits.chunks) > mostChunks || len(s.texts.chunks) > mostChunks
}

// release says that a user is gone. After the last one the memory is used again.
func (s *slab) release() {
	if s.users--; s.users > 0 {
		return
	}
	s.arrivals.reset()
	s.hits.reset()
	s.keys.reset()
	s.texts.reset()
	slabs.Put(s)
}

const (
	chunkBytes = 8 << 10
	mostChunks = 16
)

// block gives parts of memory that is made in chunks.
type block[T any] struct {
	chunks [][]T
	at     int // the chunk that has room
	used   int // of it
}

// take gives n elements, all zero.
func (b *block[T]) take(n int) []T {
	for b.at < len(b.chunks) && n > len(b.chunks[b.at])-b.used {
		b.at, b.used = b.at+1, 0
	}
	if b.at == len(b.chunks) {
		var one T
		b.chunks = append(b.chunks, make([]T, max(n, chunkBytes/int(unsafe.Sizeof(one)))))
	}
	out := b.chunks[b.at][b.used : b.used+n : b.used+n]
	b.used += n
	return out
}

// reset takes all elements back. A chunk that was made for very many is let go.
func (b *block[T]) reset() {
	var one T
	kept := b.chunks[:0]
	for i, c := range b.chunks {
		if len(c)*int(unsafe.Sizeof(one)) > 2*chunkBytes {
			continue
		}
		switch {
		case i < b.at:
			clear(c)
		case i == b.at:
			clear(c[:b.used])
		}
		kept = append(kept, c)
	}
	clear(b.chunks[len(kept):])
	b.chunks, b.at, b.used = kept, 0, 0
}
