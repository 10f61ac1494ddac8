// Package file reads events from files, folders and standard input: one JSON
// document a line, documents one after another over many lines, or a JSON array
// of documents; plain or compressed by gzip or zstd; in UTF-8 or UTF-16. What a
// file holds is recognised by looking at it, not by its name.
//
// The package is part of the program, not of its promised interface.
package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/shrike-project/shrike/event"
)

// Options say how files are read.
type Options struct {
	// MaxEventBytes is the largest document that is handed on; larger ones are
	// counted as refused. 0 stands for DefaultMaxEventBytes.
	MaxEventBytes int
	// Stdin is what the path "-" stands for.
	Stdin io.Reader
	// Report takes what could not be read, as it happens.
	Report func(path string, err error)
}

// DefaultMaxEventBytes is the default limit of a document's size.
const DefaultMaxEventBytes = 16 << 20

// Source hands over the documents of files, file by file.
type Source struct {
	opt     Options
	paths   []string
	current *reader
	total   int64
	read    atomic.Int64
	files   int
	failed  int
	skipped map[string]int
	free    chan []byte
	ctx     context.Context // of Next
}

// Open finds the files below paths: a file as it is, a folder with everything in
// it whose name ends like an event file, "-" for standard input. A path that does
// not exist is reported and counted, the others are read.
func Open(paths []string, opt Options) *Source {
	if opt.MaxEventBytes <= 0 {
		opt.MaxEventBytes = DefaultMaxEventBytes
	}
	s := &Source{opt: opt, skipped: map[string]int{}, free: make(chan []byte, maxFree)}
	for _, p := range paths {
		if p == "-" {
			s.paths = append(s.paths, p)
			continue
		}
		if err := s.find(p); err != nil {
			s.fail(p, err)
		}
	}
	return s
}

func (s *Source) fail(path string, err error) {
	s.failed++
	if s.opt.Report != nil {
		s.opt.Report(path, err)
	}
}

// find adds a file, or the files below a folder in the order of their names.
func (s *Source) find(root string) error {
	info, err := os.Stat(root)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		s.add(root, info)
		return nil
	}
	// The dot makes the walk go through a root that is a symbolic link.
	return filepath.WalkDir(root+string(filepath.Separator)+".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			s.fail(path, err)
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() || !d.Type().IsRegular() && d.Type()&fs.ModeSymlink == 0 {
			return nil
		}
		if d.Type()&fs.ModeSymlink != 0 {
			if info, err := os.Stat(path); err == nil && info.IsDir() {
				s.skipped["a symbolic link to a folder"]++ // which may lead in a circle
				return nil
			}
		}
		if !isEventFile(d.Name()) {
			s.skipped["not an event file by its name"]++
			return nil
		}
		info, err := os.Stat(path)
		switch {
		case err != nil:
			s.fail(path, err)
		case !info.IsDir():
			s.add(path, info)
		}
		return nil
	})
}

func (s *Source) add(path string, info fs.FileInfo) {
	s.paths = append(s.paths, path)
	s.total += info.Size()
}

var (
	eventEndings    = []string{".json", ".ndjson", ".jsonl"}
	compressEndings = []string{".gz", ".zst", ".zstd"}
)

// isEventFile tells by its name whether a file in a folder is read.
func isEventFile(name string) bool {
	name = strings.ToLower(name)
	if slices.Contains(compressEndings, filepath.Ext(name)) {
		name = strings.TrimSuffix(name, filepath.Ext(name))
	}
	return slices.Contains(eventEndings, filepath.Ext(name))
}

// Stats is what a source has read so far.
type Stats struct {
	// Files were read, Failed could not be, or not to their end.
	Files, Failed int
	// Skipped counts files in folders that were not looked at, by reason.
	Skipped map[string]int
}

// Stats tells what was read. It is to be called when Next is not running.
func (s *Source) Stats() Stats {
	return Stats{Files: s.files, Failed: s.failed, Skipped: s.skipped}
}

// Progress gives the bytes read and the bytes there are, as they are on disk;
// standard input counts to neither. It may be called at any time.
func (s *Source) Progress() (read, total int64) { return s.read.Load(), s.total }

// Next hands over the next batch. The error is io.EOF at the end of all files, or
// that of ctx. A file that cannot be read is reported and passed over.
func (s *Source) Next(ctx context.Context) (event.Batch, error) {
	s.ctx = ctx
	for {
		if err := ctx.Err(); err != nil {
			return event.Batch{}, err
		}
		if s.current == nil {
			if len(s.paths) == 0 {
				return event.Batch{}, io.EOF
			}
			path := s.paths[0]
			s.paths = s.paths[1:]
			r, err := s.open(path)
			if err != nil && ctx.Err() != nil {
				return event.Batch{}, ctx.Err()
			}
			if err != nil {
				s.fail(path, err)
				continue
			}
			s.files++
			s.current = r
		}
		b, err := s.current.next()
		if err == nil {
			return b, nil
		}
		path := s.current.name
		s.current.close()
		s.current = nil
		if ctx.Err() != nil {
			return event.Batch{}, ctx.Err()
		}
		if !errors.Is(err, io.EOF) {
			s.fail(path, err)
		}
		if len(b.Data) > 0 || len(b.Refused) > 0 {
			return b, nil
		}
	}
}

// Close ends the source.
func (s *Source) Close() {
	if s.current != nil {
		s.current.close()
		s.current = nil
	}
}

func (s *Source) open(path string) (*reader, error) {
	if path == "-" {
		if s.opt.Stdin == nil {
			return nil, fmt.Errorf("there is no standard input")
		}
		return s.newReader("-", io.NopCloser(newInterruptible(s.ctx, s.opt.Stdin)), nil)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return s.newReader(path, f, &s.read)
}
