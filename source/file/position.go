package file

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Position is how far a path was read, for a later run to go on.
type Position struct {
	// Path is the path as a name that holds from anywhere.
	Path string `json:"path"`
	// Size, ModTime and Head tell whether it is the same file: Head is the hash of
	// its first bytes.
	Size      int64     `json:"size"`
	ModTime   time.Time `json:"mod_time"`
	Head      string    `json:"head"`
	HeadBytes int       `json:"head_bytes"`
	// Leaf is the number of the file in it that is being read, Offset the byte of that
	// where to go on, and Batches the same for kinds that have no such byte.
	Leaf    int   `json:"leaf"`
	Offset  int64 `json:"offset,omitempty"`
	Batches int   `json:"batches,omitempty"`
	// Plain tells that the path is a single file of JSON, which can be gone on with
	// when it has grown.
	Plain bool `json:"plain,omitempty"`
	// Done tells that all of it was read.
	Done bool `json:"done,omitempty"`
}

// hashedBytes is how much of a file tells it from others.
const hashedBytes = 4096

// positions are those that changed since somebody asked.
type positions struct {
	mu      sync.Mutex
	changed map[string]Position
}

// Positions gives the positions that changed since the last call. It may be called
// while Next is running.
func (s *Source) Positions() []Position {
	s.tracked.mu.Lock()
	defer s.tracked.mu.Unlock()
	var list []Position
	for _, p := range s.tracked.changed {
		list = append(list, p)
	}
	s.tracked.changed = nil
	return list
}

// tracked follows the batches of one visit until they are acknowledged.
type tracked struct {
	all    *positions
	at     Position // acknowledged
	handed int
	acked  int
	ended  bool
	failed bool
}

// fail says that what is acknowledged from now on is not all there was before it.
func (t *tracked) fail() {
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	t.failed = true
}

// hand gives the function that acknowledges a batch.
func (t *tracked) hand(after Position) func() {
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	t.handed++
	return func() {
		t.all.mu.Lock()
		defer t.all.mu.Unlock()
		t.acked++
		if !t.failed {
			t.at = after
		}
		t.note()
	}
}

// end says that there are no more batches.
func (t *tracked) end() {
	t.all.mu.Lock()
	defer t.all.mu.Unlock()
	t.ended = true
	t.note()
}

func (t *tracked) note() {
	if t.failed {
		return
	}
	t.at.Done = t.ended && t.acked == t.handed
	if t.all.changed == nil {
		t.all.changed = map[string]Position{}
	}
	t.all.changed[t.at.Path] = t.at
}

// position is where to go on after what a leaf has handed over.
func (v *visit) position(l *leaf) Position {
	p := v.from
	p.Leaf, p.Offset, p.Batches, p.Plain = l.number, 0, l.batches, false
	if l.json != nil {
		p.Plain = len(v.stack) == 0
		if p.Offset = l.json.offset; l.json.done {
			p.Offset = l.json.again
		}
	}
	return p
}

// resume looks up how far the file was read, and reports whether that was all.
func (v *visit) resume(f *os.File) (done bool, err error) {
	if v.s.opt.Resume == nil {
		return false, nil
	}
	path := v.found.path
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	now := Position{Path: path, Size: v.found.info.Size(), ModTime: v.found.info.ModTime()}
	before, known := v.s.opt.Resume[path]
	if known {
		head, _, err := hashHead(f, before.HeadBytes)
		if err != nil {
			return false, err
		}
		same := head == before.Head
		switch {
		case same && before.Size == now.Size && before.ModTime.Equal(now.ModTime):
			if before.Done {
				v.s.skip(v.found.path, skipDone)
				return true, nil
			}
			now.Leaf, now.Offset, now.Batches = before.Leaf, before.Offset, before.Batches
		case same && before.Plain && now.Size > before.Size:
			now.Leaf, now.Offset = before.Leaf, before.Offset
		default:
			v.s.remark(v.found.path, "changed since an earlier run, read anew")
		}
	}
	if now.Head, now.HeadBytes, err = hashHead(f, hashedBytes); err != nil {
		return false, err
	}
	v.from = now
	v.track = &tracked{all: &v.s.tracked, at: now}
	return false, nil
}

// hashHead gives the hash of the first n bytes of a file, and how many there are.
func hashHead(f *os.File, n int) (string, int, error) {
	buf := make([]byte, n)
	n, err := f.ReadAt(buf, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", 0, err
	}
	sum := sha256.Sum256(buf[:n])
	return hex.EncodeToString(sum[:]), n, nil
}
