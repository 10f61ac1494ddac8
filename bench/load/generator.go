package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// bodyEvents is how many events a body holds, about what shippers send.
const bodyEvents = 250

// mostBodies bounds the memory of the sender.
const mostBodies = 200

// readBodies makes bulk bodies of events, and tells how large an event is.
func readBodies(path string) (bodies [][]byte, size int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	in := bufio.NewReaderSize(f, 1<<20)
	var body bytes.Buffer
	n, bytesRead := 0, 0
	for len(bodies) < mostBodies {
		line, err := in.ReadBytes('\n')
		if err != nil {
			break
		}
		body.WriteString("{\"create\":{\"_index\":\"logs-endpoint.events.process-default\"}}\n")
		body.Write(line)
		bytesRead += len(line)
		if n++; n%bodyEvents == 0 {
			bodies = append(bodies, bytes.Clone(body.Bytes()))
			body.Reset()
		}
	}
	if len(bodies) == 0 {
		return nil, 0, errors.New("there are too few events")
	}
	return bodies, bytesRead / n, nil
}

// generator sends bodies.
type generator struct {
	p      *process
	bodies [][]byte
	next   atomic.Int64
	client http.Client
}

// result is what became of what was sent.
type result struct {
	offered, judged float64 // events a second
	answered        []time.Duration
	refused         int
	waits           *histogram
	lost            int64
	memory          int64 // MB
}

// send sends the next body, whose events happen now, and reports whether it was
// accepted.
func (g *generator) send() (bool, error) {
	body := happenNow(g.bodies[int(g.next.Add(1))%len(g.bodies)])
	r, err := http.NewRequest(http.MethodPost, g.p.address+"/_bulk?filter_path=errors", bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	r.Header.Set("Authorization", "ApiKey "+g.p.key)
	r.Header.Set("Content-Type", "application/x-ndjson")
	answer, err := g.client.Do(r)
	if err != nil {
		return false, nil
	}
	text, _ := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	switch {
	case answer.StatusCode == http.StatusTooManyRequests:
		return false, nil
	case answer.StatusCode != http.StatusOK || bytes.Contains(text, []byte("true")):
		return false, fmt.Errorf("the server answered %s: %s", answer.Status, text)
	}
	return true, nil
}

const (
	timeBefore = `{"@timestamp":"`
	timeFormat = "2006-01-02T15:04:05.000000Z"
)

// happenNow gives a copy of a body in which each event has a time of its own, now.
func happenNow(body []byte) []byte {
	out := bytes.Clone(body)
	now := time.Now().UTC()
	for at := 0; ; {
		i := bytes.Index(out[at:], []byte(timeBefore))
		if i < 0 {
			return out
		}
		at += i + len(timeBefore)
		if at+len(timeFormat) > len(out) {
			return out
		}
		copy(out[at:], now.Format(timeFormat))
		now = now.Add(time.Microsecond)
	}
}

// flat sends as much as is taken, and waits for no more than the answer.
func (g *generator) flat(d time.Duration) (*result, error) {
	return g.measure(func(r *result, note func(time.Duration, bool)) (float64, error) {
		var wg sync.WaitGroup
		var sent atomic.Int64
		var failed atomic.Pointer[error]
		until := time.Now().Add(d)
		for range 4 {
			wg.Go(func() {
				for time.Now().Before(until) {
					begin := time.Now()
					ok, err := g.send()
					if err != nil {
						failed.Store(&err)
						return
					}
					note(time.Since(begin), ok)
					if ok {
						sent.Add(bodyEvents)
					} else {
						time.Sleep(10 * time.Millisecond)
					}
				}
			})
		}
		wg.Wait()
		if err := failed.Load(); err != nil {
			return 0, *err
		}
		return float64(sent.Load()) / d.Seconds(), nil
	})
}

// mostUnderWay bounds the requests of the open loop that have no answer yet; more are
// refused, as a client gives up that has no connection left.
const mostUnderWay = 256

// paced sends so many events a second, each body when it is due.
func (g *generator) paced(rate float64, d time.Duration) (*result, error) {
	return g.measure(func(r *result, note func(time.Duration, bool)) (float64, error) {
		var wg sync.WaitGroup
		var failed atomic.Pointer[error]
		slots := make(chan struct{}, mostUnderWay)
		gap := time.Duration(float64(bodyEvents) / rate * float64(time.Second))
		begin, n := time.Now(), 0
		for due := begin; due.Before(begin.Add(d)) && failed.Load() == nil; due = due.Add(gap) {
			time.Sleep(time.Until(due))
			n++
			select {
			case slots <- struct{}{}:
			default:
				note(0, false)
				continue
			}
			wg.Go(func() {
				defer func() { <-slots }()
				ok, err := g.send()
				if err != nil {
					failed.Store(&err)
				}
				note(time.Since(due), ok)
			})
		}
		wg.Wait()
		if err := failed.Load(); err != nil {
			return 0, *err
		}
		return float64(n*bodyEvents) / d.Seconds(), nil
	})
}

// measure runs a load, waits until all of it is judged, and tells what happened.
func (g *generator) measure(load func(r *result, note func(time.Duration, bool)) (float64, error)) (*result, error) {
	r := &result{}
	before, err := g.p.numbers()
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex
	accepted := 0
	note := func(took time.Duration, ok bool) {
		mu.Lock()
		defer mu.Unlock()
		if !ok {
			r.refused++
			return
		}
		accepted++
		r.answered = append(r.answered, took)
	}
	begin := time.Now()
	if r.offered, err = load(r, note); err != nil {
		return nil, err
	}
	after, err := g.p.settle()
	if err != nil {
		return nil, err
	}
	took := time.Since(begin).Seconds()
	r.judged = (after.events - before.events) / took
	r.lost = int64(accepted*bodyEvents) - int64(after.events-before.events)
	r.waits = after.waits.minus(before.waits)
	r.memory = int64(after.memory) >> 20
	slices.Sort(r.answered)
	return r, nil
}

func (r *result) row(name string) string {
	at := func(q float64) string {
		if len(r.answered) == 0 {
			return "-"
		}
		return millis(r.answered[min(len(r.answered)-1, int(q*float64(len(r.answered))))])
	}
	return fmt.Sprintf("| %s | %.0f | %.0f | %s | %s | %s | %s | %s | %s | %d of %d | %d | %d |", name, r.offered, r.judged, at(0.5), at(0.99), at(1),
		millis(r.waits.quantile(0.5)), millis(r.waits.quantile(0.99)), millis(r.waits.quantile(1)), r.refused, r.refused+len(r.answered), r.lost, r.memory)
}

func millis(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/1e6) }
