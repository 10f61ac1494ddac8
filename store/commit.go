package store

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/shrike-project/shrike/alert"
)

// Commit is what is written in one transaction.
type Commit struct {
	Alerts []*alert.Kept
	// Suppressed are alerts that are not stored, but counted with those that stand for them,
	// each once.
	Suppressed []alert.Suppressed
	// Sinks gives the names of the sinks that a new alert is sent to; nil: none.
	Sinks func(*alert.Kept) []string
	// States are named values that replace the ones before; nil deletes one.
	States map[string][]byte
	// Lease, if it is set, has to be the present one: ErrDeposed.
	Lease *Lease
}

// perStatement is how many rows one statement writes.
const perStatement = 50

// Commit writes alerts, what follows for the outbox, and states. It gives the alerts
// that were not there before.
func (s *Store) Commit(ctx context.Context, c Commit) (fresh []*alert.Kept, err error) {
	rows := make([]row, 0, len(c.Alerts))
	seen := make(map[string]bool, len(c.Alerts))
	for _, a := range c.Alerts {
		if !seen[a.ID] {
			seen[a.ID] = true
			rows = append(rows, s.row(a))
		}
	}
	err = s.inTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		fresh = fresh[:0]
		if err := c.Lease.check(ctx, tx); err != nil {
			return err
		}
		for some := range slices.Chunk(rows, perStatement) {
			if err := s.insert(ctx, tx, some, c.Sinks, &fresh); err != nil {
				return err
			}
		}
		for some := range slices.Chunk(c.Suppressed, perStatement) {
			var args []any
			for _, one := range some {
				args = append(args, one.Of, one.ID, one.At.Std().UnixMilli())
			}
			if _, err := s.exec(ctx, tx, "INSERT INTO suppressed (alert, id, at) VALUES "+places(len(some), 3)+" ON CONFLICT DO NOTHING", args...); err != nil {
				return err
			}
		}
		for name, value := range c.States {
			if err := s.setState(ctx, tx, name, value); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store %d alerts: %w", len(rows), err)
	}
	return fresh, nil
}

// row is an alert on its way into the tables.
type row struct {
	alert  *alert.Kept
	values []any
	words  string
	packed []byte
}

const rowColumns = "id, rule_id, rule_name, severity, risk, tags, at, timed, block, reason, host, user_name, stored"

func (s *Store) row(a *alert.Kept) row {
	host, user, words := s.columns.read(a.Document)
	tags, _ := json.Marshal(append([]string{}, a.Tags...))
	at := int64(0)
	if a.Timed {
		at = a.Time.Std().UnixMilli()
	}
	words = strings.Join([]string{a.RuleName, a.RuleID, a.Reason, strings.Join(a.Tags, " "), words}, " ")
	return row{
		alert: a, words: strings.Join(splitWords(words), " "), packed: s.pack(a.Document),
		values: []any{a.ID, a.RuleID, plain(a.RuleName), a.Severity, a.RiskScore, plain(string(tags)), at, a.Timed, a.BuildingBlock, plain(a.Reason), plain(host), plain(user), s.now().UnixMilli()},
	}
}

// pack compresses a document, which is some ten times as large as what is left of it.
func (s *Store) pack(doc []byte) []byte {
	scratch, ok := s.scratch.Get().(*[]byte)
	if !ok {
		scratch = new([]byte)
	}
	defer s.scratch.Put(scratch)
	*scratch = s.packer.EncodeAll(doc, (*scratch)[:0])
	return bytes.Clone(*scratch)
}

// plain takes out what PostgreSQL has no place for in texts.
func plain(text string) string {
	return strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", "\ufffd"), "\ufffd")
}

// insert writes rows, and adds the new ones to fresh.
func (s *Store) insert(ctx context.Context, tx *sql.Tx, rows []row, sinks func(*alert.Kept) []string, fresh *[]*alert.Kept) error {
	var args []any
	for _, r := range rows {
		args = append(args, r.values...)
	}
	written, err := tx.QueryContext(ctx, s.dialect.sql("INSERT INTO alerts ("+rowColumns+") VALUES "+places(len(rows), len(rows[0].values))+
		" ON CONFLICT (id) DO NOTHING RETURNING id, seq"), args...)
	if err != nil {
		return err
	}
	seqs := map[string]int64{}
	for written.Next() {
		var id string
		var seq int64
		if err := written.Scan(&id, &seq); err != nil {
			return err
		}
		seqs[id] = seq
	}
	if err := written.Err(); err != nil {
		return err
	}
	var documents, words, outbox []any
	for _, r := range rows {
		seq, isNew := seqs[r.alert.ID]
		if !isNew {
			continue
		}
		*fresh = append(*fresh, r.alert)
		documents = append(documents, seq, r.packed)
		words = append(words, seq, r.words)
		if sinks != nil {
			for _, name := range sinks(r.alert) {
				outbox = append(outbox, name, seq)
			}
		}
	}
	indexed := "INSERT INTO words (rowid, text) VALUES "
	wordPlaces := places(len(words)/2, 2)
	if s.dialect == postgres {
		indexed = "INSERT INTO words (seq, text) VALUES "
		wordPlaces = strings.ReplaceAll(wordPlaces, "(?, ?)", "(?, to_tsvector('simple', ?))")
	}
	for _, in := range []struct {
		statement, places string
		args              []any
	}{
		{"INSERT INTO documents (seq, document) VALUES ", places(len(documents)/2, 2), documents},
		{indexed, wordPlaces, words},
		{"INSERT INTO outbox (sink, seq) VALUES ", places(len(outbox)/2, 2), outbox},
	} {
		if len(in.args) == 0 {
			continue
		}
		if _, err := s.exec(ctx, tx, in.statement+in.places, in.args...); err != nil {
			return err
		}
	}
	return nil
}

// places writes the places of rows in a statement.
func places(rows, columns int) string {
	one := "(" + strings.TrimSuffix(strings.Repeat("?, ", columns), ", ") + ")"
	return strings.TrimSuffix(strings.Repeat(one+", ", rows), ", ")
}

// putState sets a named value to another.
const putState = "INSERT INTO states (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"

func (s *Store) setState(ctx context.Context, tx *sql.Tx, name string, value []byte) error {
	var err error
	if value == nil {
		_, err = s.exec(ctx, tx, "DELETE FROM states WHERE name = ?", name)
	} else {
		_, err = s.exec(ctx, tx, putState, name, value)
	}
	if err != nil {
		return fmt.Errorf("store the state %s: %w", name, err)
	}
	return nil
}

// State gives a named value; ErrNotFound if there is none.
func (s *Store) State(ctx context.Context, name string) ([]byte, error) {
	var value []byte
	err := s.read.QueryRowContext(ctx, s.dialect.sql("SELECT value FROM states WHERE name = ?"), name).Scan(&value)
	if err != nil {
		return nil, fmt.Errorf("read the state %s: %w", name, notFound(err))
	}
	return value, nil
}

func notFound(err error) error {
	if err == sql.ErrNoRows {
		return ErrNotFound
	}
	return err
}
