package nats

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/shrike-project/shrike/event"
)

// Reader reads the journal in its order. It belongs to one goroutine.
type Reader struct {
	j        *Journal
	next     uint64
	messages jetstream.MessagesContext
	free     sync.Pool // of *[]byte
}

// Reader makes a reader that begins at a sequence, or at the next one that is there.
func (j *Journal) Reader(from uint64) *Reader { return &Reader{j: j, next: max(1, from)} }

// Next gives the next block, or waits until there is one. Batch.Sequence is its
// sequence, and a block that is gone leaves a gap in them; so does one that is damaged,
// which is counted. After a connection was lost it goes on where it was.
func (r *Reader) Next(ctx context.Context) (event.Batch, error) {
	for {
		if err := ctx.Err(); err != nil {
			return event.Batch{}, err
		}
		m, err := r.message(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return event.Batch{}, ctx.Err()
			}
			r.Close() // and begin anew
			select {
			case <-time.After(100 * time.Millisecond):
			case <-ctx.Done():
			}
			continue
		}
		meta, err := m.Metadata()
		if err != nil {
			return event.Batch{}, fmt.Errorf("read the journal: %w", err)
		}
		if meta.Sequence.Stream < r.next {
			continue
		}
		r.next = meta.Sequence.Stream + 1
		b, err := r.batch(m.Data())
		if err != nil {
			r.j.damaged.Add(1)
			continue
		}
		b.Sequence, b.Received = meta.Sequence.Stream, meta.Timestamp
		return b, nil
	}
}

// message gives the next message of the stream.
func (r *Reader) message(ctx context.Context) (jetstream.Msg, error) {
	if r.messages == nil {
		c, err := r.j.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
			DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: r.next, InactiveThreshold: time.Minute,
		})
		if err != nil {
			return nil, err
		}
		if r.messages, err = c.Messages(jetstream.PullMaxMessages(64)); err != nil {
			r.messages = nil
			return nil, err
		}
	}
	return r.messages.Next(jetstream.NextContext(ctx))
}

func (r *Reader) batch(block []byte) (event.Batch, error) {
	buf, _ := r.free.Get().(*[]byte)
	if buf == nil {
		buf = new([]byte)
	}
	docs, _, err := readBlock(block, (*buf)[:cap(*buf)])
	if err != nil {
		return event.Batch{}, err
	}
	*buf = docs
	return event.Batch{Name: "journal", Data: docs, Release: func() { r.free.Put(buf) }}, nil
}

// Close ends reading.
func (r *Reader) Close() {
	if r.messages != nil {
		r.messages.Stop()
		r.messages = nil
	}
}
