// Package sink sends alerts on: to a file, a webhook, an Elasticsearch index, syslog or
// by mail. One file holds one kind.
//
// Deliver gives nil when all alerts were taken, else one error for each alert, nil for
// those that were taken. An error that is a *Refusal is final; after any other the alert
// may be sent again, and whoever takes alerts has to bear one that comes twice, by its
// id. An error with a method RetryAfter says when.
//
// What stands in an alert comes from logs, which an attacker writes too: each sink
// writes it in a way that its receiver takes for text.
//
// The package is part of the program, not of its promised interface.
package sink

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/shrike-project/shrike/alert"
)

// Sink is a place that alerts are sent to.
type Sink interface {
	Deliver(ctx context.Context, alerts []*alert.Kept) []error
	Close() error
}

// Config is a sink's configuration: a name, what it wants, and the settings of its
// kind.
type Config struct {
	Name   string `toml:"name" comment:"By it the sink is known in metrics and in the outbox: it stays when settings change."`
	Filter `toml:"filter" comment:"What is sent; nothing said: every alert but building blocks."`
	Kind   string `toml:"kind" comment:"file, stdout, webhook, elasticsearch, syslog or email."`

	File          File          `toml:"file,omitempty"`
	Webhook       Webhook       `toml:"webhook,omitempty"`
	Elasticsearch Elasticsearch `toml:"elasticsearch,omitempty"`
	Syslog        Syslog        `toml:"syslog,omitempty"`
	Email         Email         `toml:"email,omitempty"`
}

// Kinds are the kinds of sinks.
var Kinds = []string{"file", "stdout", "webhook", "elasticsearch", "syslog", "email"}

// Open opens the sink of a configuration. Space is Kibana's space of the alerts.
func (c *Config) Open(space string) (Sink, error) {
	var s Sink
	var err error
	switch c.Kind {
	case "file":
		s, err = openFile(c.File)
	case "stdout":
		s = &file{out: os.Stdout, standard: true}
	case "webhook":
		s, err = openWebhook(c.Webhook)
	case "elasticsearch":
		s, err = openElasticsearch(c.Elasticsearch, space)
	case "syslog":
		s, err = openSyslog(c.Syslog)
	case "email":
		s, err = openEmail(c.Email)
	default:
		err = fmt.Errorf("the kind %q is none of %v", c.Kind, Kinds)
	}
	if err != nil {
		return nil, fmt.Errorf("sink %s: %w", c.Name, err)
	}
	return s, nil
}

// Filter says which alerts a sink wants. What is empty asks for nothing.
type Filter struct {
	// Rules are rule ids or names, in which * stands for anything.
	Rules    []string `toml:"rules" comment:"Rule ids or names; * stands for anything."`
	Severity string   `toml:"severity" comment:"The least severity: low, medium, high or critical."`
	// Tags are tags of which the rule has one.
	Tags           []string `toml:"tags" comment:"The rule has one of these tags."`
	BuildingBlocks bool     `toml:"building_blocks" comment:"Send building blocks too."`
}

// Severities are the severities of alerts, the least first.
var Severities = []string{"low", "medium", "high", "critical"}

// Check tells what is wrong with a filter.
func (f *Filter) Check() error {
	if f.Severity != "" && !slices.Contains(Severities, f.Severity) {
		return fmt.Errorf("severity %q is none of %v", f.Severity, Severities)
	}
	for _, pattern := range f.Rules {
		if _, err := path.Match(pattern, ""); err != nil {
			return fmt.Errorf("rules: %q is no pattern", pattern)
		}
	}
	return nil
}

// Wants tells whether an alert is sent.
func (f *Filter) Wants(a *alert.Kept) bool {
	if a.BuildingBlock && !f.BuildingBlocks {
		return false
	}
	if f.Severity != "" && slices.Index(Severities, a.Severity) < slices.Index(Severities, f.Severity) {
		return false
	}
	if len(f.Tags) > 0 && !slices.ContainsFunc(f.Tags, func(tag string) bool { return slices.Contains(a.Tags, tag) }) {
		return false
	}
	return len(f.Rules) == 0 || slices.ContainsFunc(f.Rules, func(pattern string) bool {
		return fits(pattern, a.RuleID) || fits(pattern, a.RuleName)
	})
}

// fits compares a text with a pattern; slashes are letters like others here.
func fits(pattern, text string) bool {
	letters := strings.NewReplacer("/", "\x00")
	ok, _ := path.Match(letters.Replace(pattern), letters.Replace(text))
	return ok
}

// Refusal is the error of an alert that will never be taken.
type Refusal struct{ Reason string }

func (r *Refusal) Error() string { return r.Reason }

// later is an error that says when to try again.
type later struct {
	reason string
	after  time.Duration
}

func (l *later) Error() string             { return l.reason }
func (l *later) RetryAfter() time.Duration { return l.after }

// all gives the same error for each of n alerts.
func all(n int, err error) []error {
	if err == nil {
		return nil
	}
	list := make([]error, n)
	for i := range list {
		list[i] = err
	}
	return list
}

// TLS says whom a sink trusts.
type TLS struct {
	CA       string `toml:"ca" comment:"A PEM file of certificates to trust, in place of the system's."`
	Insecure bool   `toml:"insecure" comment:"Trust anybody: for tests."`
}

func (t *TLS) config() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: t.Insecure}
	if t.CA == "" {
		return c, nil
	}
	text, err := os.ReadFile(t.CA)
	if err != nil {
		return nil, fmt.Errorf("read the certificates to trust: %w", err)
	}
	if c.RootCAs = x509.NewCertPool(); !c.RootCAs.AppendCertsFromPEM(text) {
		return nil, errors.New(t.CA + " holds no certificate")
	}
	return c, nil
}
