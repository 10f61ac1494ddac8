// Package kafka takes events from Kafka's topics, as one of a group of consumers.
//
//	topics ─▶ records ─▶ Taker (durable) ─▶ offsets of the group
//
// Offsets are given to Kafka once the events are durable at the taker's, so that a
// crash makes some come twice and none go missing. A partition that moves to another
// consumer of the group does so between two such steps.
//
// The package is part of the program, not of its promised interface.
package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/shrike-project/shrike/event"
)

// Subscription says what is taken. Records hold one event each, or one a line.
type Subscription struct {
	// Brokers are hosts with ports; Topics are what is taken from them as Group.
	Brokers, Topics []string
	Group           string
	// FromEnd leaves out what was there before the group first asked.
	FromEnd bool
	// TLS speaks TLS; CA is a PEM file of who signs the brokers' certificates, "": whom
	// the system trusts.
	TLS bool
	CA  string
	// Mechanism is "" or one of Mechanisms, with User and Password.
	Mechanism, User, Password string
	Log                       *slog.Logger
}

// Mechanisms are the ways to prove who one is.
var Mechanisms = []string{"plain", "scram-sha-256", "scram-sha-512"}

// polled is how many records are taken before they are made durable.
const polled = 2000

// Check tells what is wrong with a subscription.
func (s *Subscription) Check() error {
	switch {
	case len(s.Brokers) == 0:
		return errors.New("no brokers are named")
	case len(s.Topics) == 0:
		return errors.New("no topics are named")
	case s.Group == "":
		return errors.New("the group has no name")
	}
	_, err := s.options()
	return err
}

func (s *Subscription) options() ([]kgo.Opt, error) {
	from := kgo.NewOffset().AtStart()
	if s.FromEnd {
		from = kgo.NewOffset().AtEnd()
	}
	opts := []kgo.Opt{
		kgo.ClientID("shrike"), kgo.SeedBrokers(s.Brokers...), kgo.ConsumeTopics(s.Topics...), kgo.ConsumerGroup(s.Group),
		kgo.ConsumeResetOffset(from), kgo.DisableAutoCommit(), kgo.BlockRebalanceOnPoll(),
		kgo.FetchMaxBytes(8 << 20), kgo.FetchMaxPartitionBytes(2 << 20), kgo.BrokerMaxReadBytes(128 << 20), kgo.MaxConcurrentFetches(2),
	}
	if s.TLS {
		cfg := &tls.Config{MinVersion: tls.VersionTLS12}
		if s.CA != "" {
			text, err := os.ReadFile(s.CA)
			if err != nil {
				return nil, fmt.Errorf("read the brokers' CA: %w", err)
			}
			cfg.RootCAs = x509.NewCertPool()
			if !cfg.RootCAs.AppendCertsFromPEM(text) {
				return nil, fmt.Errorf("%s holds no certificate", s.CA)
			}
		}
		opts = append(opts, kgo.DialTLSConfig(cfg))
	}
	switch s.Mechanism {
	case "":
	case "plain":
		opts = append(opts, kgo.SASL(plain.Auth{User: s.User, Pass: s.Password}.AsMechanism()))
	case "scram-sha-256":
		opts = append(opts, kgo.SASL(scram.Auth{User: s.User, Pass: s.Password}.AsSha256Mechanism()))
	case "scram-sha-512":
		opts = append(opts, kgo.SASL(scram.Auth{User: s.User, Pass: s.Password}.AsSha512Mechanism()))
	default:
		return nil, fmt.Errorf("the mechanism %q is none of %v", s.Mechanism, Mechanisms)
	}
	return opts, nil
}

// Consume takes records until ctx is done and gives them to to. What the brokers
// cannot give now is asked for again. It returns the error of ctx, or that of a
// subscription that cannot work.
func (s *Subscription) Consume(ctx context.Context, to event.Taker) error {
	opts, err := s.options()
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		return fmt.Errorf("make a consumer: %w", err)
	}
	defer client.Close()
	for {
		if err := s.step(ctx, client, to); err != nil {
			return err
		}
	}
}

// step takes what is there, up to a bound, or waits for it.
func (s *Subscription) step(ctx context.Context, client *kgo.Client, to event.Taker) error {
	fetches := client.PollRecords(ctx, polled)
	defer client.AllowRebalance() // not before the offsets are given
	if ctx.Err() != nil {
		return ctx.Err()
	}
	records := fetches.Records()
	for _, r := range records {
		if len(r.Value) > 0 { // others mark what was deleted
			to.Take(r.Value, func() string { return fmt.Sprintf("%s/%d, offset %d", r.Topic, r.Partition, r.Offset) })
		}
	}
	if err := to.Flush(ctx); err != nil {
		return err
	}
	if len(records) > 0 {
		if err := client.CommitRecords(ctx, records...); err != nil && ctx.Err() == nil {
			s.Log.Warn("offsets are not taken: events may come again", "group", s.Group, "error", err)
		}
	}
	for _, e := range fetches.Errors() {
		s.Log.Error("events are not taken from a topic; it is tried again", "topic", e.Topic, "partition", e.Partition, "error", e.Err)
	}
	if fetches.Err() != nil {
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
	return ctx.Err()
}
