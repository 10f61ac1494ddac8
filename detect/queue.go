package detect

import (
	"container/heap"
	"slices"
)

// queue gives arrivals back in the order of time. Most come in that order and need no
// more than a line to wait in; those older than the last in line wait in a heap.
type queue struct {
	line []*Arrival // in order, from at on
	at   int
	rest stragglers
}

func (q *queue) len() int { return len(q.line) - q.at + len(q.rest) }

func (q *queue) add(a *Arrival) {
	if n := len(q.line); n > q.at && compareArrivals(a, q.line[n-1]) < 0 {
		heap.Push(&q.rest, a)
		return
	}
	if 2*q.at > len(q.line) { // half of it is free
		n := copy(q.line, q.line[q.at:])
		clear(q.line[n:])
		q.line, q.at = q.line[:n], 0
	}
	q.line = append(q.line, a)
}

// first gives the arrival that is to be taken next; nil if there is none.
func (q *queue) first() *Arrival {
	switch {
	case q.at == len(q.line) && len(q.rest) == 0:
		return nil
	case q.at == len(q.line) || len(q.rest) > 0 && compareArrivals(q.rest[0], q.line[q.at]) < 0:
		return q.rest[0]
	}
	return q.line[q.at]
}

// take takes out the arrival that first gives.
func (q *queue) take(first *Arrival) {
	if q.at < len(q.line) && q.line[q.at] == first {
		q.line[q.at] = nil
		q.at++
		return
	}
	heap.Pop(&q.rest)
}

// all gives the arrivals in no order.
func (q *queue) all() []*Arrival { return slices.Concat(q.line[q.at:], q.rest) }

// sorted gives the arrivals in order, until the next is added or taken.
func (q *queue) sorted() []*Arrival {
	if len(q.rest) > 0 {
		q.line, q.rest = append(q.line, q.rest...), nil
		slices.SortFunc(q.line[q.at:], compareArrivals)
	}
	return q.line[q.at:]
}

// clear takes all arrivals out. The memory of the line is used again.
func (q *queue) clear() {
	clear(q.line) // else what it held is held until the places are taken again
	q.line, q.at, q.rest = q.line[:0], 0, nil
}

func compareArrivals(a, b *Arrival) int { return a.record.Compare(b.record) }

// stragglers is a heap of arrivals in the order of time.
type stragglers []*Arrival

func (h stragglers) Len() int           { return len(h) }
func (h stragglers) Less(i, j int) bool { return compareArrivals(h[i], h[j]) < 0 }
func (h stragglers) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *stragglers) Push(x any)        { *h = append(*h, x.(*Arrival)) }
func (h *stragglers) Pop() any {
	old := *h
	a := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return a
}
