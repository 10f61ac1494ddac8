package pipeline

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"time"

	"github.com/shrike-project/shrike/event"
)

// Source hands over raw events in batches. Next blocks until there is a batch,
// the source has ended (io.EOF) or ctx is done. It is called by one goroutine.
type Source interface {
	Next(ctx context.Context) (event.Batch, error)
}

// Judge decides what is made of an event. It belongs to one worker.
type Judge[R any] struct {
	Decoder *event.Decoder
	// Skips, if set, tells that nothing follows from a document. Such a document is
	// counted as an event if it looks like one, and not decoded.
	Skips func(doc []byte) bool
	// Begin, if set, is told of each batch before its events.
	Begin func(seen Seen)
	// Event looks at an event and emits what follows from it. The event holds
	// until it returns. At is where its document stands in Seen.Data.
	Event func(ev *event.Event, at event.Extent, emit func(R))
	// Pause, if set, may emit something at the end of each batch.
	Pause func(seen Seen, emit func(R)) error
}

// Seen is where the documents of a batch stand.
type Seen struct {
	// Data holds the documents, until Pause returns.
	Data []byte
	// Again is that of event.Batch; nil if Data cannot be read again.
	Again func(at event.Extent) ([]byte, error)
}

// ScanOptions say how a scan runs.
type ScanOptions struct {
	// Jobs is the number of workers; 0 stands for one a processor.
	Jobs int
	// MaxEventBytes is the largest document that is decoded; 0: no limit.
	MaxEventBytes int
	// Within is the time of the events that are judged; others are counted. Events
	// that have no time are judged.
	Within Range
	// Done, if it is set, is called after each batch that was emitted as a whole and
	// acknowledged. An error ends the scan.
	Done func() error
	// Idle, if it is set, is called when all was emitted that was found so far,
	// and more input has yet to come. An error ends the scan.
	Idle func() error
}

// Summary is what a scan has seen.
type Summary struct {
	Events int64
	Bytes  int64 // after decompression
	// Results counts what the judges emitted.
	Results int64
	// Refused counts documents that are no events, by reason.
	Refused map[event.Reason]int64
	// Samples are some of the refused documents, the first ones.
	Samples []RefusedSample
	// Unreadable counts values that the type of their field could not read.
	Unreadable int64
	// Outside counts events that were not judged for their time, and Untimed those
	// that were although they have none; both only where a time was asked for.
	Outside, Untimed int64
	// FileEvents counts events by file; a file without events has its place too.
	FileEvents map[string]int64
	Took       time.Duration
	// Stopped tells that the scan ended before its input did.
	Stopped bool
}

// Place is where an event was read from.
type Place struct {
	File string
	// Line is the one its document begins on, counted from 1; 0: not known.
	Line int
}

// RefusedSample is a refused document and where it was.
type RefusedSample struct {
	File string
	event.Refusal
}

// maxSamples bounds the refused documents that are kept to be shown.
const maxSamples = 100

// work is a batch on its way through the workers.
type work[R any] struct {
	batch  event.Batch
	result chan *outcome[R] // buffered: the worker never waits
}

// ahead is how many batches wait for each worker. With fewer, workers wait for the goroutine
// that finds the next ones, which has no processor of its own.
const ahead = 4

// Scan runs a source to its end and hands what the judges emit to emit, in the
// order of the events. NewJudge is called once a worker, by this goroutine.
//
// The error is that of the source, of emit, or of ctx; the summary covers what
// was done until then.
func Scan[R any](ctx context.Context, src Source, newJudge func() Judge[R], emit func(R, Place) error, opt ScanOptions) (*Summary, error) {
	start := time.Now()
	if opt.Jobs <= 0 {
		opt.Jobs = runtime.GOMAXPROCS(0)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	todo := make(chan work[R], ahead*opt.Jobs)      // closed by read
	inOrder := make(chan work[R], 2*ahead*opt.Jobs) // closed by read; bounds the batches under way
	var wg sync.WaitGroup
	var sourceErr error
	held := make(chan struct{}, 2*opt.Jobs) // bounds those of them whose bytes are in memory
	wg.Go(func() { sourceErr = read(ctx, src, todo, inOrder, held) })
	for range opt.Jobs {
		w := newWorker(newJudge(), opt)
		wg.Go(func() {
			for job := range todo {
				job.result <- w.do(job.batch)
			}
		})
	}
	c := collector[R]{emit: emit, sum: &Summary{Refused: map[event.Reason]int64{}, FileEvents: map[string]int64{}}}
	for job := range inOrder {
		c.take(<-job.result)
		if job.batch.Read == nil {
			<-held
		}
		if c.err == nil && opt.Done != nil {
			c.err = opt.Done()
		}
		if c.err == nil && opt.Idle != nil && len(inOrder) == 0 {
			c.err = opt.Idle()
		}
		if c.err != nil {
			cancel() // the reader stops; what is under way is drained
		}
	}
	wg.Wait()
	c.sum.Took = time.Since(start)
	err := c.err
	if err == nil && !errors.Is(sourceErr, io.EOF) {
		err = sourceErr
	}
	c.sum.Stopped = err != nil
	return c.sum, err
}

// read hands every batch to the workers and to the collector, in order.
func read[R any](ctx context.Context, src Source, todo, inOrder chan<- work[R], held chan<- struct{}) error {
	defer close(todo)
	defer close(inOrder)
	for {
		b, err := src.Next(ctx)
		if err != nil {
			return err
		}
		job := work[R]{batch: b, result: make(chan *outcome[R], 1)}
		if b.Read == nil {
			select {
			case held <- struct{}{}:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		select {
		case inOrder <- job:
			todo <- job // workers always go on until todo is closed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// collector takes outcomes in order.
type collector[R any] struct {
	emit func(R, Place) error
	sum  *Summary
	name string
	line int // lines of the current file before the batch
	// lineless tells that the file was not read from its beginning.
	lineless bool
	err      error
}

func (c *collector[R]) take(out *outcome[R]) {
	if out.name != c.name {
		c.name, c.line, c.lineless = out.name, 0, out.resumed
	}
	c.sum.Events += out.events
	c.sum.Bytes += out.bytes
	c.sum.Unreadable += out.unreadable
	c.sum.Outside += out.outside
	c.sum.Untimed += out.untimed
	c.sum.FileEvents[out.name] += out.events
	for _, r := range out.refused {
		c.sum.Refused[r.Reason]++
		if len(c.sum.Samples) < maxSamples {
			r.Line = c.lineOf(r.Line)
			c.sum.Samples = append(c.sum.Samples, RefusedSample{File: out.name, Refusal: r})
		}
	}
	if c.err == nil {
		c.err = out.err
	}
	for i, r := range out.results {
		if c.err != nil {
			break
		}
		c.sum.Results++
		c.err = c.emit(r, Place{out.name, c.lineOf(out.resultLines[i])})
	}
	c.line += out.lines
	if c.err == nil && out.ack != nil {
		out.ack()
	}
	out.done()
}

// lineOf gives the line of the file that is a line of the batch; 0: not known.
func (c *collector[R]) lineOf(line int) int {
	if line == 0 || c.lineless {
		return 0
	}
	return c.line + line
}
