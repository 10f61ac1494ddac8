package file

import (
	"context"
	"io"
)

// interruptible is a reader whose Read returns when ctx is done, though the read
// below it goes on: standard input may be silent for ever.
type interruptible struct {
	ctx  context.Context
	data chan []byte // closed after err is set
	err  error
	rest []byte
}

func newInterruptible(ctx context.Context, in io.Reader) *interruptible {
	r := &interruptible{ctx: ctx, data: make(chan []byte)}
	go func() {
		defer close(r.data)
		for {
			buf := make([]byte, 1<<16)
			n, err := in.Read(buf)
			if n > 0 {
				select {
				case r.data <- buf[:n]:
				case <-ctx.Done():
					r.err = ctx.Err()
					return
				}
			}
			if err != nil {
				r.err = err
				return
			}
		}
	}()
	return r
}

func (r *interruptible) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		select {
		case data, ok := <-r.data:
			if !ok {
				return 0, r.err
			}
			r.rest = data
		case <-r.ctx.Done():
			return 0, r.ctx.Err()
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}
