package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/shrike-project/shrike/alert"
)

// Delivery is an alert that is to be sent to a sink.
type Delivery struct {
	ID       int64
	Sink     string
	Attempts int
	// Reason is that of the last attempt that failed.
	Reason string
	Alert  *alert.Kept
}

// Due gives the deliveries to a sink whose time has come, in the order in which the
// alerts were stored.
func (s *Store) Due(ctx context.Context, sink string, now time.Time, limit int) ([]Delivery, error) {
	return s.deliveries(ctx, "o.sink = ? AND NOT o.dead AND o.due <= ?", limit, sink, now.UnixMilli())
}

// Dead gives deliveries that were given up.
func (s *Store) Dead(ctx context.Context, sink string, limit int) ([]Delivery, error) {
	return s.deliveries(ctx, "o.sink = ? AND o.dead", limit, sink)
}

func (s *Store) deliveries(ctx context.Context, where string, limit int, args ...any) ([]Delivery, error) {
	rows, err := s.read.QueryContext(ctx, s.dialect.sql(`SELECT o.n, o.sink, o.attempts, o.reason, `+keptColumns+`, d.document
		FROM outbox o JOIN alerts a ON a.seq = o.seq JOIN documents d ON d.seq = o.seq WHERE `+where+` ORDER BY o.n LIMIT ?`), append(args, limit)...)
	if err != nil {
		return nil, fmt.Errorf("read the outbox: %w", err)
	}
	defer rows.Close()
	var list []Delivery
	for rows.Next() {
		d := Delivery{Alert: &alert.Kept{}}
		var k keptRow
		var packed []byte
		if err := rows.Scan(append(append([]any{&d.ID, &d.Sink, &d.Attempts, &d.Reason}, k.targets(d.Alert)...), &packed)...); err != nil {
			return nil, fmt.Errorf("read the outbox: %w", err)
		}
		if err := k.finish(d.Alert); err != nil {
			return nil, err
		}
		if d.Alert.Document, err = s.unpack(packed); err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, rows.Err()
}

// Delivered takes deliveries out of the outbox.
func (s *Store) Delivered(ctx context.Context, ids []int64) error {
	return s.outbox(ctx, ids, "DELETE FROM outbox WHERE n IN ")
}

// Retry puts off deliveries that failed for a reason until a time.
func (s *Store) Retry(ctx context.Context, ids []int64, next time.Time, reason string) error {
	return s.outbox(ctx, ids, "UPDATE outbox SET attempts = attempts + 1, due = ?, reason = ? WHERE n IN ", next.UnixMilli(), plain(reason))
}

// Bury gives deliveries up for a reason. They stay where Dead finds them.
func (s *Store) Bury(ctx context.Context, ids []int64, reason string) error {
	return s.outbox(ctx, ids, "UPDATE outbox SET attempts = attempts + 1, dead = TRUE, reason = ? WHERE n IN ", plain(reason))
}

// Revive has what was given up for a sink sent again. It gives their number.
func (s *Store) Revive(ctx context.Context, sink string) (n int64, err error) {
	err = s.inTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		n, err = s.exec(ctx, tx, "UPDATE outbox SET dead = FALSE, due = 0, attempts = 0 WHERE sink = ? AND dead", sink)
		return err
	})
	return n, err
}

func (s *Store) outbox(ctx context.Context, ids []int64, statement string, args ...any) error {
	if len(ids) == 0 {
		return nil
	}
	for _, id := range ids {
		args = append(args, id)
	}
	err := s.inTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := s.exec(ctx, tx, statement+places(1, len(ids)), args...)
		return err
	})
	if err != nil {
		return fmt.Errorf("change the outbox: %w", err)
	}
	return nil
}

// Depth is how much waits for a sink.
type Depth struct {
	Waiting int64 `json:"waiting"`
	Dead    int64 `json:"dead"`
}

// Depths gives how much waits for each sink for which anything does.
func (s *Store) Depths(ctx context.Context) (map[string]Depth, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT sink, dead, COUNT(*) FROM outbox GROUP BY sink, dead")
	if err != nil {
		return nil, fmt.Errorf("count the outbox: %w", err)
	}
	defer rows.Close()
	out := map[string]Depth{}
	for rows.Next() {
		var sink string
		var dead bool
		var n int64
		if err := rows.Scan(&sink, &dead, &n); err != nil {
			return nil, err
		}
		d := out[sink]
		if dead {
			d.Dead = n
		} else {
			d.Waiting = n
		}
		out[sink] = d
	}
	return out, rows.Err()
}
