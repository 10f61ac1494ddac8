package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/shrike-project/shrike/source/kafka"
)

// taken collects documents; what was taken since the last flush is lost with a failure.
type taken struct {
	mu      sync.Mutex
	pending []string
	durable map[string]int
	fail    bool // flushes do not succeed
}

func (c *taken) Take(doc []byte, at func() string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !strings.HasPrefix(at(), "events/") {
		panic(at())
	}
	c.pending = append(c.pending, string(doc))
}

func (c *taken) Flush(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fail {
		return errors.New("the process dies here")
	}
	for _, doc := range c.pending {
		c.durable[doc]++
	}
	c.pending = nil
	return ctx.Err()
}

func (c *taken) count() (distinct, all int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.durable {
		all += n
	}
	return len(c.durable), all
}

// TestGroup takes 20,000 events through consumers that come, go and die.
func TestGroup(t *testing.T) {
	const events = 20_000
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(4, "events"))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	producer, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...), kgo.DefaultProduceTopic("events"))
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	sub := kafka.Subscription{Brokers: cluster.ListenAddrs(), Topics: []string{"events"}, Group: "shrike", Log: slog.New(slog.DiscardHandler)}
	if err := sub.Check(); err != nil {
		t.Fatal(err)
	}
	kept := &taken{durable: map[string]int{}}
	consume := func(to *taken) (stop func()) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- sub.Consume(ctx, to) }()
		return func() {
			cancel()
			if err := <-done; err == nil {
				t.Error("Consume returned nil")
			}
		}
	}
	stop := consume(kept)
	for i := range events {
		producer.Produce(t.Context(), kgo.StringRecord(fmt.Sprintf(`{"n":%d}`, i)), nil)
		switch i {
		case events / 4: // one that dies before anything is durable
			stop()
			dying := &taken{durable: map[string]int{}, fail: true}
			if err := sub.Consume(t.Context(), dying); err == nil || !strings.Contains(err.Error(), "dies") {
				t.Fatal(err)
			}
			stop = consume(kept)
		case events / 2:
			stop()
			stop = consume(kept)
		}
	}
	if err := producer.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		distinct, all := kept.count()
		if distinct == events {
			t.Logf("kafka: %d events, %d came twice", events, all-events)
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d events", distinct, events)
		}
	}
	stop()
}

func TestCheck(t *testing.T) {
	good := kafka.Subscription{Brokers: []string{"a:1"}, Topics: []string{"t"}, Group: "g", Mechanism: "scram-sha-512"}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for _, change := range []func(*kafka.Subscription){
		func(s *kafka.Subscription) { s.Brokers = nil },
		func(s *kafka.Subscription) { s.Topics = nil },
		func(s *kafka.Subscription) { s.Group = "" },
		func(s *kafka.Subscription) { s.Mechanism = "magic" },
		func(s *kafka.Subscription) { s.TLS, s.CA = true, "/nowhere" },
	} {
		bad := good
		change(&bad)
		if bad.Check() == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
}
