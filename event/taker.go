package event

import "context"

// Taker takes the documents of whoever reads them without being asked: a follower of
// files, a consumer of a stream. What was read is forgotten at its source only after
// it is durable here. A Taker belongs to one goroutine.
type Taker interface {
	// Take takes a document, and copies what it keeps of it. At tells where it stood; it
	// is called before Take returns, if at all.
	Take(doc []byte, at func() string)
	// Flush returns nil once all that was taken is durable, else the error of ctx.
	Flush(ctx context.Context) error
}
