package server

import (
	"context"
	"errors"
	"time"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/pipeline"
	"github.com/shrike-project/shrike/sink"
	"github.com/shrike-project/shrike/store"
)

// outlet is a sink with what sends to it.
type outlet struct {
	name      string
	filter    sink.Filter
	sink      sink.Sink
	deliverer *pipeline.Deliverer
	wake      chan struct{} // one place
}

func (s *Server) openSinks(context.Context) error {
	for i := range s.cfg.Sinks {
		c := &s.cfg.Sinks[i]
		opened, err := c.Open(s.cfg.Space)
		if err != nil {
			return err
		}
		o := &outlet{name: c.Name, filter: c.Filter, sink: opened, wake: make(chan struct{}, 1)}
		o.deliverer = pipeline.NewDeliverer(outbox{s.store}, pipeline.DeliverOptions{Name: c.Name, Sink: opened, Wake: o.wake, Final: refused})
		s.sinks = append(s.sinks, o)
	}
	return nil
}

func refused(err error) bool {
	var r *sink.Refusal
	return errors.As(err, &r)
}

// wanted gives the sinks that an alert is sent to.
func (s *Server) wanted(a *alert.Kept) (names []string) {
	for _, o := range s.sinks {
		if o.filter.Wants(a) {
			names = append(names, o.name)
		}
	}
	return names
}

// wake tells the sinks that something may be theirs.
func (s *Server) wake() {
	for _, o := range s.sinks {
		select {
		case o.wake <- struct{}{}:
		default:
		}
	}
}

// outbox is the store's outbox, as deliverers ask for it.
type outbox struct{ *store.Store }

// Due implements pipeline.Outbox.
func (o outbox) Due(ctx context.Context, sink string, now time.Time, limit int) ([]pipeline.Delivery, error) {
	list, err := o.Store.Due(ctx, sink, now, limit)
	out := make([]pipeline.Delivery, len(list))
	for i, d := range list {
		out[i] = pipeline.Delivery{ID: d.ID, Attempts: d.Attempts, Alert: d.Alert}
	}
	return out, err
}
