// Package nats is the journal: where events that clients sent are durable before the
// clients get their answer, and where detection reads them from.
//
//	Accept ─▶ blocks ─▶ JetStream stream ─▶ Reader.Next ─▶ event.Batch
//
// A block holds up to half a megabyte of documents, one a line, compressed; a message
// for each event would cost many times what detection does. What several callers hand
// over at the same time goes into the same blocks, for it is the waiting for the disk
// that takes long.
//
// # What an answer promises
//
// Accept returns after the server has stored all blocks. The embedded server writes
// through to the disk before it answers; a cluster answers when a majority of its
// replicas has the block. One order holds for all events: that of the stream's
// sequence numbers.
//
// # Bounds
//
// The stream has a size, and refuses what does not fit: nothing is dropped to make
// room. What was judged already (see Judged) is deleted first, to leave as much of it
// for backfill as the bounds allow.
//
// The package is part of the program, not of its promised interface.
package nats
