package main

import (
	"bytes"
	"context"
	"sync/atomic"
	"time"

	"github.com/elastic/go-elasticsearch/v8"
	"github.com/elastic/go-elasticsearch/v8/esutil"
)

// sendWithGo sends with Elastic's client for Go. What its bulk indexer gives up is
// given to it again.
func sendWithGo(ctx context.Context, s *server, docs []string) error {
	es, err := elasticsearch.NewClient(elasticsearch.Config{
		Addresses: []string{"http://" + s.address}, APIKey: s.key, RetryOnStatus: []int{429, 502, 503, 504}, MaxRetries: 20,
		RetryBackoff: func(int) time.Duration { return 200 * time.Millisecond },
	})
	if err != nil {
		return err
	}
	left := docs
	for len(left) > 0 {
		indexer, err := esutil.NewBulkIndexer(esutil.BulkIndexerConfig{Client: es, Index: "logs-endpoint.events.process-default", NumWorkers: 2, FlushBytes: 200 << 10, FlushInterval: 200 * time.Millisecond})
		if err != nil {
			return err
		}
		taken := make([]atomic.Bool, len(left))
		for i, doc := range left {
			err := indexer.Add(ctx, esutil.BulkIndexerItem{
				Action: "create", Body: bytes.NewReader([]byte(doc)),
				OnSuccess: func(context.Context, esutil.BulkIndexerItem, esutil.BulkIndexerResponseItem) { taken[i].Store(true) },
			})
			if err != nil {
				return err
			}
			if i%1000 == 0 { // spread over several restarts
				time.Sleep(100 * time.Millisecond)
			}
		}
		if err := indexer.Close(ctx); err != nil {
			return err
		}
		var again []string
		for i, doc := range left {
			if !taken[i].Load() {
				again = append(again, doc)
			}
		}
		left = again
	}
	return nil
}
