package main

import (
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// disk is where the server keeps its data.
type disk struct {
	path string
	own  bool // it is one of its own, and may be filled
}

// newDisk makes the folder, on a small disk of its own if that is wanted and allowed.
func newDisk(path string, own bool) (*disk, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	d := &disk{path: path}
	if own {
		out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=2g,mode=0700", "tmpfs", path).CombinedOutput()
		if d.own = err == nil; err != nil {
			log.Printf("the disk is not filled: %s", strings.TrimSpace(string(out)))
		}
	}
	return d, nil
}

func (d *disk) ballast() string { return filepath.Join(d.path, "ballast") }

// fill leaves no room on the disk.
func (d *disk) fill() {
	f, err := os.Create(d.ballast())
	if err != nil {
		return
	}
	defer f.Close()
	block := make([]byte, 1<<20)
	for err == nil {
		_, err = f.Write(block)
	}
	for err = nil; err == nil; { // what is left of the last block
		_, err = f.Write(block[:512])
	}
}

// empty gives the room back.
func (d *disk) empty() { _ = os.Remove(d.ballast()) }

func (d *disk) close() {
	if d.own {
		if out, err := exec.Command("umount", d.path).CombinedOutput(); err != nil {
			log.Printf("unmount: %s", out)
		}
	}
}

// tear appends to the newest files of journal and store what a write leaves that was
// not finished: bytes that make no sense. It gives the number of files.
func tear(data string, r *rand.Rand) (n int) {
	var files []string
	blocks, _ := filepath.Glob(filepath.Join(data, "journal", "jetstream", "*", "streams", "*", "msgs", "*.blk"))
	slices.Sort(blocks)
	if len(blocks) > 0 {
		files = append(files, newest(blocks))
	}
	files = append(files, filepath.Join(data, "shrike.db-wal"))
	for _, file := range files {
		f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			continue
		}
		rubbish := make([]byte, 1+r.IntN(2000))
		for i := range rubbish {
			rubbish[i] = byte(r.Uint32())
		}
		if _, err := f.Write(rubbish); err == nil {
			n++
		}
		_ = f.Close()
	}
	return n
}

// newest gives the file with the highest number.
func newest(files []string) string {
	return slices.MaxFunc(files, func(a, b string) int {
		var x, y int
		_, _ = fmt.Sscanf(filepath.Base(a), "%d.blk", &x)
		_, _ = fmt.Sscanf(filepath.Base(b), "%d.blk", &y)
		return x - y
	})
}
