package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Change is what somebody does with an alert; nil leaves as it is.
type Change struct {
	Status      *string   `json:"status,omitempty"`
	CloseReason *string   `json:"close_reason,omitempty"`
	Assignees   *[]string `json:"assignees,omitempty"`
	Labels      *[]string `json:"labels,omitempty"`
	Note        string    `json:"note,omitempty"`
}

// Note is a change of an alert in its history.
type Note struct {
	At time.Time `json:"at"`
	By string    `json:"by"`
	Change
}

// Statuses are what the status of an alert can be.
var Statuses = []string{"open", "acknowledged", "closed"}

// Triage changes an alert that has a version, and gives its new state: ErrConflict if
// it was changed since, ErrNotFound if there is none.
func (s *Store) Triage(ctx context.Context, id string, version int64, by string, c Change) (Triage, int64, error) {
	if c.Status != nil && !slices.Contains(Statuses, *c.Status) {
		return Triage{}, 0, fmt.Errorf("status %q is none of open, acknowledged, closed", *c.Status)
	}
	var now Triage
	err := s.inTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		lock := ""
		if s.dialect == postgres {
			lock = " FOR UPDATE"
		}
		var seq, present int64
		var assignees, labels string
		row := tx.QueryRowContext(ctx, s.dialect.sql("SELECT seq, version, status, close_reason, assignees, labels FROM alerts WHERE id = ?"+lock), id)
		if err := row.Scan(&seq, &present, &now.Status, &now.CloseReason, &assignees, &labels); err != nil {
			return notFound(err)
		}
		if present != version {
			return fmt.Errorf("%w: it has version %d, not %d", ErrConflict, present, version)
		}
		if err := json.Unmarshal([]byte(assignees), &now.Assignees); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(labels), &now.Labels); err != nil {
			return err
		}
		now.apply(c)
		return s.writeTriage(ctx, tx, seq, now, by, c)
	})
	if err != nil {
		return Triage{}, 0, fmt.Errorf("change alert %s: %w", id, err)
	}
	return now, version + 1, nil
}

func (t *Triage) apply(c Change) {
	if c.Status != nil {
		if t.Status = *c.Status; t.Status != "closed" {
			t.CloseReason = ""
		}
	}
	if c.CloseReason != nil && t.Status == "closed" {
		t.CloseReason = *c.CloseReason
	}
	if c.Assignees != nil {
		t.Assignees = *c.Assignees
	}
	if c.Labels != nil {
		t.Labels = *c.Labels
	}
}

func (s *Store) writeTriage(ctx context.Context, tx *sql.Tx, seq int64, t Triage, by string, c Change) error {
	assignees, _ := json.Marshal(append([]string{}, t.Assignees...))
	labels, _ := json.Marshal(append([]string{}, t.Labels...))
	change, _ := json.Marshal(c)
	_, err := s.exec(ctx, tx, "UPDATE alerts SET status = ?, close_reason = ?, assignees = ?, labels = ?, version = version + 1 WHERE seq = ?",
		t.Status, plain(t.CloseReason), plain(string(assignees)), plain(string(labels)), seq)
	if err == nil {
		_, err = s.exec(ctx, tx, "INSERT INTO notes (seq, at, by_whom, change) VALUES (?, ?, ?, ?)", seq, s.now().UnixMilli(), plain(by), plain(string(change)))
	}
	return err
}

// notes gives the history of an alert.
func (s *Store) notes(ctx context.Context, seq int64) ([]Note, error) {
	rows, err := s.read.QueryContext(ctx, s.dialect.sql("SELECT at, by_whom, change FROM notes WHERE seq = ? ORDER BY n"), seq)
	if err != nil {
		return nil, fmt.Errorf("read the history of an alert: %w", err)
	}
	defer rows.Close()
	var list []Note
	for rows.Next() {
		var n Note
		var at int64
		var change string
		if err := rows.Scan(&at, &n.By, &change); err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(change), &n.Change); err != nil {
			return nil, fmt.Errorf("read the history of an alert: %w", err)
		}
		n.At = time.UnixMilli(at).UTC()
		list = append(list, n)
	}
	return list, rows.Err()
}
