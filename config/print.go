package config

import (
	"io"
	"net/url"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// Print writes the configuration as it is in force, as a file that Read reads, with a
// word on each key. Secrets are not shown.
func (c *Config) Print(w io.Writer) error {
	shown := *c
	shown.Journal.URL = withoutPassword(c.Journal.URL)
	shown.Store.URL = withoutPassword(c.Store.URL)
	shown.Inputs = nil
	for _, in := range c.Inputs {
		hide(&in.Kafka.Password)
		in.NATS.URL = withoutPassword(in.NATS.URL)
		shown.Inputs = append(shown.Inputs, in)
	}
	shown.Sinks = nil
	for _, s := range c.Sinks {
		hide(&s.Webhook.Secret, &s.Elasticsearch.APIKey, &s.Elasticsearch.Password, &s.Email.Password)
		s.Webhook.URL, s.Elasticsearch.URL = withoutPassword(s.Webhook.URL), withoutPassword(s.Elasticsearch.URL)
		if s.Webhook.Headers != nil {
			headers := map[string]string{}
			for name := range s.Webhook.Headers {
				headers[name] = hidden // it may be a token
			}
			s.Webhook.Headers = headers
		}
		shown.Sinks = append(shown.Sinks, s)
	}
	return toml.NewEncoder(w).SetIndentTables(false).Encode(shown)
}

// hidden stands for a secret.
const hidden = "***"

func hide(secrets ...*string) {
	for _, s := range secrets {
		if *s != "" {
			*s = hidden
		}
	}
}

// withoutPassword hides the password in an address.
func withoutPassword(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "(not shown)"
	}
	if _, set := u.User.Password(); !set {
		return address
	}
	u.User = url.UserPassword(u.User.Username(), "SECRET")
	return strings.Replace(u.String(), ":SECRET@", ":***@", 1)
}
