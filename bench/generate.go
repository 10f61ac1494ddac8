package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"time"
)

// generate writes endpoint events made after the sample events: the same shapes
// with other hosts, users, ids and times. One in a thousand is hostile.
func generate(w io.Writer, events int) error {
	text, err := os.ReadFile("examples/endpoint.ndjson")
	if err != nil {
		return err
	}
	var benign, hostile []map[string]any
	for _, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		var doc map[string]any
		if err := json.Unmarshal([]byte(line), &doc); err != nil {
			return err
		}
		benign = append(benign, doc)
	}
	// The sample's last ten events but the second and the last are the hostile ones.
	n := len(benign)
	hostile = append(append(hostile, benign[n-10]), benign[n-8:n-1]...)
	benign = append(append(benign[:n-10:n-10], benign[n-9]), benign[n-1])
	r := rand.New(rand.NewPCG(1, 2))
	when := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
	for i := range events {
		from := benign
		if r.IntN(1000) == 0 {
			from = hostile
		}
		when = when.Add(time.Duration(r.IntN(20000)) * time.Microsecond)
		line, err := json.Marshal(vary(from[r.IntN(len(from))], r, i, when))
		if err != nil {
			return err
		}
		if _, err := w.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// vary gives a copy of an event that happened elsewhere and at another time.
func vary(doc map[string]any, r *rand.Rand, n int, when time.Time) map[string]any {
	var out map[string]any
	text, _ := json.Marshal(doc)
	_ = json.Unmarshal(text, &out)
	host := fmt.Sprintf("WS-%04d", r.IntN(500))
	out["@timestamp"] = when.Format("2006-01-02T15:04:05.000000Z")
	set(out, "event.id", fmt.Sprintf("N9xQp2mR7VbT%012d", n))
	set(out, "event.sequence", n)
	set(out, "host.name", host)
	set(out, "host.hostname", host)
	set(out, "process.pid", 1000+r.IntN(30000))
	set(out, "process.entity_id", fmt.Sprintf("%s-%d-%d", host, n, r.IntN(1<<30)))
	set(out, "process.hash.sha256", fmt.Sprintf("%016x%016x%016x%016x", r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64()))
	return out
}

func set(doc map[string]any, field string, value any) {
	parts := strings.Split(field, ".")
	for _, p := range parts[:len(parts)-1] {
		doc = doc[p].(map[string]any)
	}
	doc[parts[len(parts)-1]] = value
}
