package nats

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// inFlight is how many blocks may wait for the server's answer.
const inFlight = 8

// request is what a caller of Accept waits for.
type request struct {
	docs  []byte
	count int
	// left counts the blocks that are not stored yet, and one more until all are made.
	left   atomic.Int32
	err    atomic.Pointer[error] // the first failure
	result chan error            // buffered, one answer
}

func newRequest(docs []byte, count int) *request {
	r := &request{docs: docs, count: count, result: make(chan error, 1)}
	r.left.Store(1)
	return r
}

// stored notes that one of its blocks is, or why not.
func (r *request) stored(err error) {
	if err != nil {
		r.err.CompareAndSwap(nil, &err)
	}
	if r.left.Add(-1) > 0 {
		return
	}
	if first := r.err.Load(); first != nil {
		r.result <- *first
	} else {
		r.result <- nil
	}
}

// Accept stores documents, one a line, the last line ended as well; count is how many
// there are. It returns nil once all are durable. After any error some may be stored:
// who sends them again sends some twice, which the ids of alerts make harmless. An
// error that has a method RetryAfter says when to try again. Docs may be used again
// when it returns.
func (j *Journal) Accept(ctx context.Context, docs []byte, count int) error {
	if len(docs) == 0 {
		return nil
	}
	r := newRequest(docs, count)
	select {
	case <-j.done: // before a place in the queue: nobody reads it any more
		return &FullError{"it is being closed", time.Second}
	default:
	}
	select {
	case j.requests <- r:
	case <-j.done:
		return &FullError{"it is being closed", time.Second}
	case <-ctx.Done():
		return ctx.Err()
	}
	return <-r.result // always comes: the server answers, or the client gives up on it
}

// sent is a block on its way.
type sent struct {
	future jetstream.PubAckFuture
	of     []*request
	block  *[]byte
}

// write makes blocks of what is accepted, until the journal is closed.
func (j *Journal) write() {
	answers := make(chan sent, inFlight) // closed by write
	j.writers.Go(func() { j.answer(answers) })
	defer close(answers)
	b := &blockWriter{j: j, answers: answers}
	for {
		select {
		case r := <-j.requests:
			b.add(r)
		case <-j.done:
			for { // those who came before the end are served
				select {
				case r := <-j.requests:
					b.add(r)
				default:
					b.flush()
					return
				}
			}
		}
		for more := true; more; {
			select {
			case r := <-j.requests:
				b.add(r)
			default:
				more = false
			}
		}
		b.flush()
	}
}

// blockWriter fills blocks and sends them.
type blockWriter struct {
	j       *Journal
	answers chan<- sent
	docs    []byte
	count   int
	of      []*request
}

// add puts the documents of a request into blocks. The request is answered after the
// last of them.
func (b *blockWriter) add(r *request) {
	rest, left := r.docs, r.count
	for len(rest) > 0 {
		free := blockBytes - len(b.docs)
		cut := len(rest)
		if cut > free {
			if cut = bytes.LastIndexByte(rest[:max(0, free)], '\n') + 1; cut == 0 && len(b.docs) > 0 {
				b.flush()
				continue
			}
			if cut == 0 { // one document is larger than a block
				cut = bytes.IndexByte(rest, '\n') + 1
			}
			if cut == 0 {
				cut = len(rest)
			}
		}
		n := left
		if cut < len(rest) {
			n = bytes.Count(rest[:cut], []byte("\n"))
		}
		b.docs = append(b.docs, rest[:cut]...)
		b.count += n
		b.of = append(b.of, r)
		r.left.Add(1)
		rest, left = rest[cut:], left-n
		if len(rest) > 0 {
			b.flush()
		}
	}
	r.stored(nil) // all of its blocks are made
}

// flush sends the block.
func (b *blockWriter) flush() {
	if len(b.docs) == 0 {
		return
	}
	block, ok := b.j.blocks.Get().(*[]byte)
	if !ok {
		block = new([]byte)
	}
	*block = appendBlock((*block)[:0], b.docs, b.count)
	future, err := b.j.js.PublishMsgAsync(&nats.Msg{Subject: b.j.subject, Data: *block})
	if err != nil {
		future = failed{err}
	}
	b.answers <- sent{future, b.of, block}
	b.docs, b.count, b.of = b.docs[:0], 0, nil
}

// failed is the answer to a block that could not be sent.
type failed struct{ err error }

func (f failed) Ok() <-chan *jetstream.PubAck { return nil }
func (f failed) Msg() *nats.Msg               { return nil }
func (f failed) Err() <-chan error {
	ch := make(chan error, 1)
	ch <- f.err
	return ch
}

// answer waits for the server's answers, in the order of the blocks, and tells those
// who wait.
func (j *Journal) answer(answers <-chan sent) {
	for s := range answers {
		var err error
		select {
		case <-s.future.Ok():
		case err = <-s.future.Err():
			err = j.refusal(err)
		}
		if err == nil { // after an error it may yet be sent
			j.blocks.Put(s.block)
		}
		for _, r := range s.of {
			r.stored(err)
		}
	}
}

// refusal tells callers why a block was not stored.
func (j *Journal) refusal(err error) error {
	var api *jetstream.APIError
	switch {
	case errors.As(err, &api) && (slices.Contains(codesFull, api.ErrorCode) || strings.Contains(api.Description, "maximum bytes")):
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if j.makeRoom(ctx) {
			return &FullError{"it was full, and there is room now", time.Second}
		}
		return &FullError{"it is full of events that are not judged yet, or its disk is", 5 * time.Second}
	default:
		return &FullError{err.Error(), 2 * time.Second}
	}
}

// codesFull are what JetStream answers when it could not store a message, when the
// server's bound is reached, and when the account's is.
var codesFull = []jetstream.ErrorCode{10077, 10023, 10047}
