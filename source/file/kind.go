package file

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/shrike-project/shrike/event"
)

// Kind is a sort of file that is not JSON.
type Kind struct {
	// Name is how Options.Format calls it.
	Name string
	// Endings are how its files are named, such as ".evtx". One that is named so and
	// does not look so is reported rather than passed over.
	Endings []string
	// Is tells by its first 64 KB whether a file is of the kind.
	Is func(head []byte) bool
	// Open reads a file. It is called, and its Documents are, by one goroutine.
	Open func(name string, r io.ReaderAt, size int64) (Documents, error)
}

// Documents hands over the documents of one file. Batches are of about a megabyte
// each, the same for the same file; they do not need the file any more after Next
// gave io.EOF, and they get their name from the source.
type Documents interface {
	Next(ctx context.Context) (event.Batch, error)
	Close() error
}

// Shape is a form of JSON that is turned into another one before it is decoded.
type Shape struct {
	// Name is how Options.Format calls it.
	Name string
	// Is tells by its first document whether a file is of the shape. The document may
	// be cut short if it is larger than 64 KB.
	Is func(doc []byte) bool
	// New makes a converter, which is used by one goroutine at a time.
	New func() Converter
	// Batch, if it is set, is used in the place of New by a shape whose documents
	// depend on each other: it gives the Expand of a batch, and is called by one
	// goroutine in the order of the batches.
	Batch func(b event.Batch) func(*event.Expansion)
}

// Converter appends to dst the event that a document of the named file stands for.
// It reports false of a document that is not of the shape, which is handed on as it
// is, and so refused where it is no JSON at all.
type Converter func(name string, dst, doc []byte) ([]byte, bool)

// kind gives the kind of a member, nil for JSON.
func (s *Source) kind(m *member, head []byte) (*Kind, error) {
	for i := range s.opt.Kinds {
		k := &s.opt.Kinds[i]
		if s.opt.Format == k.Name || s.opt.Format == Auto && k.Is(head) {
			return k, nil
		}
	}
	for _, k := range s.opt.Kinds {
		if s.opt.Format == Auto && slices.Contains(k.Endings, ending(m.name)) && !looksLikeJSON(head) {
			return nil, fmt.Errorf("not %s, though its name ends in %s: the file begins with %q", k.Name, ending(m.name), event.Sample(head[:min(len(head), 12)]))
		}
	}
	return nil, nil
}

var (
	eventEndings    = []string{".json", ".ndjson", ".jsonl"}
	compressEndings = []string{".gz", ".zst", ".zstd"}
)

// ending gives how a name ends, without what tells of a compression.
func ending(name string) string {
	name = strings.ToLower(name)
	for slices.Contains(compressEndings, filepath.Ext(name)) {
		name = strings.TrimSuffix(name, filepath.Ext(name))
	}
	return filepath.Ext(name)
}

// hasEventName tells whether the name of a file promises events in JSON.
func hasEventName(name string) bool { return slices.Contains(eventEndings, ending(name)) }

// converters are the converters of a shape, each with one worker at a time.
type converters struct {
	shape Shape
	pool  sync.Pool
}

func newConverters(sh Shape) *converters {
	return &converters{shape: sh, pool: sync.Pool{New: func() any { return sh.New() }}}
}

// expand gives a function that converts the documents of a batch.
func (c *converters) expand(b event.Batch) func(*event.Expansion) {
	if c.shape.Batch != nil {
		return c.shape.Batch(b)
	}
	return func(x *event.Expansion) {
		convert := c.pool.Get().(Converter)
		defer c.pool.Put(convert)
		x.Lines = true
		b.Each(func(at int, doc []byte) {
			n := len(x.Data)
			out, ok := convert(b.Name, x.Data, doc)
			if !ok {
				out = append(x.Data[:n], doc...)
			}
			x.Data = out
			x.Add(b.Offset + int64(at))
		})
	}
}

// shapeOf gives the shape of a file that begins with doc, nil if it holds events as
// they are.
func (s *Source) shapeOf(doc []byte) *converters {
	for _, c := range s.shapes {
		if s.opt.Format == c.shape.Name || s.opt.Format == Auto && c.shape.Is(doc) {
			return c
		}
	}
	return nil
}
