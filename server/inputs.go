package server

// Inputs: events that are fetched, where HTTP waits for them to be sent.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shrike-project/shrike/config"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/source/bulk"
	"github.com/shrike-project/shrike/source/file"
	"github.com/shrike-project/shrike/source/nats"
	"github.com/shrike-project/shrike/store"
)

// input is one of them while the server runs.
type input struct {
	cfg  *config.Input
	feed *feed
	run  func(ctx context.Context) error
}

// openInputs makes the inputs of the configuration.
func (s *Server) openInputs(ctx context.Context) error {
	for i := range s.cfg.Inputs {
		c := &s.cfg.Inputs[i]
		in := &input{cfg: c}
		log := s.log.With("input", c.Name)
		in.feed = &feed{journal: &backlog{s: s}, index: c.Index, largest: int(s.cfg.Limits.Document), log: log, refused: map[string]int64{}}
		var err error
		switch c.Kind {
		case "file":
			in.run, err = s.fileInput(ctx, c, in.feed)
		case "kafka":
			sub := c.Kafka.Subscription(log)
			in.run = func(ctx context.Context) error { return sub.Consume(ctx, in.feed) }
		case "nats":
			sub := nats.Subscription{URL: c.NATS.URL, Stream: c.NATS.Stream, Subjects: c.NATS.Subjects, Durable: c.NATS.Durable, Log: log}
			in.run = func(ctx context.Context) error { return sub.Consume(ctx, in.feed) }
		}
		if err != nil {
			return fmt.Errorf("input %s: %w", c.Name, err)
		}
		s.inputs = append(s.inputs, in)
	}
	return nil
}

// fileInput follows files, from where an earlier process was.
func (s *Server) fileInput(ctx context.Context, c *config.Input, to *feed) (func(context.Context) error, error) {
	name := "input/" + c.Name
	positions, err := s.store.State(ctx, name)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return nil, err
	}
	f, err := file.NewFollower(positions, file.FollowOptions{
		Paths: c.File.Paths, FromEnd: c.File.FromEnd, MaxLine: to.largest, Lost: to.refuse, Log: to.log,
	})
	if err != nil {
		return nil, err
	}
	save := func(ctx context.Context, positions []byte) error {
		for {
			_, err := s.store.Commit(ctx, store.Commit{States: map[string][]byte{name: positions}})
			if err == nil || ctx.Err() != nil {
				return ctx.Err()
			}
			to.log.Error("positions are not stored; it is tried again", "error", err)
			if err := pause(ctx, time.Second); err != nil {
				return err
			}
		}
	}
	return func(ctx context.Context) error { return f.Run(ctx, to, save) }, nil
}

// runInput runs an input until ctx is done. What ends it before is logged and shown in
// the status: the server goes on without it.
func (s *Server) runInput(ctx context.Context, in *input) {
	err := in.run(ctx)
	if ctx.Err() == nil {
		in.feed.failed.Store(&err)
		in.feed.log.Error("the input has ended", "error", err)
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// feed gives documents to the journal. It implements event.Taker.
type feed struct {
	journal bulk.Journal
	index   string // "": documents are sent on as they are
	largest int
	log     *slog.Logger

	docs  []byte
	count int

	taken  atomic.Int64
	failed atomic.Pointer[error] // why the input has ended

	counting sync.Mutex
	refused  map[string]int64 // by reason
	told     int              // refusals that were logged
}

// mostTold is how many refusals are logged one by one.
const mostTold = 100

// Take implements event.Taker. A text that is no event by itself may be several, one a
// line.
func (f *feed) Take(doc []byte, at func() string) {
	err := f.valid(doc)
	switch {
	case err == nil && bytes.IndexByte(doc, '\n') < 0 && bytes.IndexByte(doc, '\r') < 0:
		f.add(doc)
	case err == nil:
		var flat bytes.Buffer
		_ = json.Compact(&flat, doc) // it is valid
		f.add(flat.Bytes())
	case bytes.IndexByte(doc, '\n') >= 0:
		for line := range bytes.Lines(doc) {
			if line = bytes.TrimSpace(line); len(line) > 0 {
				f.Take(line, at)
			}
		}
	default:
		f.refuse(string(err.Reason), at())
	}
}

func (f *feed) valid(doc []byte) *event.Error {
	if len(doc) > f.largest {
		return &event.Error{Reason: event.TooLarge, Offset: f.largest}
	}
	return event.Valid(doc)
}

func (f *feed) add(doc []byte) {
	if f.index == "" {
		f.docs = append(append(f.docs, doc...), '\n')
	} else {
		f.docs = bulk.AppendHit(f.docs, f.index, "", doc)
	}
	f.count++
}

// refuse counts what cannot be taken.
func (f *feed) refuse(reason, place string) {
	f.counting.Lock()
	defer f.counting.Unlock()
	f.refused[reason]++
	if f.told++; f.told <= mostTold {
		f.log.Warn("an event is refused", "reason", reason, "at", place)
	} else if f.told == mostTold+1 {
		f.log.Warn("more events are refused; they are counted, see the metric shrike_input_refused_total")
	}
}

// Flush implements event.Taker: it goes on until the journal has taken what there is.
func (f *feed) Flush(ctx context.Context) error {
	for f.count > 0 {
		err := f.journal.Accept(ctx, f.docs, f.count)
		if err == nil {
			f.taken.Add(int64(f.count))
			f.docs, f.count = f.docs[:0], 0
			break
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		wait := time.Second
		var later interface{ RetryAfter() time.Duration }
		if errors.As(err, &later) {
			wait = later.RetryAfter()
		}
		f.log.Debug("the journal takes no events now", "error", err)
		if err := pause(ctx, wait); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// InputStatus tells how an input stands.
type InputStatus struct {
	Name    string           `json:"name"`
	Kind    string           `json:"kind"`
	Taken   int64            `json:"taken"`
	Refused map[string]int64 `json:"refused,omitempty"`
	Error   string           `json:"error,omitempty"` // why it has ended
}

func (s *Server) inputStatus() []InputStatus {
	list := make([]InputStatus, 0, len(s.inputs))
	for _, in := range s.inputs {
		st := InputStatus{Name: in.cfg.Name, Kind: in.cfg.Kind, Taken: in.feed.taken.Load()}
		in.feed.counting.Lock()
		st.Refused = maps.Clone(in.feed.refused)
		in.feed.counting.Unlock()
		if err := in.feed.failed.Load(); err != nil {
			st.Error = (*err).Error()
		}
		list = append(list, st)
	}
	return list
}
