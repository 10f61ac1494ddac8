package pipeline

// Delivery: what the outbox holds is sent to the sinks, each at its own pace.

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/shrike-project/shrike/alert"
)

// Delivery is an alert that is to be sent.
type Delivery struct {
	ID       int64
	Attempts int // that failed before
	Alert    *alert.Kept
}

// Outbox is where alerts wait to be sent. What it gives is given again until it is
// told what became of it.
type Outbox interface {
	Due(ctx context.Context, sink string, now time.Time, limit int) ([]Delivery, error)
	Delivered(ctx context.Context, ids []int64) error
	Retry(ctx context.Context, ids []int64, next time.Time, reason string) error
	Bury(ctx context.Context, ids []int64, reason string) error
}

// Sink is where alerts are sent. Deliver gives nil, or an error for each alert, nil for
// those that were taken.
type Sink interface {
	Deliver(ctx context.Context, alerts []*alert.Kept) []error
}

// DeliverOptions say how alerts are sent to one sink.
type DeliverOptions struct {
	Name string
	Sink Sink
	// Final tells whether an error will not go away, however often it is tried.
	Final func(error) bool
	// Batch is how many alerts are sent together; 0 stands for 100. Attempts is how
	// often one is tried before it is given up; 0 stands for 20, about a day.
	Batch, Attempts int
	// Wake tells that something was stored. Every is the time to look without being
	// told; 0 stands for five seconds.
	Wake  <-chan struct{}
	Every time.Duration
	// Now gives the time; nil stands for time.Now.
	Now func() time.Time
}

// DeliverStats are what became of alerts.
type DeliverStats struct {
	Delivered   int64     `json:"delivered"`
	Retried     int64     `json:"retried"`
	Buried      int64     `json:"buried"`
	LastError   string    `json:"last_error,omitempty"`
	LastSuccess time.Time `json:"last_success,omitzero"`
}

// Deliverer sends alerts to one sink.
type Deliverer struct {
	opt   DeliverOptions
	box   Outbox
	mu    sync.Mutex
	stats DeliverStats
}

// NewDeliverer makes a Deliverer.
func NewDeliverer(box Outbox, opt DeliverOptions) *Deliverer {
	if opt.Batch <= 0 {
		opt.Batch = 100
	}
	if opt.Attempts <= 0 {
		opt.Attempts = 20
	}
	if opt.Every <= 0 {
		opt.Every = 5 * time.Second
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	return &Deliverer{opt: opt, box: box}
}

// Stats tells what became of alerts so far.
func (d *Deliverer) Stats() DeliverStats {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stats
}

// Run sends until ctx is done. An outbox that fails is asked again.
func (d *Deliverer) Run(ctx context.Context) {
	tick := time.NewTicker(d.opt.Every)
	defer tick.Stop()
	for {
		for {
			more, err := d.once(ctx)
			if err != nil {
				d.note(func(s *DeliverStats) { s.LastError = err.Error() })
			}
			if !more || err != nil || ctx.Err() != nil {
				break
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-d.opt.Wake:
		case <-tick.C:
		}
	}
}

// once sends what is due, a batch at most. It reports whether there may be more.
func (d *Deliverer) once(ctx context.Context) (more bool, err error) {
	list, err := d.box.Due(ctx, d.opt.Name, d.opt.Now(), d.opt.Batch)
	if err != nil || len(list) == 0 {
		return false, err
	}
	alerts := make([]*alert.Kept, len(list))
	for i := range list {
		alerts[i] = list[i].Alert
	}
	errs := d.opt.Sink.Deliver(ctx, alerts)
	// Those that were taken are marked even when it is time to stop, or the next start would
	// send them again.
	marking, cancel := context.WithTimeout(context.WithoutCancel(ctx), markWithin)
	defer cancel()
	if ctx.Err() != nil {
		list, errs = taken(list, errs), nil
	}
	return len(list) == d.opt.Batch, d.settle(marking, list, errs)
}

// markWithin is how long the outbox may take to be told of a batch.
const markWithin = 10 * time.Second

// taken gives the deliveries without an error.
func taken(list []Delivery, errs []error) (without []Delivery) {
	for i, one := range list {
		if errs == nil || errs[i] == nil {
			without = append(without, one)
		}
	}
	return without
}

// settle tells the outbox what became of a batch.
func (d *Deliverer) settle(ctx context.Context, list []Delivery, errs []error) error {
	var delivered []int64
	var failed []error
	for i, one := range list {
		if errs == nil || errs[i] == nil {
			delivered = append(delivered, one.ID)
			continue
		}
		failed = append(failed, d.fail(ctx, one, errs[i]))
	}
	d.note(func(s *DeliverStats) {
		if s.Delivered += int64(len(delivered)); len(delivered) > 0 {
			s.LastSuccess = d.opt.Now()
		}
	})
	if len(delivered) > 0 {
		failed = append(failed, d.box.Delivered(ctx, delivered))
	}
	return errors.Join(failed...)
}

func (d *Deliverer) fail(ctx context.Context, one Delivery, reason error) error {
	text := reason.Error()
	if len(text) > 500 {
		text = text[:500]
	}
	if one.Attempts+1 >= d.opt.Attempts || d.opt.Final != nil && d.opt.Final(reason) {
		d.note(func(s *DeliverStats) { s.Buried++; s.LastError = text })
		return d.box.Bury(ctx, []int64{one.ID}, text)
	}
	d.note(func(s *DeliverStats) { s.Retried++; s.LastError = text })
	return d.box.Retry(ctx, []int64{one.ID}, d.opt.Now().Add(wait(one.Attempts, reason)), text)
}

// wait is how long to wait after so many failures: twice as long each time, to an hour
// and a half, a little at random, and no less than the receiver asked for.
func wait(attempts int, reason error) time.Duration {
	d := min(time.Second<<min(attempts, 20), 90*time.Minute)
	d = d/2 + time.Duration(rand.Int64N(int64(d)))
	var later interface{ RetryAfter() time.Duration }
	if errors.As(reason, &later) {
		d = max(d, later.RetryAfter())
	}
	return d
}

func (d *Deliverer) note(change func(*DeliverStats)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(&d.stats)
}
