package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/event"
)

// Stored is an alert with what people did with it.
type Stored struct {
	alert.Kept
	Seq        int64
	Host, User string
	// StoredAt is when the alert was written.
	StoredAt time.Time
	Triage
	// Version counts the changes; see Change.
	Version int64
	// Suppressed counts the alerts that this one stands for.
	Suppressed int64
}

// Triage is what people say of an alert.
type Triage struct {
	// Status is open, acknowledged or closed; CloseReason says why it is closed.
	Status      string   `json:"status"`
	CloseReason string   `json:"close_reason,omitempty"`
	Assignees   []string `json:"assignees"`
	// Labels are kibana.alert.workflow_tags.
	Labels []string `json:"labels"`
}

// Query chooses alerts. The zero value of a field asks for nothing.
type Query struct {
	Rule     string // rule_id
	Severity []string
	Status   []string
	Host     string
	User     string
	// Words have to stand in the alert, each as a whole or, with a star at its end, as a
	// beginning.
	Words         string
	Since, Until  time.Time
	BuildingBlock bool // give those too
	// After is Page.Next of the page before.
	After string
	Limit int // 0 stands for 50, and 1,000 is the most
}

// Page is a part of the alerts of a query, the newest first.
type Page struct {
	Alerts []Stored
	// Next asks for those that follow; "" if there are none.
	Next string
}

const keptColumns = "a.id, a.rule_id, a.rule_name, a.severity, a.risk, a.tags, a.at, a.timed, a.block, a.reason"

// keptRow reads keptColumns.
type keptRow struct {
	tags string
	at   int64
}

func (k *keptRow) targets(a *alert.Kept) []any {
	return []any{&a.ID, &a.RuleID, &a.RuleName, &a.Severity, &a.RiskScore, &k.tags, &k.at, &a.Timed, &a.BuildingBlock, &a.Reason}
}

func (k *keptRow) finish(a *alert.Kept) error {
	if a.Timed {
		a.Time = event.FromTime(time.UnixMilli(k.at))
	}
	if err := json.Unmarshal([]byte(k.tags), &a.Tags); err != nil {
		return fmt.Errorf("read the tags of alert %s: %w", a.ID, err)
	}
	return nil
}

const storedColumns = keptColumns + ", a.seq, a.host, a.user_name, a.stored, a.status, a.close_reason, a.assignees, a.labels, a.version, (SELECT COUNT(*) FROM suppressed x WHERE x.alert = a.id)"

func scanStored(scan func(...any) error, more ...any) (Stored, error) {
	var a Stored
	var k keptRow
	var stored int64
	var assignees, labels string
	targets := append(k.targets(&a.Kept), &a.Seq, &a.Host, &a.User, &stored, &a.Status, &a.CloseReason, &assignees, &labels, &a.Version, &a.Suppressed)
	if err := scan(append(targets, more...)...); err != nil {
		return a, err
	}
	a.StoredAt = time.UnixMilli(stored).UTC()
	return a, errors.Join(k.finish(&a.Kept), json.Unmarshal([]byte(assignees), &a.Assignees), json.Unmarshal([]byte(labels), &a.Labels))
}

// Alerts gives alerts without their documents.
func (s *Store) Alerts(ctx context.Context, q Query) (Page, error) {
	where, args, err := s.where(q)
	if err != nil {
		return Page{}, err
	}
	limit := q.Limit
	if limit <= 0 {
		limit = 50
	}
	limit = min(limit, 1000)
	rows, err := s.read.QueryContext(ctx, s.dialect.sql("SELECT "+storedColumns+" FROM alerts a"+where+" ORDER BY a.at DESC, a.seq DESC LIMIT ?"), append(args, limit+1)...)
	if err != nil {
		return Page{}, fmt.Errorf("find alerts: %w", err)
	}
	defer rows.Close()
	var p Page
	for rows.Next() {
		a, err := scanStored(rows.Scan)
		if err != nil {
			return Page{}, fmt.Errorf("find alerts: %w", err)
		}
		p.Alerts = append(p.Alerts, a)
	}
	if len(p.Alerts) > limit {
		p.Alerts = p.Alerts[:limit]
		last := &p.Alerts[limit-1]
		at := int64(0)
		if last.Timed {
			at = last.Time.Std().UnixMilli()
		}
		p.Next = strconv.FormatInt(at, 10) + "-" + strconv.FormatInt(last.Seq, 10)
	}
	return p, rows.Err()
}

