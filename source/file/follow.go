package file

// Files that grow: logs that others write, rotated while they are followed.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/shrike-project/shrike/event"
)

// FollowOptions say what is followed.
type FollowOptions struct {
	// Paths are files; names may hold the signs of filepath.Match.
	Paths []string
	// FromEnd leaves out what stands in the files at the very first start.
	FromEnd bool
	// MaxLine is the longest line that is read, in bytes; longer ones are given to Lost.
	MaxLine int
	// Lost is told of what cannot be read.
	Lost func(reason, place string)
	Log  *slog.Logger
}

const (
	// followEvery is how often files are looked at.
	followEvery = 500 * time.Millisecond
	// followStep is how much is read before it is made durable.
	followStep = 1 << 20
	// beginBytes is how much of a file's beginning tells it from another.
	beginBytes = 1024
	// farewell is how long a file that was renamed or deleted is looked at after it grew
	// last: whoever writes it may not know yet.
	farewell = 10 * time.Second
)

// Followed is how far a file was read. What stands before Offset was made durable.
type Followed struct {
	Path   string `json:"path"`
	ID     string `json:"id,omitempty"` // what the file system calls it, where it does
	Head   uint64 `json:"head"`         // a hash of its first HeadLen bytes
	Length int    `json:"head_length"`
	Offset int64  `json:"offset"`
}

// Follower follows files. Its positions say where another one goes on.
type Follower struct {
	opt    FollowOptions
	files  []*tail
	past   []Followed // of an earlier run, not found yet
	first  bool       // nothing is known of an earlier run
	buf    []byte
	packed map[string]bool // files that were told of already
}

