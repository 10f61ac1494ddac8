package file_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shrike-project/shrike/source/file"
)

// taken collects lines; each becomes durable with the next flush.
type taken struct {
	mu     sync.Mutex
	lines  []string
	lost   []string
	places []string
}

func (c *taken) Take(doc []byte, at func() string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lines = append(c.lines, string(doc))
	c.places = append(c.places, at())
}

func (c *taken) Flush(ctx context.Context) error { return ctx.Err() }

func (c *taken) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.lines, " ")
}

// following runs a follower until its stop is called, which gives the positions.
func following(t *testing.T, c *taken, positions []byte, opt file.FollowOptions) (stop func() []byte) {
	t.Helper()
	opt.Log = slog.New(slog.NewTextHandler(t.Output(), nil))
	opt.Lost = func(reason, place string) {
		c.mu.Lock()
		c.lost = append(c.lost, reason+" "+filepath.Base(place))
		c.mu.Unlock()
	}
	if opt.MaxLine == 0 {
		opt.MaxLine = 1 << 20
	}
	f, err := file.NewFollower(positions, opt)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	saved := positions
	go func() {
		defer close(done)
		err := f.Run(ctx, c, func(_ context.Context, p []byte) error { saved = bytes.Clone(p); return nil })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	}()
	return func() []byte { cancel(); <-done; return saved }
}

func (c *taken) wait(t *testing.T, want string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); c.text() != want; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("got  %q\nwant %q", c.text(), want)
		}
	}
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestFollow(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.log")
	opt := file.FollowOptions{Paths: []string{filepath.Join(dir, "*.log")}}
	var c taken
	appendTo(t, path, "1\n2\nhal")
	stop := following(t, &c, nil, opt)
	c.wait(t, "1 2")
	appendTo(t, path, "f\n\n")
	c.wait(t, "1 2 half")
	appendTo(t, filepath.Join(dir, "b.log"), "other\n") // a new file
	c.wait(t, "1 2 half other")

	// Renamed; its writer goes on for a while.
	if err := os.Rename(path, path+".1"); err != nil {
		t.Fatal(err)
	}
	appendTo(t, path+".1", "old\n")
	c.wait(t, "1 2 half other old")
	appendTo(t, path, "new\n")
	c.wait(t, "1 2 half other old new")

	// Renamed while nobody looks.
	positions := stop()
	appendTo(t, path, "unseen\n")
	if err := os.Rename(path, path+".2"); err != nil {
		t.Fatal(err)
	}
	appendTo(t, path, "next\n")
	stop = following(t, &c, positions, opt)
	c.wait(t, "1 2 half other old new next unseen")

	// Written anew in place.
	if err := os.WriteFile(path, []byte("x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.wait(t, "1 2 half other old new next unseen x")
	if err := os.WriteFile(path, []byte("longer than before\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.wait(t, "1 2 half other old new next unseen x longer than before")

	// Gone while nobody looks.
	positions = stop()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	stop = following(t, &c, positions, opt)
	appendTo(t, path, "y\n")
	c.wait(t, "1 2 half other old new next unseen x longer than before y")
	stop()
	if got := strings.Join(c.lost, " "); !strings.Contains(got, "file_gone a.log") {
		t.Errorf("lost: %q", got)
	}
}

func TestFollowFromEnd(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.log")
	opt := file.FollowOptions{Paths: []string{path}, FromEnd: true}
	var c taken
	appendTo(t, path, "1\n2\nhal")
	stop := following(t, &c, nil, opt)
	time.Sleep(700 * time.Millisecond)
	appendTo(t, path, "f\n3\n")
	c.wait(t, "half 3")
	positions := stop()
	appendTo(t, path, "4\n") // the end is that of the first start
	stop = following(t, &c, positions, opt)
	c.wait(t, "half 3 4")
	stop()
}

func TestFollowLongLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	var c taken
	appendTo(t, path, "1\n"+strings.Repeat("x", 5<<20)+"\n2\n"+strings.Repeat("y", 2<<20)+"\n3\n")
	stop := following(t, &c, nil, file.FollowOptions{Paths: []string{path}, MaxLine: 3 << 20})
	c.wait(t, "1 2 "+strings.Repeat("y", 2<<20)+" 3")
	stop()
	if got := fmt.Sprint(c.lost); got != "[too_large a.log, byte 2]" {
		t.Errorf("lost: %s", got)
	}
	if want := path + ", byte 5242883"; c.places[1] != want {
		t.Errorf("the place is %s, expected %s", c.places[1], want)
	}
}

func TestFollowPositions(t *testing.T) {
	if _, err := file.NewFollower([]byte("x"), file.FollowOptions{}); err == nil {
		t.Error("damaged positions are taken")
	}
	if _, err := file.NewFollower(nil, file.FollowOptions{Paths: []string{"[a"}}); err == nil {
		t.Error("a bad pattern is taken")
	}
}
