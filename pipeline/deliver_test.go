package pipeline_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/pipeline"
)

// memoryOutbox is an outbox for one sink.
type memoryOutbox struct {
	mu   sync.Mutex
	list []*boxed
	fail bool
}

type boxed struct {
	pipeline.Delivery
	due    time.Time
	buried bool
	reason string
}

func (o *memoryOutbox) put(ids ...string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, id := range ids {
		o.list = append(o.list, &boxed{Delivery: pipeline.Delivery{ID: int64(len(o.list) + 1), Alert: &alert.Kept{ID: id}}})
	}
}

func (o *memoryOutbox) Due(_ context.Context, _ string, now time.Time, limit int) (list []pipeline.Delivery, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fail {
		return nil, errors.New("the store is away")
	}
	for _, b := range o.list {
		if b.Alert != nil && !b.buried && !b.due.After(now) && len(list) < limit {
			list = append(list, b.Delivery)
		}
	}
	return list, nil
}

func (o *memoryOutbox) each(ids []int64, do func(*boxed)) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, b := range o.list {
		if slices.Contains(ids, b.ID) {
			do(b)
		}
	}
	return nil
}

func (o *memoryOutbox) Delivered(_ context.Context, ids []int64) error {
	return o.each(ids, func(b *boxed) { b.Alert = nil })
}

func (o *memoryOutbox) Retry(_ context.Context, ids []int64, next time.Time, reason string) error {
	return o.each(ids, func(b *boxed) { b.due, b.reason, b.Attempts = next, reason, b.Attempts+1 })
}

func (o *memoryOutbox) Bury(_ context.Context, ids []int64, reason string) error {
	return o.each(ids, func(b *boxed) { b.buried, b.reason = true, reason })
}

var errFinal = errors.New("never")

// flakySink takes an alert after it was tried so many times, or never.
type flakySink struct {
	mu    sync.Mutex
	takes map[string]int
	got   []string
	tries map[string][]time.Time
}

func (s *flakySink) Deliver(_ context.Context, alerts []*alert.Kept) []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	errs := make([]error, len(alerts))
	for i, a := range alerts {
		s.tries[a.ID] = append(s.tries[a.ID], time.Now())
		switch at := s.takes[a.ID]; {
		case at < 0:
			errs[i] = errFinal
		case len(s.tries[a.ID]) <= at:
			errs[i] = errors.New("not yet")
		default:
			s.got = append(s.got, a.ID)
		}
	}
	return errs
}

// sent gives what was taken, and how often an alert was tried.
func (s *flakySink) sent(id string) ([]string, []time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.got), slices.Clone(s.tries[id])
}

func TestDeliver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := &memoryOutbox{}
		s := &flakySink{takes: map[string]int{"b": 3, "c": -1, "d": 1000}, tries: map[string][]time.Time{}}
		wake := make(chan struct{}, 1)
		d := pipeline.NewDeliverer(box, pipeline.DeliverOptions{Name: "x", Sink: s, Batch: 2, Attempts: 6, Wake: wake, Final: func(err error) bool { return errors.Is(err, errFinal) }})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { d.Run(ctx); close(done) }()
		box.put("a", "b", "c", "d", "e", "f")
		wake <- struct{}{}
		synctest.Wait()
		if got, _ := s.sent(""); !slices.Equal(got, []string{"a", "e", "f"}) {
			t.Errorf("at once: %v", got)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		got, refused := s.sent("c")
		_, tries := s.sent("d")
		if !slices.Equal(got, []string{"a", "e", "f", "b"}) || len(refused) != 1 || len(tries) != 6 {
			t.Errorf("in the end: %v, tried c %d and d %d times", got, len(refused), len(tries))
		}
		for i, at := range tries[1:] {
			if gap := at.Sub(tries[i]); gap < time.Second<<i/2 || gap > time.Second<<i*3/2+5*time.Second {
				t.Errorf("attempt %d came %s after the one before", i+2, gap)
			}
		}
		box.mu.Lock()
		if !box.list[2].buried || box.list[2].reason != "never" || !box.list[3].buried || box.list[3].reason != "not yet" {
			t.Error("what was given up is not buried")
		}
		box.mu.Unlock()
		if st := d.Stats(); st.Delivered != 4 || st.Buried != 2 || st.Retried != 8 {
			t.Errorf("stats %+v", st)
		}
		box.mu.Lock()
		box.fail = true
		box.mu.Unlock()
		box.put("g")
		time.Sleep(time.Minute)
		box.mu.Lock()
		box.fail = false
		box.mu.Unlock()
		time.Sleep(time.Minute)
		synctest.Wait()
		if got, _ := s.sent(""); got[len(got)-1] != "g" {
			t.Error("after the store was away, nothing is sent")
		}
		cancel()
		<-done
	})
}