// where writes the condition of a query.
func (s *Store) where(q Query) (string, []any, error) {
	var parts []string
	var args []any
	add := func(part string, values ...any) {
		parts = append(parts, part)
		args = append(args, values...)
	}
	oneOf := func(column string, values []string) {
		if len(values) > 0 {
			add(column+" IN "+places(1, len(values)), anys(values)...)
		}
	}
	if q.Rule != "" {
		add("a.rule_id = ?", q.Rule)
	}
	oneOf("a.severity", q.Severity)
	oneOf("a.status", q.Status)
	if q.Host != "" {
		add("a.host = ?", q.Host)
	}
	if q.User != "" {
		add("a.user_name = ?", q.User)
	}
	if !q.Since.IsZero() {
		add("a.at >= ?", q.Since.UnixMilli())
	}
	if !q.Until.IsZero() {
		add("a.at < ?", q.Until.UnixMilli())
	}
	if !q.BuildingBlock {
		add("NOT a.block")
	}
	if words := s.words(q.Words); words != "" && s.dialect == sqlite {
		add("a.seq IN (SELECT rowid FROM words WHERE words MATCH ?)", words)
	} else if words != "" {
		add("a.seq IN (SELECT w.seq FROM words w WHERE w.text @@ to_tsquery('simple', ?))", words)
	}
	if q.After != "" {
		var at, seq int64
		if n, err := fmt.Sscanf(q.After, "%d-%d", &at, &seq); err != nil || n != 2 {
			return "", nil, fmt.Errorf("%w: %q is no place in a list of alerts", ErrQuery, q.After)
		}
		add("(a.at < ? OR a.at = ? AND a.seq < ?)", at, at, seq)
	}
	if len(parts) == 0 {
		return "", nil, nil
	}
	return " WHERE " + strings.Join(parts, " AND "), args, nil
}

// words writes a search for words, without any of the database's own signs.
func (s *Store) words(text string) string {
	var list []string
	for _, word := range strings.Fields(text) {
		beginning := strings.HasSuffix(word, "*")
		for _, part := range splitWords(word) {
			switch {
			case s.dialect == sqlite && beginning:
				list = append(list, `"`+part+`"*`)
			case s.dialect == sqlite:
				list = append(list, `"`+part+`"`)
			case beginning:
				list = append(list, part+":*")
			default:
				list = append(list, part)
			}
		}
	}
	if s.dialect == sqlite {
		return strings.Join(list, " ")
	}
	return strings.Join(list, " & ")
}

// splitWords gives the words of a text: letters, digits and underscores. Both databases
// are given words so, for they would take other things for words each in its own way.
func splitWords(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool {
		return r == utf8.RuneError || r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
}

func anys(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

// Alert gives an alert with its document and its history, the oldest first.
func (s *Store) Alert(ctx context.Context, id string) (Stored, []Note, error) {
	var packed []byte
	row := s.read.QueryRowContext(ctx, s.dialect.sql("SELECT "+storedColumns+", d.document FROM alerts a JOIN documents d ON d.seq = a.seq WHERE a.id = ?"), id)
	a, err := scanStored(row.Scan, &packed)
	if err == nil {
		a.Document, err = s.unpack(packed)
	}
	if err == nil {
		err = s.suppression(ctx, &a)
	}
	if err != nil {
		return a, nil, fmt.Errorf("read alert %s: %w", id, notFound(err))
	}
	notes, err := s.notes(ctx, a.Seq)
	return a, notes, err
}

// suppression has an alert tell of those that it stands for.
func (s *Store) suppression(ctx context.Context, a *Stored) error {
	var first, last sql.NullInt64
	row := s.read.QueryRowContext(ctx, s.dialect.sql("SELECT COUNT(*), MIN(at), MAX(at) FROM suppressed WHERE alert = ?"), a.ID)
	if err := row.Scan(&a.Suppressed, &first, &last); err != nil || a.Suppressed == 0 {
		return err
	}
	at := func(n int64) event.Time { return event.FromTime(time.UnixMilli(n)) }
	own := a.Time.UnixMilli()
	a.Suppress(a.Suppressed, at(min(own, first.Int64)), at(max(own, last.Int64)))
	return nil
}

func (s *Store) unpack(packed []byte) ([]byte, error) {
	doc, err := s.opener.DecodeAll(packed, nil)
	if err != nil {
		return nil, fmt.Errorf("unpack a document: %w", err)
	}
	return doc, nil
}

// Count is a number of alerts of one kind.
type Count struct {
	Status   string `json:"status"`
	Severity string `json:"severity"`
	N        int64  `json:"alerts"`
}

// Counts gives the number of alerts by status and severity, without building blocks.
func (s *Store) Counts(ctx context.Context) ([]Count, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT status, severity, COUNT(*) FROM alerts WHERE NOT block GROUP BY status, severity ORDER BY status, severity")
	if err != nil {
		return nil, fmt.Errorf("count alerts: %w", err)
	}
	defer rows.Close()
	var list []Count
	for rows.Next() {
		var c Count
		if err := rows.Scan(&c.Status, &c.Severity, &c.N); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, rows.Err()
}

// IDs calls each with the id of every alert, building blocks too.
func (s *Store) IDs(ctx context.Context, each func(id string)) error {
	rows, err := s.read.QueryContext(ctx, "SELECT id FROM alerts")
	if err != nil {
		return fmt.Errorf("list alerts: %w", err)
	}
	defer rows.Close()
	var id string
	for rows.Next() {
		if err := rows.Scan(&id); err != nil {
			return err
		}
		each(id)
	}
	return rows.Err()
}
