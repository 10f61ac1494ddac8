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
	"sync"
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
	// Kinds are the files that are not JSON, and Shapes the forms of JSON that are
	// turned into events; the first that recognises a file takes it.
	Kinds  []Kind
	Shapes []Shape
	// Format is the Kind or Shape of all files, whatever they look like, or JSON; ""
	// and Auto: what each looks like.
	Format string
	// Limits bound what archives may unpack to.
	Limits Limits
	// Resume, if it is not nil, makes the source keep Positions, and go on at these.
	Resume map[string]Position
}

// DefaultMaxEventBytes is the default limit of a document's size.
const DefaultMaxEventBytes = 16 << 20

// The formats every source knows beside those of its kinds and shapes.
const (
	Auto = "auto" // what each file looks like
	JSON = "json" // JSON documents that are events as they are
)

// Formats are the names that Format may have.
func (o *Options) Formats() []string {
	names := []string{Auto, JSON}
	for _, k := range o.Kinds {
		names = append(names, k.Name)
	}
	for _, sh := range o.Shapes {
		names = append(names, sh.Name)
	}
	return names
}

// Source hands over the documents of files, file by file.
type Source struct {
	opt               Options
	paths             []found
	known             map[string]bool // the real paths of those found
	visit             *visit
	total             int64
	read              atomic.Int64
	stats             Stats
	chunks, stretches buffers
	again             rereader
	mu                sync.Mutex // of stats and opt.Report
	shapes            []*converters
	ctx               context.Context // of Next
	tracked           positions
}

// found is a path that is to be read.
type found struct {
	path  string
	info  fs.FileInfo // nil: standard input
	named bool        // by the user, not found in a folder
}

// Open finds the files below paths: a file as it is, a folder with everything in
// it, "-" for standard input. A path that does not exist is reported and counted,
// the others are read. Which files of a folder hold events shows when they are
// read.
func Open(paths []string, opt Options) *Source {
	if opt.MaxEventBytes <= 0 {
		opt.MaxEventBytes = DefaultMaxEventBytes
	}
	if opt.Format == "" {
		opt.Format = Auto
	}
	if !slices.Contains(opt.Formats(), opt.Format) {
		panic("unknown format " + opt.Format)
	}
	opt.Limits = opt.Limits.orDefault()
	s := &Source{opt: opt, known: map[string]bool{}, chunks: newBuffers(chunkBytes + 1<<17), stretches: newBuffers(stretchBytes + probeBytes)}
	s.stats.Skipped = map[string]int{}
	for _, sh := range opt.Shapes {
		s.shapes = append(s.shapes, newConverters(sh))
	}
	for _, p := range paths {
		if p == "-" {
			if !s.twice(p) {
				s.paths = append(s.paths, found{path: p, named: true})
			}
			continue
		}
		if err := s.find(p); err != nil {
			s.fail(p, err)
		}
	}
	return s
}

// find adds a file, or the files below a folder in the order of their names.
func (s *Source) find(root string) error {
	info, err := os.Stat(root)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		s.add(found{root, info, true})
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
		if !d.IsDir() {
			s.consider(path, d)
		}
		return nil
	})
}

// consider adds what was found in a folder, if it is a file.
func (s *Source) consider(path string, d fs.DirEntry) {
	info, err := os.Stat(path) // of what a symbolic link leads to
	switch {
	case err != nil:
		s.fail(path, err)
	case info.IsDir():
		s.skip(path, skipLink) // it may lead in a circle
	case !info.Mode().IsRegular():
		s.skip(path, skipIrregular) // reading it may wait for ever
	case len(d.Name()) > 2 && d.Name()[:2] == "._":
		s.skip(path, skipResource)
	default:
		s.add(found{path, info, false})
	}
}

func (s *Source) add(f found) {
	if s.twice(f.path) {
		return
	}
	s.paths = append(s.paths, f)
	if f.info.Mode().IsRegular() {
		s.total += f.info.Size()
	}
}

// twice tells whether a path was found before, and counts it if so.
func (s *Source) twice(path string) bool {
	real := path
	if path != "-" {
		if p, err := filepath.EvalSymlinks(path); err == nil {
			real = p
		}
		if p, err := filepath.Abs(real); err == nil {
			real = p
		}
	}
	if s.known[real] {
		s.skip(path, skipTwice)
		return true
	}
	s.known[real] = true
	return false
}

// Why a file is not read.
const (
	skipLink      = "a symbolic link to a folder"
	skipIrregular = "not a regular file"
	skipResource  = "a file beside a file, as macOS makes them"
	skipTwice     = "given twice, read once"
	skipUnknown   = "no events recognised in it"
	skipEmpty     = "empty"
	skipDone      = "read by an earlier run"
)

// Stats is what a source has read so far.
type Stats struct {
	// Files with events were read, Failed files and archives could not be, or not to
	// their end. Files in archives count like others, archives do not.
	Files, Archives, Failed int
	// Skipped counts files that were not read, by reason.
	Skipped map[string]int
	// Notes name the failed and the skipped, the first ones of them.
	Notes []Note
}

// Note says of a file why it was not read, or not to its end.
type Note struct {
	Path   string `json:"path"`
	Failed bool   `json:"failed"`
	Reason string `json:"reason"`
}

// maxNotes bounds Stats.Notes.
const maxNotes = 10_000

func (s *Source) fail(path string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Failed++
	s.note(Note{path, true, reasonOf(err)})
	if s.opt.Report != nil {
		s.opt.Report(path, err)
	}
}

// reasonOf gives an error without the path that its note names already.
func reasonOf(err error) string {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return p.Err.Error()
	}
	return err.Error()
}

func (s *Source) skip(path, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stats.Skipped[reason]++
	s.note(Note{path, false, reason})
}

// remark notes what is no reason not to read a file.
func (s *Source) remark(path, what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(Note{path, false, what})
}

func (s *Source) note(n Note) {
	if len(s.stats.Notes) < maxNotes {
		s.stats.Notes = append(s.stats.Notes, n)
	}
}

// Stats tells what was read. It is to be called when Next is not running, and no
// batch is being read.
func (s *Source) Stats() Stats { return s.stats }

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
		if s.visit == nil {
			if len(s.paths) == 0 {
				return event.Batch{}, io.EOF
			}
			f := s.paths[0]
			s.paths = s.paths[1:]
			s.visit = s.start(f)
		}
		b, err := s.visit.next(ctx)
		if err == nil {
			return b, nil
		}
		s.visit.close(errors.Is(err, io.EOF))
		s.visit = nil
		if !errors.Is(err, io.EOF) {
			return event.Batch{}, err
		}
	}
}

// Close ends the source.
func (s *Source) Close() {
	if s.visit != nil {
		s.visit.close(false)
		s.visit = nil
	}
	s.again.close()
}

// newStdin gives standard input, for as long as the context of Next lives.
func (s *Source) newStdin() (io.Reader, error) {
	if s.opt.Stdin == nil {
		return nil, fmt.Errorf("there is no standard input")
	}
	return newInterruptible(s.ctx, s.opt.Stdin), nil
}
