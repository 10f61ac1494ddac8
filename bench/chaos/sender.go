package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"
)

// index is where events are sent to.
const index = "logs-endpoint.events.process-default"

// sender sends the events of a file, in their order, each batch until the server says
// that it has it.
type sender struct {
	to      peers // in turns
	turn    int
	in      *bufio.Reader
	out     *os.File // what was acknowledged, as the server keeps it
	n       atomic.Int64
	stopped atomic.Bool
	retries int
	newest  time.Time
}

func newSender(events, acknowledged string, to peers) (*sender, error) {
	in, err := os.Open(events)
	if err != nil {
		return nil, err
	}
	out, err := os.Create(acknowledged)
	return &sender{to: to, in: bufio.NewReaderSize(in, 1<<20), out: out}, err
}

func (s *sender) acknowledged() int64 { return s.n.Load() }

// stop ends sending after the batch under way.
func (s *sender) stop() { s.stopped.Store(true) }

// The pace is slow enough for a file of a hundred thousand events to last for hundreds
// of kills. Several servers are slower to kill, and take events meanwhile.
const (
	batchEvents = 20
	pause       = 15 * time.Millisecond
)

func (s *sender) run(ctx context.Context) error {
	for !s.stopped.Load() {
		var docs [][]byte
		for len(docs) < batchEvents {
			line, err := s.in.ReadBytes('\n')
			if err != nil {
				return err
			}
			if line = bytes.TrimSpace(line); len(line) > 0 {
				docs = append(docs, line)
			}
		}
		if err := s.send(ctx, docs); err != nil {
			return err
		}
		time.Sleep(pause * time.Duration(len(s.to)))
	}
	// An event of long after lets all sequences come to their end.
	last := fmt.Sprintf(`{"@timestamp":%q,"event":{"category":["none"]}}`, s.newest.Add(365*24*time.Hour).UTC().Format(time.RFC3339Nano))
	return s.send(ctx, [][]byte{[]byte(last)})
}

// send sends a batch until it is acknowledged.
func (s *sender) send(ctx context.Context, docs [][]byte) error {
	var body, kept bytes.Buffer
	for _, doc := range docs {
		fmt.Fprintf(&body, "{\"create\":{\"_index\":%q}}\n%s\n", index, doc)
		fmt.Fprintf(&kept, "{\"_index\":%q,\"_source\":%s}\n", index, doc)
	}
	s.note(docs[len(docs)-1])
	for {
		limit, cancel := context.WithTimeout(ctx, 20*time.Second)
		s.turn++
		status, text, err := s.to[s.turn%len(s.to)].post(limit, "/_bulk", body.Bytes())
		cancel()
		var answer struct{ Errors bool }
		if err == nil && status == 200 {
			if json.Unmarshal(text, &answer) != nil || answer.Errors {
				return fmt.Errorf("the server refused an event: %s", text)
			}
			if _, err := io.Copy(s.out, &kept); err != nil {
				return err
			}
			s.n.Add(int64(len(docs)))
			return nil
		}
		if err == nil && status != 429 && status != 503 {
			return fmt.Errorf("the server answered %d: %s", status, text)
		}
		if ctx.Err() != nil {
			return errors.Join(err, ctx.Err())
		}
		s.retries++
		time.Sleep(10 * time.Millisecond)
	}
}

// note remembers the time of the newest event.
func (s *sender) note(doc []byte) {
	var e struct {
		Time time.Time `json:"@timestamp"`
	}
	if json.Unmarshal(doc, &e) == nil && e.Time.After(s.newest) {
		s.newest = e.Time
	}
}
