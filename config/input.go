package config

import (
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"github.com/shrike-project/shrike/source/kafka"
)

// Input is a place that events are fetched from.
type Input struct {
	Name string `toml:"name" comment:"By it the input is known in metrics, and its positions in the store."`
	Kind string `toml:"kind" comment:"file, kafka or nats."`
	// Index is the index or data stream that the events are taken to be of.
	Index string `toml:"index,omitempty" comment:"The index or data stream that the events are taken to be of, for the rules' index patterns; empty: what they say themselves."`

	File  FileInput  `toml:"file,omitempty"`
	Kafka KafkaInput `toml:"kafka,omitempty"`
	NATS  NATSInput  `toml:"nats,omitempty"`
}

// InputKinds are the kinds of inputs.
var InputKinds = []string{"file", "kafka", "nats"}

// FileInput follows files that grow, one event a line.
type FileInput struct {
	Paths   []string `toml:"paths,omitempty" comment:"Files; names may hold * and ?."`
	FromEnd bool     `toml:"from_end,omitempty" comment:"Leave out what stands in the files at the very first start."`
}

// KafkaInput takes records from topics.
type KafkaInput struct {
	Brokers   []string `toml:"brokers,omitempty"`
	Topics    []string `toml:"topics,omitempty"`
	Group     string   `toml:"group,omitempty" comment:"The group of consumers, which keeps the offsets."`
	FromEnd   bool     `toml:"from_end,omitempty" comment:"Leave out what was there before the group first asked."`
	TLS       bool     `toml:"tls,omitempty"`
	CA        string   `toml:"ca,omitempty" comment:"PEM file of who signs the brokers' certificates; empty: whom the system trusts."`
	Mechanism string   `toml:"mechanism,omitempty" comment:"plain, scram-sha-256 or scram-sha-512; empty: none."`
	User      string   `toml:"user,omitempty"`
	Password  string   `toml:"password,omitempty"`
}

// Subscription gives what the settings mean.
func (k *KafkaInput) Subscription(log *slog.Logger) *kafka.Subscription {
	return &kafka.Subscription{
		Brokers: k.Brokers, Topics: k.Topics, Group: k.Group, FromEnd: k.FromEnd, TLS: k.TLS, CA: k.CA,
		Mechanism: k.Mechanism, User: k.User, Password: k.Password, Log: log,
	}
}

// NATSInput takes messages from a stream of a JetStream server.
type NATSInput struct {
	URL      string   `toml:"url,omitempty"`
	Stream   string   `toml:"stream,omitempty"`
	Subjects []string `toml:"subjects,omitempty" comment:"None: all of the stream."`
	Durable  string   `toml:"durable,omitempty" comment:"The name of the consumer, by which the server knows how far it is."`
}

func (in *Input) check() error {
	switch in.Kind {
	case "file":
		if len(in.File.Paths) == 0 {
			return errors.New("no paths are named")
		}
		for _, path := range in.File.Paths {
			if _, err := filepath.Match(path, ""); err != nil {
				return fmt.Errorf("%s is no pattern", path)
			}
		}
	case "kafka":
		return in.Kafka.Subscription(nil).Check()
	case "nats":
		for _, part := range []struct{ name, value string }{{"url", in.NATS.URL}, {"stream", in.NATS.Stream}, {"durable", in.NATS.Durable}} {
			if part.value == "" {
				return fmt.Errorf("%s is missing", part.name)
			}
		}
	}
	return nil
}
