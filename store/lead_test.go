package store_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/store"
)

// TestLead has three processes share a store: one leads, the others are told how far it
// is, and when it is gone another one takes over, whose former leader writes no more.
func TestLead(t *testing.T) {
	address := freshDatabase(t)
	type process struct {
		store *store.Store
		told  chan string
		lease chan *store.Lease
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all []*process
	for range 3 {
		p := &process{open(t, address), make(chan string, 1000), make(chan *store.Lease, 1)}
		all = append(all, p)
		go func() {
			lease, err := p.store.Lead(ctx, store.Leadership{Tell: func() string { return "told" }, Told: func(text string) { p.told <- text }})
			if err == nil {
				p.lease <- lease
			}
		}()
	}
	// leader waits for the next one to lead.
	leader := func() (*process, *store.Lease) {
		t.Helper()
		deadline := time.After(20 * time.Second)
		for {
			for _, p := range all {
				select {
				case lease := <-p.lease:
					return p, lease
				default:
				}
			}
			select {
			case <-deadline:
				t.Fatal("nobody leads")
			case <-time.After(10 * time.Millisecond):
			}
		}
	}
	commit := func(p *process, lease *store.Lease, n int) error {
		_, err := p.store.Commit(t.Context(), store.Commit{Alerts: []*alert.Kept{kept(n)}, Lease: lease})
		return err
	}
	first, lease := leader()
	if err := commit(first, lease, 1); err != nil || !lease.Shared() {
		t.Fatal(err)
	}
	for _, p := range all {
		if p == first {
			continue
		}
		select {
		case text := <-p.told:
			if text != "told" {
				t.Errorf("told %q", text)
			}
		case <-time.After(10 * time.Second):
			t.Error("a process is not told how far the leader is")
		}
		select {
		case <-p.lease:
			t.Error("two processes lead")
		default:
		}
	}
	lease.Release()
	second, lease := leader()
	if err := commit(second, lease, 2); err != nil {
		t.Fatal(err)
	}
	// The database ends all connections: the leader, or the one that waits, gets the lock.
	db, err := sql.Open("pgx", address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"); err != nil {
		t.Fatal(err)
	}
	select {
	case <-lease.Lost():
		third, after := leader()
		if err := commit(second, lease, 3); !errors.Is(err, store.ErrDeposed) {
			t.Errorf("a former leader wrote: %v", err)
		}
		if err := commit(third, after, 3); err != nil {
			t.Error(err)
		}
		after.Release()
	case <-time.After(5 * time.Second):
		if err := commit(second, lease, 3); err != nil {
			t.Errorf("the leader that stayed: %v", err)
		}
	}
	lease.Release()
}

// TestLeadAlone has but one process, which leads at once.
func TestLeadAlone(t *testing.T) {
	s := open(t, t.TempDir()+"/store.db")
	lease, err := s.Lead(t.Context(), store.Leadership{})
	if err != nil || lease.Shared() {
		t.Fatal(err)
	}
	if _, err := s.Commit(t.Context(), store.Commit{Alerts: []*alert.Kept{kept(1)}, Lease: lease}); err != nil {
		t.Error(err)
	}
	lease.Release()
	lease.Release()
}
