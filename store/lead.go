package store

// Leading: of several processes that share a PostgreSQL store, one judges events. The
// database lets one of them hold a lock; who gets it counts the leaders up, and what a
// former leader still wants to write is refused by that count.

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// ErrDeposed is in the error of a commit under a lease that another process has taken
// over.
var ErrDeposed = errors.New("another process leads now")

// Leadership says what a process does with its being the leader, or not.
type Leadership struct {
	// Tell gives what the others are told once a second while this process leads, and Told
	// takes what the leader has told, while another one does.
	Tell func() string
	Told func(string)
}

// Lease is the right to lead. Its methods are safe for use by many goroutines.
type Lease struct {
	store *Store
	own   Leadership
	epoch string // counts leaders; "" where there is only one process
	lost  chan struct{}
	once  sync.Once
	end   context.CancelFunc
	ended chan struct{}
	conn  *sql.Conn // holds the lock
}

// leaderLock is the number of the lock in the database: "shrike" in ASCII.
const leaderLock = 0x73687269_6b65

// The names of states.
const (
	leaderEpoch = "leader"
	leaderTold  = "leader/told"
)

// beat is the time between two signs of life.
const beat = time.Second

// Lead waits until no other process leads, and makes this one the leader. A SQLite file
// has but one process.
func (s *Store) Lead(ctx context.Context, own Leadership) (*Lease, error) {
	l := &Lease{store: s, own: own, lost: make(chan struct{}), ended: make(chan struct{})}
	if s.dialect == sqlite {
		close(l.ended)
		l.end = func() {}
		return l, ctx.Err()
	}
	for {
		conn, err := s.lockLead(ctx)
		if err == nil && conn != nil {
			l.conn = conn
			if l.epoch, err = s.nextEpoch(ctx); err == nil {
				break
			}
			discard(conn)
		}
		if err == nil && own.Told != nil {
			if told, err := s.State(ctx, leaderTold); err == nil {
				own.Told(string(told))
			}
		}
		select { // the database may come back
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), err)
		case <-time.After(beat / 2):
		}
	}
	keeping, end := context.WithCancel(context.WithoutCancel(ctx))
	l.end = end
	go l.keep(keeping)
	return l, nil
}

// Leaders tells how often a process came to lead, where several share the store: "0" if
// none did.
func (s *Store) Leaders(ctx context.Context) (string, error) {
	epoch, err := s.State(ctx, leaderEpoch)
	if errors.Is(err, ErrNotFound) {
		return "0", nil
	}
	return string(epoch), err
}

// Lost is closed when another process has taken over.
func (l *Lease) Lost() <-chan struct{} { return l.lost }

// Shared tells whether other processes may lead.
func (l *Lease) Shared() bool { return l.epoch != "" }

// Release lets another process lead.
func (l *Lease) Release() {
	l.end()
	<-l.ended
}

func (l *Lease) lose() { l.once.Do(func() { close(l.lost) }) }

// keep holds the lock until ctx is done or another process has it.
func (l *Lease) keep(ctx context.Context) {
	defer close(l.ended)
	defer func() { discard(l.conn) }()
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.lost:
			return
		case <-tick.C:
		}
		if l.tell(ctx) == nil || ctx.Err() != nil {
			continue
		}
		if !l.regain(ctx) {
			l.lose()
			return
		}
	}
}

// tell gives a sign of life on the connection that holds the lock.
func (l *Lease) tell(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*beat)
	defer cancel()
	told := ""
	if l.own.Tell != nil {
		told = l.own.Tell()
	}
	_, err := l.conn.ExecContext(ctx, l.store.dialect.sql(putState), leaderTold, []byte(told))
	return err
}

// regain takes the lock again after its connection broke. While the database is away
// nobody else can take it; it reports false if somebody did.
func (l *Lease) regain(ctx context.Context) bool {
	discard(l.conn)
	l.conn = nil
	for {
		conn, err := l.store.lockLead(ctx)
		switch {
		case err == nil && conn == nil:
			return false
		case err == nil:
			l.conn = conn
			epoch, err := l.store.State(ctx, leaderEpoch)
			if err == nil {
				return string(epoch) == l.epoch
			}
			discard(conn)
			l.conn = nil
		}
		select {
		case <-ctx.Done():
			return true
		case <-time.After(beat / 4):
		}
	}
}

// check fails a transaction if another process has taken over. It keeps others from doing
// so until the transaction ends.
func (l *Lease) check(ctx context.Context, tx *sql.Tx) error {
	if l == nil || !l.Shared() {
		return nil
	}
	var epoch []byte
	err := tx.QueryRowContext(ctx, l.store.dialect.sql("SELECT value FROM states WHERE name = ? FOR SHARE"), leaderEpoch).Scan(&epoch)
	if err != nil {
		return fmt.Errorf("look who leads: %w", err)
	}
	if string(epoch) != l.epoch {
		l.lose()
		return ErrDeposed
	}
	return nil
}

// lockLead takes the lock; no connection if another process has it.
func (s *Store) lockLead(ctx context.Context) (*sql.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*beat)
	defer cancel()
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return nil, err
	}
	// A leader whose host is gone says nothing: the database gives its lock to others.
	var free bool
	_, err = conn.ExecContext(ctx, "SELECT set_config('tcp_keepalives_idle', '5', false), set_config('tcp_keepalives_interval', '2', false), set_config('tcp_keepalives_count', '3', false)")
	if err == nil {
		err = conn.QueryRowContext(ctx, "SELECT pg_try_advisory_lock($1)", int64(leaderLock)).Scan(&free)
	}
	if err != nil {
		discard(conn)
		return nil, err
	}
	if !free {
		return nil, conn.Close()
	}
	return conn, nil
}

// nextEpoch counts leaders.
func (s *Store) nextEpoch(ctx context.Context) (epoch string, err error) {
	err = s.inTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := s.exec(ctx, tx, "INSERT INTO states (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING", leaderEpoch, []byte("0")); err != nil {
			return err
		}
		var before []byte
		if err := tx.QueryRowContext(ctx, s.dialect.sql("SELECT value FROM states WHERE name = ? FOR UPDATE"), leaderEpoch).Scan(&before); err != nil {
			return err
		}
		n, err := strconv.ParseUint(string(before), 10, 64)
		if err != nil {
			return fmt.Errorf("the count of leaders is %q", before)
		}
		epoch = strconv.FormatUint(n+1, 10)
		return s.setState(ctx, tx, leaderEpoch, []byte(epoch))
	})
	return epoch, err
}

// discard closes a connection for good, and so gives back what it has locked.
func discard(conn *sql.Conn) {
	if conn == nil {
		return
	}
	_ = conn.Raw(func(any) error { return driver.ErrBadConn })
	_ = conn.Close()
}
