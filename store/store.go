// Package store keeps alerts, what people did with them, the state of detection, keys,
// and what is yet to be sent: in a SQLite file by default, in PostgreSQL by URL.
//
//	Commit (alerts + outbox + states, one transaction) ─▶ tables ─▶ Alerts, Due, State
//
// # What a commit promises
//
// A commit is written as a whole or not at all, and is on the disk when it returns. An
// alert whose id is there is not written again, so a commit can be repeated.
//
// Rows are narrow: the document of an alert stands in a table of its own, compressed,
// so that lists of alerts read little.
//
// The package is part of the program, not of its promised interface.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/klauspost/compress/zstd"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/shrike-project/shrike/event"
)

//go:embed migrations
var migrations embed.FS

// ErrNotFound is in the error of something that is not there, ErrConflict in that of
// a change to an older version of an alert than the present one, and ErrQuery in that of
// a query that makes no sense.
var (
	ErrQuery    = errors.New("the query makes no sense")
	ErrNotFound = errors.New("not found")
	ErrConflict = errors.New("it was changed by somebody else")
)

// patience is how long one transaction may take.
const patience = 30 * time.Second

// Store is an open store. Its methods are safe for use by many goroutines.
type Store struct {
	dialect dialect
	path    string  // of the SQLite file
	write   *sql.DB // one connection with SQLite, where writers wait for each other here
	read    *sql.DB
	packer  *zstd.Encoder
	scratch sync.Pool // of *[]byte, for the packer
	opener  *zstd.Decoder
	now     func() time.Time
	columns columnReader
	keys    keyCache
}

// Open opens the store at a URL, postgres://…, or in a SQLite file at a path, and
// brings its tables to the present version.
func Open(ctx context.Context, address string) (*Store, error) {
	s := &Store{now: time.Now, columns: newColumnReader()}
	s.packer, _ = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	s.opener, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(1<<30))
	var err error
	if strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://") {
		err = s.openPostgres(address)
	} else {
		err = s.openSQLite(address)
	}
	if err == nil {
		err = s.migrate(ctx)
	}
	if err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

func (s *Store) openSQLite(path string) error {
	s.dialect, s.path = sqlite, path
	// The file holds alerts and hashes of keys: it is for nobody else.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	_ = f.Close()
	pragmas := func(more ...string) string {
		q := url.Values{"_pragma": append([]string{"journal_mode(WAL)", "synchronous(FULL)", "busy_timeout(10000)", "foreign_keys(ON)", "temp_store(MEMORY)"}, more...)}
		q.Set("_txlock", "immediate")
		return "file:" + (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath() + "?" + q.Encode()
	}
	if s.write, err = sql.Open("sqlite", pragmas("cache_size(-16000)")); err != nil {
		return err
	}
	s.write.SetMaxOpenConns(1)
	if s.read, err = sql.Open("sqlite", pragmas("query_only(ON)", "cache_size(-8000)")); err != nil {
		return err
	}
	s.read.SetMaxOpenConns(4)
	return nil
}

func (s *Store) openPostgres(address string) error {
	s.dialect = postgres
	db, err := sql.Open("pgx", address)
	if err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	db.SetMaxOpenConns(8)
	db.SetConnMaxIdleTime(time.Minute)
	s.write, s.read = db, db
	return nil
}

func (s *Store) migrate(ctx context.Context) error {
	kind, dir := goose.DialectSQLite3, "migrations/sqlite"
	if s.dialect == postgres {
		kind, dir = goose.DialectPostgres, "migrations/postgres"
	}
	files, err := fs.Sub(migrations, dir)
	if err != nil {
		return err
	}
	options := []goose.ProviderOption{goose.WithLogger(goose.NopLogger())}
	if s.dialect == postgres { // several processes may start at the same time
		one, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return err
		}
		options = append(options, goose.WithSessionLocker(one))
	}
	p, err := goose.NewProvider(kind, s.write, files, options...)
	if err == nil {
		_, err = p.Up(ctx)
	}
	if err != nil {
		return fmt.Errorf("bring the store's tables to this version: %w", err)
	}
	return nil
}

// Close closes the store.
func (s *Store) Close() error {
	var errs []error
	for _, db := range []*sql.DB{s.read, s.write} {
		if db != nil {
			errs = append(errs, db.Close())
		}
	}
	if s.dialect == postgres && len(errs) == 2 {
		errs = errs[:1] // they are one
	}
	return errors.Join(errs...)
}

// dialect is what differs between the two databases.
type dialect int

const (
	sqlite dialect = iota
	postgres
)

// sql writes a statement, whose places are question marks, for a database.
func (d dialect) sql(statement string) string {
	if d == sqlite {
		return statement
	}
	var b strings.Builder
	n := 0
	for _, r := range statement {
		if r == '?' {
			n++
			fmt.Fprintf(&b, "$%d", n)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// inTx runs a change in a transaction. A caller that gives up does not interrupt it:
// it has its own limit of time.
func (s *Store) inTx(ctx context.Context, change func(ctx context.Context, tx *sql.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin a transaction: %w", err)
	}
	if err := change(ctx, tx); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit a transaction: %w", err)
	}
	return nil
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// exec runs a statement in a transaction.
func (s *Store) exec(ctx context.Context, tx *sql.Tx, statement string, args ...any) (int64, error) {
	r, err := tx.ExecContext(ctx, s.dialect.sql(statement), args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// columnReader reads from the document of an alert what it can be found by.
type columnReader struct{ free *sync.Pool }

type columns struct {
	decoder *event.Decoder
	ev      event.Event
	fields  []event.Field
}

// found are the fields by which alerts are found: the first two have columns, and all
// are searched for words.
var found = []string{"host.name", "user.name", "process.name", "process.command_line", "process.executable", "process.parent.name",
	"file.path", "registry.path", "dll.path", "destination.ip", "dns.question.name", "source.ip"}

func newColumnReader() columnReader {
	return columnReader{&sync.Pool{New: func() any {
		set := event.NewFieldSet(nil)
		c := &columns{}
		for _, name := range found {
			c.fields = append(c.fields, set.Add(name))
		}
		c.decoder = event.NewDecoder(set, "")
		return c
	}}}
}

// read gives host, user and all words of an alert document.
func (r columnReader) read(document []byte) (host, user, words string) {
	c := r.free.Get().(*columns)
	defer r.free.Put(c)
	if c.decoder.Decode(document, &c.ev) != nil {
		return "", "", ""
	}
	var b strings.Builder
	for i, f := range c.fields {
		for _, v := range c.ev.Values(f) {
			text := v.Text()
			if i == 0 && host == "" {
				host = strings.Clone(text)
			}
			if i == 1 && user == "" {
				user = strings.Clone(text)
			}
			b.WriteString(text)
			b.WriteByte(' ')
		}
	}
	return host, user, b.String()
}
