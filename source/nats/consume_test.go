package nats_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shrike-project/shrike/source/nats"
)

// taken collects documents, whose flushes fail once in a while.
type taken struct {
	pending []string
	durable map[string]bool
	flushes int
	all     func()
	want    int
}

func (c *taken) Take(doc []byte, at func() string) {
	if at() == "" {
		panic("no place")
	}
	c.pending = append(c.pending, string(doc))
}

func (c *taken) Flush(ctx context.Context) error {
	docs := c.pending
	c.pending = nil
	if c.flushes++; c.flushes == 3 {
		return errors.New("the disk is full") // and nothing is durable
	}
	for _, doc := range docs {
		c.durable[doc] = true
	}
	if len(c.durable) == c.want {
		c.all()
	}
	return ctx.Err()
}

// TestConsume takes messages of a stream; those that were not made durable come again.
func TestConsume(t *testing.T) {
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, JetStream: true, StoreDir: t.TempDir(), NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	defer s.Shutdown()
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("the server does not start")
	}
	conn, err := natsgo.Connect(s.ClientURL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "LOGS", Subjects: []string{"logs.>"}}); err != nil {
		t.Fatal(err)
	}
	const events = 3000
	for i := range events {
		if _, err := js.PublishAsync(fmt.Sprintf("logs.host%d", i%3), fmt.Appendf(nil, `{"n":%d}`, i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := js.PublishAsync("logs.other", []byte(`{"n":-1}`)); err != nil {
		t.Fatal(err)
	}
	<-js.PublishAsyncComplete()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	defer cancel()
	c := &taken{durable: map[string]bool{}, all: cancel, want: events}
	sub := nats.Subscription{URL: s.ClientURL(), Stream: "LOGS", Subjects: []string{"logs.host0", "logs.host1", "logs.host2"}, Durable: "shrike", Redeliver: 2 * time.Second, Log: slog.New(slog.DiscardHandler)}
	if err := sub.Consume(ctx, c); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if len(c.durable) != events || c.durable[`{"n":-1}`] {
		t.Errorf("%d events of %d", len(c.durable), events)
	}
	// A later one goes on behind them.
	if _, err := js.Publish(t.Context(), "logs.host0", []byte(`{"n":5000}`)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	later := &taken{durable: map[string]bool{}, all: cancel, want: 1, flushes: 10}
	_ = sub.Consume(ctx, later)
	if !later.durable[`{"n":5000}`] || len(later.durable) != 1 {
		t.Errorf("later: %v", later.durable)
	}
}
