package main

// The yardstick: how fast the ends of lines are found in the same bytes, in memory.

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// newlineRole is what this program is called with to be the yardstick.
const newlineRole = "newline-search"

// newlines gives the seconds that the search takes for the second half of a data set's bytes,
// as N events of it.
func newlines(cores int, d dataset) (float64, error) {
	self, err := os.Executable()
	if err != nil {
		return 0, err
	}
	out, err := onCores(cores, self, newlineRole, strconv.Itoa(cores), d.Large).Output()
	if err != nil {
		return 0, fmt.Errorf("search for newlines: %w", err)
	}
	seconds, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	return seconds * float64(d.Bytes) / float64(fileSize(d.Large)), err
}

// searchNewlines is the yardstick: it prints the seconds.
func searchNewlines(args []string) error {
	cores, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	text, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	found := make([]int, cores)
	var wg sync.WaitGroup
	begin := time.Now()
	for k := range cores {
		part := text[len(text)*k/cores : len(text)*(k+1)/cores]
		wg.Go(func() {
			n := 0
			for {
				at := bytes.IndexByte(part, '\n')
				if at < 0 {
					break
				}
				n++
				part = part[at+1:]
			}
			found[k] = n
		})
	}
	wg.Wait()
	took := time.Since(begin)
	if found[0] == 0 {
		return errors.New("no lines")
	}
	fmt.Println(took.Seconds())
	return nil
}
