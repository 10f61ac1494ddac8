package sink

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/event"
)

// Elasticsearch is the configuration of an index of Elasticsearch or OpenSearch.
type Elasticsearch struct {
	URL string `toml:"url"`
	// Index is the index or data stream.
	Index    string `toml:"index" comment:"Empty: .alerts-security.alerts- and the space, which Kibana shows."`
	APIKey   string `toml:"api_key" comment:"As Elasticsearch encodes it; or user and password."`
	User     string `toml:"user"`
	Password string `toml:"password"`
	TLS      TLS    `toml:"tls"`
}

type elasticsearch struct {
	cfg    Elasticsearch
	client *http.Client
}

func openElasticsearch(c Elasticsearch, space string) (*elasticsearch, error) {
	if err := checkURL("elasticsearch.url", c.URL); err != nil {
		return nil, err
	}
	if c.APIKey != "" && c.User != "" {
		return nil, errors.New("elasticsearch: give an API key, or a user and a password")
	}
	if c.Index == "" {
		c.Index = ".alerts-security.alerts-" + space
	}
	client, err := httpClient(c.TLS)
	return &elasticsearch{c, client}, err
}

// Deliver creates the alerts under their ids. One that is there already was delivered.
func (e *elasticsearch) Deliver(ctx context.Context, alerts []*alert.Kept) []error {
	var body bytes.Buffer
	for _, a := range alerts {
		body.Write(append(event.AppendQuoted([]byte(`{"create":{"_id":`), a.ID), "}}\n"...))
		body.Write(a.Document)
		body.WriteByte('\n')
	}
	errs, err := e.bulk(ctx, body.Bytes(), len(alerts))
	if err != nil {
		return all(len(alerts), err)
	}
	return errs
}

func (e *elasticsearch) bulk(ctx context.Context, body []byte, n int) ([]error, error) {
	address := strings.TrimSuffix(e.cfg.URL, "/") + "/" + url.PathEscape(e.cfg.Index) + "/_bulk?filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason"
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-ndjson")
	if e.cfg.APIKey != "" {
		r.Header.Set("Authorization", "ApiKey "+e.cfg.APIKey)
	} else if e.cfg.User != "" {
		r.SetBasicAuth(e.cfg.User, e.cfg.Password)
	}
	answer, err := e.client.Do(r)
	if err != nil {
		return nil, hideURL(err)
	}
	if answer.StatusCode != http.StatusOK {
		err := outcome(answer)
		if err == nil {
			err = fmt.Errorf("the receiver answered %s to a bulk request", answer.Status)
		}
		return nil, err
	}
	defer answer.Body.Close()
	var result struct {
		Errors bool
		Items  []map[string]struct {
			Status int
			Error  struct{ Type, Reason string }
		}
	}
	if err := json.NewDecoder(io.LimitReader(answer.Body, 64<<20)).Decode(&result); err != nil {
		return nil, fmt.Errorf("read the answer to a bulk request: %w", err)
	}
	if !result.Errors {
		return nil, nil
	}
	if len(result.Items) != n {
		return nil, fmt.Errorf("the answer to %d alerts has %d items", n, len(result.Items))
	}
	errs := make([]error, n)
	for i, item := range result.Items {
		for _, it := range item {
			errs[i] = itemError(it.Status, fmt.Sprintf("%d %s: %.300s", it.Status, it.Error.Type, it.Error.Reason))
		}
	}
	return errs, nil
}

func itemError(status int, reason string) error {
	switch {
	case status < 300 || status == http.StatusConflict:
		return nil
	case status == http.StatusTooManyRequests || status >= 500 || status == http.StatusUnauthorized || status == http.StatusForbidden:
		return errors.New(reason)
	}
	return &Refusal{reason}
}

func (e *elasticsearch) Close() error {
	e.client.CloseIdleConnections()
	return nil
}
