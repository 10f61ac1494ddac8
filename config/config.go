// Package config is the configuration of shrike serve: one TOML file, read strictly,
// with its defaults in one place.
//
//	file ─Read─▶ Config (defaults filled in, ${NAME} taken from the environment)
//	          └▶ problems, each with its line
//
// The package is part of the program, not of its promised interface.
package config

import (
	"time"

	"github.com/shrike-project/shrike/sink"
)

// Config is the configuration of a server.
type Config struct {
	// Data is the folder everything is kept in.
	Data string `toml:"data" comment:"The folder that the journal, the alerts and the keys are kept in."`
	// Rules are files and folders of rules; none: those that ship with Shrike.
	Rules   []string `toml:"rules" comment:"Files and folders of rules. None: those that ship with Shrike."`
	Space   string   `toml:"space" comment:"Kibana's space that alerts are written for."`
	Memory  Bytes    `toml:"memory" comment:"What the process aims to stay below, by collecting garbage more often; 0: as the environment variable GOMEMLIMIT has it."`
	Listen  Listen   `toml:"listen"`
	Limits  Limits   `toml:"limits"`
	Journal Journal  `toml:"journal"`
	Store   Store    `toml:"store"`
	Detect  Detect   `toml:"detect"`
	Log     Log      `toml:"log"`
	// Inputs are where events are fetched.
	Inputs []Input `toml:"inputs" comment:"Where events are fetched, besides being sent over HTTP: a list of tables [[inputs]], each with a name, a kind and a table of that kind."`
	// Sinks are where alerts are sent.
	Sinks []sink.Config `toml:"sinks" comment:"Where alerts are sent: a list of tables [[sinks]], each with a name, a kind and a table of that kind."`
}

// Listen says where the server listens.
type Listen struct {
	Address string `toml:"address" comment:"Host and port. Other hosts than loopback get TLS, with a certificate of its own unless one is named."`
	// Cert and Key are PEM files.
	Cert string `toml:"cert" comment:"The certificate and its key as PEM files."`
	Key  string `toml:"key"`
	// Plain says that TLS is not wanted where it would be used.
	Plain bool `toml:"plain" comment:"No TLS although others than this host can connect: something in front of Shrike does it."`
	// Stop is how long a stop may take.
	Stop Duration `toml:"stop" comment:"How long a stop may take before what is under way is left to the next start."`
}

// Limits bound what one client can take.
type Limits struct {
	Body        Bytes `toml:"body" comment:"The largest body of a request, after decompression."`
	Document    Bytes `toml:"document" comment:"The largest event."`
	Memory      Bytes `toml:"memory" comment:"What all bodies under way may take together. Beyond it others wait unread for two seconds, and are told to come again."`
	Rate        int   `toml:"rate" comment:"Requests a second of one key; 0: no limit."`
	Connections int   `toml:"connections" comment:"Connections at the same time."`
}

// Journal says where events are kept until they are judged, and longer for backfill.
type Journal struct {
	URL      string   `toml:"url" comment:"A NATS server with JetStream, or several of a cluster, separated by commas; empty: an embedded one in the data folder."`
	Replicas int      `toml:"replicas" comment:"How many servers of the cluster at url hold the journal: 1, or 3 to survive the loss of one."`
	Size     Bytes    `toml:"size" comment:"The most the journal may take. When what is not judged yet fills it, events are refused, not dropped."`
	Backlog  Bytes    `toml:"backlog" comment:"How much may wait to be judged before clients are told to wait, with 429."`
	Keep     Bytes    `toml:"keep" comment:"How much is kept of what was judged, for backfill."`
	Age      Duration `toml:"age" comment:"How long it is kept at most."`
}

// Store says where alerts are kept.
type Store struct {
	URL  string   `toml:"url" comment:"postgres://…; empty: a SQLite file in the data folder."`
	Keep Duration `toml:"keep" comment:"How long alerts are kept; 0: for ever."`
}

// Detect says how rules are run.
type Detect struct {
	Jobs        int      `toml:"jobs" comment:"Workers; 0: one a processor."`
	Lateness    Duration `toml:"lateness" comment:"How much older than the newest event one may be to take its place in a sequence. Sequences are judged that much later."`
	Waiting     Bytes    `toml:"waiting" comment:"What the events that wait for their turn may take; when they take more, the oldest are judged before the lateness is over."`
	Keys        int      `toml:"keys" comment:"The most join keys that are kept for each rule; the oldest are let go. 0: no bound."`
	IgnoreIndex bool     `toml:"ignore_index" comment:"Show every event to every rule, whatever its index patterns."`
	State       Duration `toml:"state" comment:"The time between two states of the sequences that are stored. A start after a crash repeats what came since."`
}

// Log says what is logged, to standard error.
type Log struct {
	Level  string `toml:"level" comment:"debug, info, warn or error."`
	Format string `toml:"format" comment:"text or json."`
}

// Default gives the configuration that an empty file stands for.
func Default() *Config {
	return &Config{
		Data:    "shrike-data",
		Space:   "default",
		Memory:  300 << 20,
		Listen:  Listen{Address: "127.0.0.1:9280", Stop: Duration(20 * time.Second)},
		Limits:  Limits{Body: 100 << 20, Document: 10 << 20, Memory: 32 << 20, Connections: 1024},
		Journal: Journal{Replicas: 1, Size: 8 << 30, Backlog: 1 << 30, Keep: 4 << 30, Age: Duration(7 * 24 * time.Hour)},
		Detect:  Detect{Lateness: Duration(30 * time.Second), Waiting: 16 << 20, Keys: 100_000, State: Duration(time.Minute)},
		Log:     Log{Level: "info", Format: "text"},
	}
}
