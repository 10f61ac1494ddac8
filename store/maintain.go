package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"
)

// Backup writes a copy of the store as it is now to a new file, while others write.
func (s *Store) Backup(ctx context.Context, path string) error {
	if s.dialect == postgres {
		return errors.New("the store is a PostgreSQL database: back it up with pg_dump")
	}
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("back up to %s: the file is there already", path)
	}
	// The file is made first, for it is for nobody else; SQLite takes an empty one.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	_ = f.Close()
	db, err := sql.Open("sqlite", s.path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		_ = os.Remove(path)
		return fmt.Errorf("back up to %s: %w", path, err)
	}
	return nil
}

// Purge deletes the alerts that were stored before a time, in steps that do not hold
// up others for long. It gives their number. What still waits to be sent stays.
func (s *Store) Purge(ctx context.Context, before time.Time) (total int64, err error) {
	for {
		var n int64
		err := s.inTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
			const some = "(SELECT seq FROM alerts WHERE stored < ? AND seq NOT IN (SELECT seq FROM outbox WHERE NOT dead) ORDER BY stored, seq LIMIT 500)"
			if s.dialect == sqlite {
				return s.purgeSome(ctx, tx, "rowid", some, before, &n)
			}
			return s.purgeSome(ctx, tx, "seq", some, before, &n)
		})
		if total += n; err != nil || n == 0 {
			return total, err
		}
	}
}

func (s *Store) purgeSome(ctx context.Context, tx *sql.Tx, wordKey, some string, before time.Time, n *int64) error {
	if _, err := s.exec(ctx, tx, "DELETE FROM suppressed WHERE alert IN (SELECT id FROM alerts WHERE seq IN "+some+")", before.UnixMilli()); err != nil {
		return fmt.Errorf("delete old alerts: %w", err)
	}
	for _, table := range []struct{ name, key string }{{"documents", "seq"}, {"words", wordKey}, {"notes", "seq"}, {"outbox", "seq"}, {"alerts", "seq"}} {
		deleted, err := s.exec(ctx, tx, "DELETE FROM "+table.name+" WHERE "+table.key+" IN "+some, before.UnixMilli())
		if err != nil {
			return fmt.Errorf("delete old alerts: %w", err)
		}
		*n = deleted
	}
	return nil
}

// Check looks whether the store is sound. It reads all of it.
func (s *Store) Check(ctx context.Context) error {
	if s.dialect == postgres {
		return s.read.PingContext(ctx)
	}
	var answer string
	if err := s.read.QueryRowContext(ctx, "PRAGMA integrity_check(1)").Scan(&answer); err != nil {
		return fmt.Errorf("check the store: %w", err)
	}
	if answer != "ok" {
		return fmt.Errorf("the store is damaged: %s", answer)
	}
	return nil
}

// Ping tells whether the store answers.
func (s *Store) Ping(ctx context.Context) error { return s.read.PingContext(ctx) }
