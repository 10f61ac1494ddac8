package nats

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shrike-project/shrike/event"
)

// Subscription says what is taken from a stream of somebody else's: messages that hold
// one event each, or one a line.
type Subscription struct {
	// URL is the address of a server, or of several, with commas.
	URL string
	// Options are further options of the connection, such as credentials.
	Options []nats.Option
	// Stream is the stream's name; Subjects are those that are taken of it, none: all.
	Stream   string
	Subjects []string
	// Durable is the name of the consumer, by which the server knows how far it is.
	Durable string
	// Redeliver is after how long the server gives messages again that were not
	// acknowledged; 0: a minute.
	Redeliver time.Duration
	Log       *slog.Logger
}

// fetched is how many messages are taken before they are made durable and
// acknowledged together.
const fetched = 500

// Consume takes what is published until ctx is done, and gives it to to. Messages are
// acknowledged once they are durable there; after a connection was lost it goes on where
// it was. It returns the error of ctx.
func (s *Subscription) Consume(ctx context.Context, to event.Taker) error {
	for {
		err := s.consume(ctx, to)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.Log.Error("events are not taken from the stream; it is tried again", "stream", s.Stream, "error", err)
		select {
		case <-time.After(2 * time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// consume takes messages until something fails.
func (s *Subscription) consume(ctx context.Context, to event.Taker) error {
	conn, err := nats.Connect(s.URL, append([]nats.Option{nats.Name("shrike"), nats.MaxReconnects(-1)}, s.Options...)...)
	if err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		return err
	}
	consumer, err := js.CreateOrUpdateConsumer(ctx, s.Stream, jetstream.ConsumerConfig{
		Durable: s.Durable, FilterSubjects: s.Subjects, AckPolicy: jetstream.AckExplicitPolicy, AckWait: cmp.Or(s.Redeliver, time.Minute), MaxAckPending: 4 * fetched,
	})
	if err != nil {
		return fmt.Errorf("make the consumer %s: %w", s.Durable, err)
	}
	for {
		if err := s.step(ctx, consumer, to); err != nil {
			return err
		}
	}
}

// step takes what is there, up to a bound, or waits a moment.
func (s *Subscription) step(ctx context.Context, consumer jetstream.Consumer, to event.Taker) error {
	batch, err := consumer.Fetch(fetched, jetstream.FetchMaxWait(time.Second))
	if err != nil {
		return err
	}
	var got []jetstream.Msg
	for m := range batch.Messages() {
		to.Take(m.Data(), func() string { return place(m) })
		got = append(got, m)
	}
	if err := to.Flush(ctx); err != nil {
		return err
	}
	for _, m := range got {
		if err := m.Ack(); err != nil { // it comes once more
			return err
		}
	}
	if err := batch.Error(); err != nil && !errors.Is(err, nats.ErrTimeout) {
		return err
	}
	return ctx.Err()
}

func place(m jetstream.Msg) string {
	meta, err := m.Metadata()
	if err != nil {
		return m.Subject()
	}
	return fmt.Sprintf("%s, message %d", meta.Stream, meta.Sequence.Stream)
}