// NewFollower makes a follower that goes on at the positions of an earlier one; nil: at
// the first start.
func NewFollower(positions []byte, opt FollowOptions) (*Follower, error) {
	f := &Follower{opt: opt, first: positions == nil, packed: map[string]bool{}}
	if positions != nil {
		if err := json.Unmarshal(positions, &f.past); err != nil {
			return nil, fmt.Errorf("the positions are damaged: %w", err)
		}
	}
	for _, path := range opt.Paths {
		if _, err := filepath.Match(path, ""); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return f, nil
}

// Run reads what is there and what is written until ctx is done, gives the lines to to,
// and whenever some are durable calls save with the positions. It returns the first
// error of save, or that of ctx.
func (f *Follower) Run(ctx context.Context, to event.Taker, save func(context.Context, []byte) error) error {
	defer f.close()
	for {
		f.find()
		moved := false
		for _, t := range f.files {
			n := f.read(t, to)
			if n == 0 {
				continue
			}
			if err := to.Flush(ctx); err != nil {
				return err
			}
			t.Offset += int64(n)
			moved = true
		}
		before := len(f.files)
		f.files = slices.DeleteFunc(f.files, func(t *tail) bool { return f.ended(t, to) })
		if moved || len(f.files) < before {
			if err := to.Flush(ctx); err != nil { // what an ended file left
				return err
			}
			if err := save(ctx, f.Positions()); err != nil {
				return err
			}
			continue
		}
		select {
		case <-time.After(followEvery):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Positions gives how far the files were read.
func (f *Follower) Positions() []byte {
	list := slices.Clone(f.past)
	for _, t := range f.files {
		list = append(list, t.Followed)
	}
	text, err := json.Marshal(list)
	if err != nil {
		panic(err) // texts and numbers
	}
	return text
}

// tail is a file that is followed.
type tail struct {
	Followed
	file    *os.File
	info    os.FileInfo
	listed  bool      // a path leads to it
	grew    time.Time // when it did so last
	skipped bool      // within a line that is too long
}

// find looks for files that are new, and notes which are there under their names.
func (f *Follower) find() {
	for _, t := range f.files {
		t.listed = false
	}
	for _, pattern := range f.opt.Paths {
		paths, _ := filepath.Glob(pattern)
		if len(paths) == 0 {
			paths = []string{pattern} // a name may hold a bracket
		}
		for _, path := range paths {
			info, err := os.Stat(path)
			if err != nil || !info.Mode().IsRegular() {
				continue
			}
			if i := slices.IndexFunc(f.files, func(t *tail) bool { return os.SameFile(t.info, info) }); i >= 0 {
				f.files[i].Path, f.files[i].listed = path, true
				continue
			}
			f.open(path, true)
		}
	}
	if len(f.past) > 0 {
		f.findRenamed()
	}
	f.first = false
}

// findRenamed looks for the files of an earlier run that have another name by now.
func (f *Follower) findRenamed() {
	for _, p := range slices.Clone(f.past) {
		entries, _ := os.ReadDir(filepath.Dir(p.Path))
		for _, e := range entries {
			path := filepath.Join(filepath.Dir(p.Path), e.Name())
			if info, err := e.Info(); err != nil || !info.Mode().IsRegular() || ID(info) != p.ID || info.Size() < p.Offset {
				continue
			}
			before := len(f.past)
			f.open(path, false)
			if len(f.past) < before {
				break
			}
		}
	}
	for _, p := range f.past {
		f.opt.Lost("file_gone", p.Path)
		f.opt.Log.Warn("a followed file is gone; what was written to it after it was read last is lost", "file", p.Path, "offset", p.Offset)
	}
	f.past = nil
}

// open begins to follow a file: where an earlier run ended, if it is known, else, if it
// is wanted, at its beginning.
func (f *Follower) open(path string, wanted bool) {
	file, err := os.Open(path)
	if err != nil {
		if !f.packed[path] {
			f.packed[path] = true
			f.opt.Log.Error("a file cannot be followed", "file", path, "error", err)
		}
		return
	}
	info, err := file.Stat()
	if err != nil {
		_ = file.Close()
		return
	}
	t := &tail{Followed: Followed{Path: path, ID: ID(info)}, file: file, info: info, listed: wanted, grew: time.Now()}
	for i, p := range f.past {
		if p.ID == t.ID && t.begins(p.Head, p.Length) && p.Offset <= info.Size() {
			t.Offset, t.Head, t.Length = p.Offset, p.Head, p.Length
			f.past = slices.Delete(f.past, i, i+1)
			f.files = append(f.files, t)
			return
		}
	}
	if !wanted || t.isPacked(f) {
		_ = file.Close()
		return
	}
	if f.first && f.opt.FromEnd {
		t.Offset = t.lastLine(info.Size())
	}
	t.remember()
	f.files = append(f.files, t)
}

// isPacked tells of a file that grows no more, for rotating has compressed it.
func (t *tail) isPacked(f *Follower) bool {
	head := make([]byte, 4)
	n, _ := t.file.ReadAt(head, 0)
	packed := bytes.HasPrefix(head[:n], []byte{0x1f, 0x8b}) || bytes.HasPrefix(head[:n], []byte{0x28, 0xb5, 0x2f, 0xfd})
	if packed && !f.packed[t.Path] {
		f.packed[t.Path] = true
		f.opt.Log.Info("a compressed file is not followed", "file", t.Path)
	}
	return packed
}

// remember notes how the file begins.
func (t *tail) remember() {
	head := make([]byte, beginBytes)
	n, _ := t.file.ReadAt(head, 0)
	t.Head, t.Length = hash(head[:n]), n
}

// begins tells whether the file begins with length bytes of a hash.
func (t *tail) begins(sum uint64, length int) bool {
	if length < 0 || length > beginBytes {
		return false
	}
	head := make([]byte, length)
	n, _ := t.file.ReadAt(head, 0)
	return n == length && hash(head) == sum
}

func hash(b []byte) uint64 {
	h := fnv.New64a()
	_, _ = h.Write(b)
	return h.Sum64()
}

// lastLine gives the beginning of the last line that is not ended yet.
func (t *tail) lastLine(size int64) int64 {
	buf := make([]byte, 64<<10)
	for end := size; end > 0; {
		from := max(0, end-int64(len(buf)))
		n, _ := t.file.ReadAt(buf[:end-from], from)
		if i := bytes.LastIndexByte(buf[:n], '\n'); i >= 0 {
			return from + int64(i) + 1
		}
		end = from
	}
	return 0
}

// read gives lines of a file to to, and tells how many bytes they took.
func (f *Follower) read(t *tail, to event.Taker) (n int) {
	info, err := t.file.Stat()
	if err != nil {
		return 0
	}
	if info.Size() < t.Offset || info.Size() > t.info.Size() && !t.begins(t.Head, t.Length) {
		f.opt.Log.Info("a followed file was written anew; it is read from its beginning", "file", t.Path)
		t.Offset, t.skipped = 0, false
		t.remember()
	} else if t.Length < beginBytes && info.Size() > int64(t.Length) {
		t.remember()
	}
	if info.Size() != t.info.Size() {
		t.grew = time.Now()
	}
	t.info = info
	if f.buf == nil {
		f.buf = make([]byte, followStep)
	}
	got, err := t.file.ReadAt(f.buf[:min(int64(len(f.buf)), max(0, info.Size()-t.Offset))], t.Offset)
	if err != nil && !errors.Is(err, io.EOF) {
		f.opt.Log.Error("a followed file cannot be read", "file", t.Path, "error", err)
		return 0
	}
	text := f.buf[:got]
	for {
		i := bytes.IndexByte(text[n:], '\n')
		if i < 0 {
			break
		}
		f.line(t, text[n:n+i], n, to)
		n += i + 1
	}
	switch {
	case n > 0 || got < len(f.buf):
	case got < f.opt.MaxLine: // the line may end further on
		f.buf = make([]byte, min(2*len(f.buf), f.opt.MaxLine+1))
		return f.read(t, to)
	default: // none of it is wanted
		if !t.skipped {
			f.opt.Lost("too_large", t.place(0))
		}
		n, t.skipped = got, true
	}
	return n
}

// line gives on a line that begins n bytes after the file's offset.
func (f *Follower) line(t *tail, line []byte, n int, to event.Taker) {
	if t.skipped { // its end
		t.skipped = false
		return
	}
	if line = bytes.TrimSpace(line); len(line) > 0 {
		to.Take(line, func() string { return t.place(n) })
	}
}

func (t *tail) place(n int) string { return fmt.Sprintf("%s, byte %d", t.Path, t.Offset+int64(n)) }

// ended tells whether nothing will be written to a file any more, and takes its last
// line if that has no end.
func (f *Follower) ended(t *tail, to event.Taker) bool {
	if t.listed || time.Since(t.grew) < farewell {
		return false
	}
	if rest := t.info.Size() - t.Offset; rest > 0 && rest <= int64(len(f.buf)) {
		n, _ := t.file.ReadAt(f.buf[:rest], t.Offset)
		f.line(t, f.buf[:n], 0, to)
	}
	_ = t.file.Close()
	return true
}

func (f *Follower) close() {
	for _, t := range f.files {
		_ = t.file.Close()
	}
}
