package file

import (
	"errors"
	"fmt"
	"io"
)

// Limits bound what a file on disk may unpack to. A zero stands for the default.
type Limits struct {
	// Depth is how many layers may lie around events: an archive is one, and so is a
	// compression; a tar.gz is two.
	Depth int
	// Entries is how many entries the archives in a file may have, all together.
	Entries int
	// Bytes is how much may be unpacked from a file, counted at every layer.
	Bytes int64
	// Ratio is how many times its own size a file may unpack to; it counts from
	// RatioFrom unpacked bytes on.
	Ratio, RatioFrom int64
	// Memory is the largest file in an archive that is held in memory where it has to
	// be read back and forth; larger ones go to a temporary file, of at most Spill.
	Memory, Spill int64
}

// DefaultLimits are the limits where nothing else is said.
func DefaultLimits() Limits {
	return Limits{
		Depth: 6, Entries: 500_000, Bytes: 1 << 40, Ratio: 500, RatioFrom: 1 << 30, Memory: 64 << 20, Spill: 32 << 30,
	}
}

func (l Limits) orDefault() Limits {
	d := DefaultLimits()
	set := func(v *int64, d int64) {
		if *v <= 0 {
			*v = d
		}
	}
	if l.Depth <= 0 {
		l.Depth = d.Depth
	}
	if l.Entries <= 0 {
		l.Entries = d.Entries
	}
	set(&l.Bytes, d.Bytes)
	set(&l.Ratio, d.Ratio)
	set(&l.RatioFrom, d.RatioFrom)
	set(&l.Memory, d.Memory)
	set(&l.Spill, d.Spill)
	return l
}

// ErrLimit is in every error of a file that unpacks to more than the limits allow.
var ErrLimit = errors.New("it looks like an archive bomb")

// budget is what is left of the limits for one file on disk.
type budget struct {
	limits  Limits
	size    func() int64 // of the file, or what was read of it
	bytes   int64        // unpacked so far
	entries int
	err     error // once it is used up
}

func (b *budget) unpacked(n int) error {
	b.bytes += int64(n)
	switch {
	case b.err != nil:
	case b.bytes > b.limits.Bytes:
		b.err = fmt.Errorf("%w: it unpacks to more than %d bytes; the rest is not read", ErrLimit, b.limits.Bytes)
	case b.bytes > b.limits.RatioFrom && b.bytes/b.limits.Ratio > b.size():
		b.err = fmt.Errorf("%w: it unpacks to more than %d times its size; the rest is not read", ErrLimit, b.limits.Ratio)
	}
	return b.err
}

func (b *budget) entry(n int) error {
	if b.entries += n; b.err == nil && b.entries > b.limits.Entries {
		b.err = fmt.Errorf("%w: it has more than %d entries; the rest is not read", ErrLimit, b.limits.Entries)
	}
	return b.err
}

// reader counts what is unpacked from r.
func (b *budget) reader(r io.Reader) io.Reader { return &budgetReader{r, b} }

type budgetReader struct {
	r io.Reader
	b *budget
}

func (r *budgetReader) Read(p []byte) (int, error) {
	if r.b.err != nil {
		return 0, r.b.err
	}
	n, err := r.r.Read(p)
	if limit := r.b.unpacked(n); limit != nil {
		return n, limit
	}
	return n, err
}
