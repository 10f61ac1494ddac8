package main

// Binary event logs, batch by batch.

import (
	"context"
	"io"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/source/evtx"
	"github.com/shrike-project/shrike/source/file"
	"github.com/shrike-project/shrike/windows"
)

// chunksABatch makes batches of a megabyte.
const chunksABatch = 16

// kind is the sort of file that binary event logs are.
func (e *eventLogs) kind() file.Kind {
	return file.Kind{Name: "evtx", Endings: []string{".evtx"}, Is: evtx.Is, Open: func(name string, r io.ReaderAt, size int64) (file.Documents, error) {
		f, err := evtx.Open(r, size)
		if err != nil {
			return nil, err
		}
		return &eventLog{evidence: e, name: name, file: f}, nil
	}}
}

// eventLog hands over the chunks of a log.
type eventLog struct {
	evidence *eventLogs
	name     string
	file     *evtx.File
	at       int
}

// Next implements file.Documents.
func (l *eventLog) Next(context.Context) (event.Batch, error) {
	n := min(chunksABatch, l.file.Chunks()-l.at)
	if n <= 0 {
		return event.Batch{}, io.EOF
	}
	s := &stretch{evidence: l.evidence, name: l.name}
	buf := l.evidence.buffer()
	total := 0
	for i := range n {
		c, err := l.file.Chunk(l.at+i, buf[i*evtx.ChunkBytes:(i+1)*evtx.ChunkBytes:(i+1)*evtx.ChunkBytes])
		if err != nil {
			l.evidence.recycle(buf)
			return event.Batch{}, err
		}
		total += len(c.Bytes)
		s.chunks = append(s.chunks, c)
	}
	l.at += n
	s.turn = l.evidence.turns.next()
	return event.Batch{
		Name: l.name, Data: buf[:total], Offset: s.chunks[0].Offset, Last: l.at == l.file.Chunks(), Expand: s.expand,
		Release: func() {
			l.evidence.turns.pass(s.turn)
			l.evidence.recycle(buf)
		},
	}, nil
}

// Close implements file.Documents.
func (l *eventLog) Close() error { return nil }

// stretch is some chunks of a log.
type stretch struct {
	evidence *eventLogs
	name     string
	turn     int
	chunks   []evtx.Chunk
}

// expand turns the records of the chunks into events. A record that is lost is
// refused, for each of those that are nowhere to be found the chunk is.
func (s *stretch) expand(x *event.Expansion) {
	t := s.evidence.take()
	defer s.evidence.give(t)
	before := t.decoder.Stats()
	t.decoder.Report = func(l evtx.Loss) {
		x.Refused = append(x.Refused, event.Refusal{Reason: lossReason(l.Reason), Offset: l.Offset, Detail: l.Error()})
	}
	for _, c := range s.chunks {
		was := t.decoder.Stats()
		err := t.decoder.Decode(c, func(r *windows.Record) error {
			t.record(x, r, c.Offset)
			return nil
		})
		if err != nil {
			panic("a decoder gave an error that nobody had: " + err.Error())
		}
		refuseMissing(x, c, was, t.decoder.Stats())
	}
	t.decoder.Report = nil
	t.settle(s.evidence, s.turn, x)
	s.evidence.note(s.name, since(before, t.decoder.Stats()))
}

// maxMissing is how many records a chunk can hold, whatever it says.
const maxMissing = evtx.ChunkBytes / 28

func refuseMissing(x *event.Expansion, c evtx.Chunk, was, is evtx.Stats) {
	for _, why := range [...]evtx.Reason{evtx.Missing, evtx.Cut} {
		for range min(is.Lost[why]-was.Lost[why], maxMissing) {
			x.Refused = append(x.Refused, event.Refusal{Reason: lossReason(why), Offset: c.Offset, Detail: "a record of this chunk: " + why.String()})
		}
	}
}

func lossReason(r evtx.Reason) event.Reason { return event.Reason("lost record: " + r.String()) }

// since gives what was counted from one moment to another.
func since(from, to evtx.Stats) evtx.Stats {
	to.Chunks -= from.Chunks
	to.Empty -= from.Empty
	to.Damaged -= from.Damaged
	to.Records -= from.Records
	to.Recovered -= from.Recovered
	to.LeftOver -= from.LeftOver
	to.LeftOverLost -= from.LeftOverLost
	for i := range to.Lost {
		to.Lost[i] -= from.Lost[i]
	}
	return to
}

// buffer gives memory for a batch of chunks, and recycle takes it back.
func (e *eventLogs) buffer() []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	if n := len(e.buffers); n > 0 {
		buf := e.buffers[n-1]
		e.buffers = e.buffers[:n-1]
		return buf
	}
	return make([]byte, chunksABatch*evtx.ChunkBytes)
}

func (e *eventLogs) recycle(buf []byte) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.buffers = append(e.buffers, buf)
}
