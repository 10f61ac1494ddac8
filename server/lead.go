package server

// Leading: of several processes that share journal and store one judges events, sends
// alerts and keeps the journal within its bounds. The others take events and answer
// questions, and one of them goes on where the leader was when it is gone.

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/shrike-project/shrike/store"
)

// judge leads whenever it is this process's turn, until ctx is done. An error of judging
// ends it, but for that of another process that has taken over.
func (s *Server) judge(ctx context.Context, stop time.Duration) error {
	own := store.Leadership{
		Tell: func() string { return strconv.FormatUint(s.position.Load(), 10) },
		Told: func(text string) { // how far the leader is, for what waits
			if at, err := strconv.ParseUint(text, 10, 64); err == nil {
				s.position.Store(at)
			}
		},
	}
	for {
		lease, err := s.store.Lead(ctx, own)
		if err != nil {
			return nil // ctx is done
		}
		err = s.lead(ctx, lease, stop)
		lease.Release()
		select {
		case <-lease.Lost():
			s.log.Error("another process has taken over")
		default:
			if err != nil || ctx.Err() != nil {
				return err
			}
		}
	}
}

// lead judges and delivers until ctx is done or the lease is lost.
func (s *Server) lead(ctx context.Context, lease *store.Lease, stop time.Duration) error {
	leading, cancel := context.WithCancel(ctx)
	defer cancel()
	detach := make(chan struct{})
	defer close(detach)
	go func() {
		select {
		case <-lease.Lost():
			cancel()
		case <-detach:
		}
	}()
	if lease.Shared() { // the one before may have gone on since this process was started
		for {
			err := s.makeLive(leading)
			if err == nil {
				break
			}
			s.log.Error("the state of detection cannot be read; it is tried again", "error", err)
			if pause(leading, time.Second) != nil {
				return nil
			}
		}
		s.log.Info("this process leads", "from", s.from)
	}
	s.lease.Store(lease)
	defer s.lease.Store(nil)
	var wg sync.WaitGroup
	wg.Go(func() { s.maintain(leading) })
	for _, o := range s.sinks {
		wg.Go(func() { o.deliverer.Run(leading) })
	}
	reader := s.journal.Reader(s.from)
	defer reader.Close()
	err := s.live.Load().Run(leading, reader, stop)
	cancel()
	wg.Wait()
	return err
}
