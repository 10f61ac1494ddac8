package store_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/store"
)

// onBoth runs a test with SQLite, and with PostgreSQL where there is one.
func onBoth(t *testing.T, test func(t *testing.T, s *store.Store)) {
	t.Run("sqlite", func(t *testing.T) { test(t, open(t, filepath.Join(t.TempDir(), "a b%20?.db"))) })
	t.Run("postgres", func(t *testing.T) { test(t, open(t, freshDatabase(t))) })
}

func open(t *testing.T, address string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

var day = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// kept makes the alert number n.
func kept(n int) *alert.Kept {
	return &alert.Kept{
		ID: fmt.Sprintf("alert-%d", n), RuleID: fmt.Sprintf("rule-%d", n%3), RuleName: "Rule 'name' \x00 \xff", Severity: []string{"low", "medium", "high"}[n%3],
		RiskScore: float64(n % 100), Tags: []string{"OS: Windows", "a\"b"}, Time: event.FromTime(day.Add(time.Duration(n) * time.Second)), Timed: true,
		Reason: "because", BuildingBlock: n%10 == 9,
		Document: fmt.Appendf(nil, `{"host":{"name":"host-%d"},"user.name":"u","process":{"command_line":"whoami /priv-%d"},"pad":%q}`, n%5, n, strings.Repeat("x", 3000)),
	}
}

func some(from, n int) []*alert.Kept {
	var list []*alert.Kept
	for i := from; i < from+n; i++ {
		list = append(list, kept(i))
	}
	return list
}

func commit(t *testing.T, s *store.Store, c store.Commit) []*alert.Kept {
	t.Helper()
	fresh, err := s.Commit(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return fresh
}

func TestCommitWritesOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		list := append(some(0, 120), kept(5))
		if fresh := commit(t, s, store.Commit{Alerts: list, States: map[string][]byte{"a": []byte("1"), "b": []byte("2")}}); len(fresh) != 120 {
			t.Errorf("%d are new, expected 120", len(fresh))
		}
		if fresh := commit(t, s, store.Commit{Alerts: some(100, 50), States: map[string][]byte{"a": []byte("3"), "b": nil}}); len(fresh) != 30 || fresh[0].ID != "alert-120" {
			t.Errorf("%d are new, expected 30", len(fresh))
		}
		if v, err := s.State(t.Context(), "a"); err != nil || string(v) != "3" {
			t.Errorf("state %q, %v", v, err)
		}
		if _, err := s.State(t.Context(), "b"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a deleted state: %v", err)
		}
		n := 0
		if err := s.IDs(t.Context(), func(string) { n++ }); err != nil || n != 150 {
			t.Errorf("%d ids, %v", n, err)
		}
		a, notes, err := s.Alert(t.Context(), "alert-7")
		if err != nil || len(notes) != 0 {
			t.Fatal(err, notes)
		}
		want := kept(7)
		if a.Host != "host-2" || a.User != "u" || !bytes.Equal(a.Document, want.Document) || a.Time != want.Time || a.Status != "open" || a.Version != 1 ||
			!slices.Equal(a.Tags, want.Tags) || a.Severity != want.Severity || a.RuleName != "Rule 'name' \ufffd \ufffd" {
			t.Errorf("read %+v", a)
		}
		if _, _, err := s.Alert(t.Context(), "none"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("an alert that is not there: %v", err)
		}
	})
}

func TestACancelledCallerLeavesNoTransactionOpen(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		for i := range 50 {
			ctx, cancel := context.WithCancel(t.Context())
			go cancel()
			_, err := s.Commit(ctx, store.Commit{Alerts: some(i*10, 10)})
			if err != nil && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
		}
		commit(t, s, store.Commit{Alerts: some(0, 500)})
		n := 0
		if err := s.IDs(t.Context(), func(string) { n++ }); err != nil || n != 500 {
			t.Errorf("%d ids, %v", n, err)
		}
	})
}

func TestQueries(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		commit(t, s, store.Commit{Alerts: some(0, 100)})
		f := func(q store.Query, want int) {
			t.Helper()
			got, last := 0, ""
			for q.Limit = 7; ; {
				p, err := s.Alerts(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				for _, a := range p.Alerts {
					at := a.Time.String()
					if last != "" && at > last {
						t.Errorf("%+v: %s comes after %s", q, at, last)
					}
					got, last = got+1, at
				}
				if q.After = p.Next; p.Next == "" {
					break
				}
			}
			if got != want {
				t.Errorf("%+v: %d alerts, expected %d", q, got, want)
			}
		}
		f(store.Query{}, 90)
		f(store.Query{BuildingBlock: true}, 100)
		f(store.Query{Rule: "rule-1"}, 30)
		f(store.Query{Severity: []string{"low", "high"}, BuildingBlock: true}, 67)
		f(store.Query{Status: []string{"closed"}}, 0)
		f(store.Query{Host: "host-3", BuildingBlock: true}, 20)
		f(store.Query{Since: day.Add(10 * time.Second), Until: day.Add(20 * time.Second), BuildingBlock: true}, 10)
		f(store.Query{Words: "whoami host-3", BuildingBlock: true}, 20)
		f(store.Query{Words: "priv-42"}, 1)
		f(store.Query{Words: "who*", BuildingBlock: true}, 100)
		f(store.Query{Words: `"') OR 1=1 --`}, 0)
		f(store.Query{Words: `& | ! <-> * "`}, 90)
		if _, err := s.Alerts(t.Context(), store.Query{After: "x"}); err == nil {
			t.Error("a place that is none was taken")
		}
		counts, err := s.Counts(t.Context())
		if err != nil || len(counts) != 3 || counts[0].N+counts[1].N+counts[2].N != 90 {
			t.Errorf("counts %v, %v", counts, err)
		}
	})
}

func TestTriage(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		commit(t, s, store.Commit{Alerts: some(0, 2)})
		closed, open, reason := "closed", "open", "false positive"
		who := []string{"ann"}
		now, version, err := s.Triage(t.Context(), "alert-1", 1, "ann", store.Change{Status: &closed, CloseReason: &reason, Assignees: &who, Note: "seen \x00 before"})
		if err != nil || version != 2 || now.Status != "closed" || now.CloseReason != reason {
			t.Fatalf("%+v, version %d, %v", now, version, err)
		}
		if _, _, err := s.Triage(t.Context(), "alert-1", 1, "bob", store.Change{Status: &open}); !errors.Is(err, store.ErrConflict) {
			t.Errorf("an old version: %v", err)
		}
		if _, _, err := s.Triage(t.Context(), "alert-9", 1, "bob", store.Change{Status: &open}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("no such alert: %v", err)
		}
		odd := "odd"
		if _, _, err := s.Triage(t.Context(), "alert-1", 2, "bob", store.Change{Status: &odd}); err == nil {
			t.Error("an odd status was taken")
		}
		if now, _, err = s.Triage(t.Context(), "alert-1", 2, "bob", store.Change{Status: &open}); err != nil || now.CloseReason != "" || !slices.Equal(now.Assignees, who) {
			t.Errorf("%+v, %v", now, err)
		}
		a, notes, err := s.Alert(t.Context(), "alert-1")
		if err != nil || a.Version != 3 || len(notes) != 2 || notes[0].By != "ann" || !strings.HasPrefix(notes[0].Note, "seen ") || *notes[1].Status != "open" {
			t.Errorf("%+v %+v %v", a.Triage, notes, err)
		}
		var wg sync.WaitGroup
		won := make(chan int, 8)
		for i := range 8 {
			wg.Go(func() {
				if _, _, err := s.Triage(t.Context(), "alert-0", 1, "x", store.Change{Status: &closed}); err == nil {
					won <- i
				} else if !errors.Is(err, store.ErrConflict) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if len(won) != 1 {
			t.Errorf("%d of 8 changes of the same version were taken", len(won))
		}
	})
}

func TestOutbox(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		sinks := func(a *alert.Kept) []string {
			if a.BuildingBlock {
				return nil
			}
			return []string{"file", "mail"}
		}
		for range 2 { // what is there already is not sent again
			commit(t, s, store.Commit{Alerts: some(0, 20), Sinks: sinks})
		}
		due := func(sink string, now time.Time) []store.Delivery {
			t.Helper()
			list, err := s.Due(t.Context(), sink, now, 100)
			if err != nil {
				t.Fatal(err)
			}
			return list
		}
		list := due("file", day)
		if len(list) != 18 || list[0].Alert.ID != "alert-0" || !bytes.Equal(list[3].Alert.Document, kept(3).Document) || list[3].Alert.Time != kept(3).Time {
			t.Fatalf("%d deliveries: %+v", len(list), list[0])
		}
		ids := func(list []store.Delivery) (ids []int64) {
			for _, d := range list {
				ids = append(ids, d.ID)
			}
			return ids
		}
		check := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		check(s.Delivered(t.Context(), ids(list[:10])))
		check(s.Retry(t.Context(), ids(list[10:13]), day.Add(time.Hour), "it is down"))
		check(s.Bury(t.Context(), ids(list[13:15]), "it is refused"))
		check(s.Delivered(t.Context(), nil))
		if got := due("file", day); len(got) != 3 || got[0].ID != list[15].ID {
			t.Errorf("%d are due", len(got))
		}
		if got := due("file", day.Add(2*time.Hour)); len(got) != 6 || got[0].Attempts != 1 || got[0].Reason != "it is down" {
			t.Errorf("%d are due later", len(got))
		}
		depths, err := s.Depths(t.Context())
		if err != nil || depths["file"] != (store.Depth{Waiting: 6, Dead: 2}) || depths["mail"].Waiting != 18 {
			t.Errorf("depths %v, %v", depths, err)
		}
		if dead, err := s.Dead(t.Context(), "file", 10); err != nil || len(dead) != 2 || dead[0].Reason != "it is refused" {
			t.Errorf("dead %v %v", dead, err)
		}
		if n, err := s.Revive(t.Context(), "file"); err != nil || n != 2 {
			t.Errorf("%d revived, %v", n, err)
		}
		if got := due("file", day.Add(2*time.Hour)); len(got) != 8 {
			t.Errorf("%d are due after all", len(got))
		}
		// Old alerts go, but for those that wait.
		if n, err := s.Purge(t.Context(), time.Now().Add(time.Hour)); err != nil || n != 2 {
			t.Errorf("%d deleted, %v", n, err)
		}
		check(s.Delivered(t.Context(), ids(due("mail", day))))
		check(s.Delivered(t.Context(), ids(due("file", day.Add(2*time.Hour)))))
		if n, err := s.Purge(t.Context(), time.Now().Add(time.Hour)); err != nil || n != 18 {
			t.Errorf("%d deleted, %v", n, err)
		}
		if p, err := s.Alerts(t.Context(), store.Query{Words: "whoami"}); err != nil || len(p.Alerts) != 0 {
			t.Errorf("%d found, %v", len(p.Alerts), err)
		}
	})
}

// TestKeysWithoutDatabase verifies keys of a store that does not answer.
func TestKeysWithoutDatabase(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		secret := func(expires time.Time) string {
			_, secret, err := s.CreateKey(t.Context(), "shipper", []string{"ingest"}, expires)
			if err != nil {
				t.Fatal(err)
			}
			return secret
		}
		seen, short, unseen := secret(time.Time{}), secret(time.Now().Add(2*time.Second)), secret(time.Time{})
		for _, known := range []string{seen, short} {
			if _, err := s.Verify(t.Context(), known); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if k, err := s.Verify(t.Context(), seen); err != nil || !k.May("ingest") || k.May("read") {
			t.Errorf("a key that was right: %+v, %v", k, err)
		}
		time.Sleep(2 * time.Second)
		for _, unknown := range []string{unseen, short, base64.StdEncoding.EncodeToString([]byte("nobody:wrong"))} {
			if _, err := s.Verify(t.Context(), unknown); err == nil || errors.Is(err, store.ErrKey) {
				t.Errorf("a key nobody can know of: %v", err)
			}
		}
	})
}

// TestSuppressed counts alerts with the one that stands for them, each once.
func TestSuppressed(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		first, later := kept(1), event.FromTime(day.Add(time.Hour))
		commit := func(ids ...string) {
			t.Helper()
			c := store.Commit{Alerts: []*alert.Kept{first}}
			for _, id := range ids {
				c.Suppressed = append(c.Suppressed, alert.Suppressed{Of: first.ID, ID: id, At: later})
			}
			if _, err := s.Commit(t.Context(), c); err != nil {
				t.Fatal(err)
			}
		}
		commit("x")
		commit("x", "y")
		got, _, err := s.Alert(t.Context(), first.ID)
		doc := event.Document(got.Document)
		if err != nil || got.Suppressed != 2 || fmt.Sprint(doc["kibana.alert.suppression.docs_count"]) != "2" || doc["kibana.alert.suppression.start"] != first.Time.String() || doc["kibana.alert.suppression.end"] != later.String() {
			t.Errorf("%v: %d suppressed, %v", err, got.Suppressed, doc)
		}
		page, err := s.Alerts(t.Context(), store.Query{})
		if err != nil || len(page.Alerts) != 1 || page.Alerts[0].Suppressed != 2 {
			t.Errorf("%v: %+v", err, page)
		}
		if n, err := s.Purge(t.Context(), time.Now().Add(time.Hour)); err != nil || n != 1 {
			t.Errorf("%d deleted, %v", n, err)
		}
		commit()
		if got, _, err := s.Alert(t.Context(), first.ID); err != nil || got.Suppressed != 0 {
			t.Errorf("%v: a deleted alert left %d behind", err, got.Suppressed)
		}
	})
}

func TestKeys(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		k, secret, err := s.CreateKey(t.Context(), "shipper", []string{"ingest"}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Verify(t.Context(), secret); err != nil || got.ID != k.ID || !got.May("ingest") || got.May("read") {
			t.Errorf("%+v, %v", got, err)
		}
		pair, _ := base64.StdEncoding.DecodeString(secret)
		id, password, _ := strings.Cut(string(pair), ":")
		if _, err := s.VerifyPair(t.Context(), id, password); err != nil {
			t.Error(err)
		}
		for _, wrong := range []string{"", "x", secret + "A", base64.StdEncoding.EncodeToString([]byte(id + ":wrong")), base64.StdEncoding.EncodeToString([]byte("nobody\x00:" + password))} {
			if _, err := s.Verify(t.Context(), wrong); !errors.Is(err, store.ErrKey) {
				t.Errorf("%q: %v", wrong, err)
			}
		}
		_, old, err := s.CreateKey(t.Context(), "old", []string{"admin"}, time.Now().Add(-time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Verify(t.Context(), old); !errors.Is(err, store.ErrKey) {
			t.Errorf("an expired key: %v", err)
		}
		if err := s.RevokeKey(t.Context(), k.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Verify(t.Context(), secret); !errors.Is(err, store.ErrKey) {
			t.Errorf("a revoked key: %v", err)
		}
		if err := s.RevokeKey(t.Context(), "nobody"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("revoking nobody: %v", err)
		}
		if _, _, err := s.CreateKey(t.Context(), "x", []string{"everything"}, time.Time{}); err == nil {
			t.Error("an odd scope was taken")
		}
		if keys, err := s.Keys(t.Context()); err != nil || len(keys) != 2 || !keys[0].Revoked && !keys[1].Revoked {
			t.Errorf("keys %+v, %v", keys, err)
		}
	})
}

func TestBackupWhileWriting(t *testing.T) {
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, "s.db"))
	commit(t, s, store.Commit{Alerts: some(0, 100)})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 20 {
			if _, err := s.Commit(t.Context(), store.Commit{Alerts: some(1000+i*10, 10)}); err != nil {
				t.Error(err)
			}
		}
	})
	copied := filepath.Join(dir, "copy.db")
	if err := s.Backup(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if err := s.Backup(t.Context(), copied); err == nil {
		t.Error("a backup was written over")
	}
	if info, err := os.Stat(copied); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	c := open(t, copied)
	if err := c.Check(t.Context()); err != nil {
		t.Error(err)
	}
	n := 0
	if err := c.IDs(t.Context(), func(string) { n++ }); err != nil || n < 100 {
		t.Errorf("%d alerts in the copy, %v", n, err)
	}
}

func TestNoSuchFolder(t *testing.T) {
	if _, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "no", "s.db")); err == nil || !strings.Contains(err.Error(), "open the store") {
		t.Errorf("%v", err)
	}
	if _, err := store.Open(t.Context(), "postgres://nobody@127.0.0.1:1/none?connect_timeout=2"); err == nil {
		t.Error("a server that is not there was opened")
	}
}

func BenchmarkCommit(b *testing.B) {
	for _, size := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("alerts=%d", size), func(b *testing.B) {
			s, err := store.Open(b.Context(), filepath.Join(b.TempDir(), "s.db"))
			if err != nil {
				b.Fatal(err)
			}
			defer s.Close()
			at := 0
			for b.Loop() {
				if _, err := s.Commit(b.Context(), store.Commit{Alerts: some(at, size)}); err != nil {
					b.Fatal(err)
				}
				at += size
			}
			b.ReportMetric(float64(at)/b.Elapsed().Seconds(), "alerts/s")
		})
	}
}

func TestLargeValues(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		if _, err := s.Large(t.Context(), "live"); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("none is there: %v", err)
		}
		save := func(text string, fail error) error {
			return s.SaveLarge(t.Context(), "live", nil, func(w io.Writer) error {
				_, err := io.WriteString(w, text)
				return errors.Join(err, fail)
			})
		}
		f := func(want string) {
			t.Helper()
			if got, err := s.Large(t.Context(), "live"); err != nil || string(got) != want {
				t.Errorf("%q, %v, expected %q", got, err, want)
			}
		}
		if err := save("one", nil); err != nil {
			t.Fatal(err)
		}
		f("one")
		if err := save("half of tw", errors.New("the disk is full")); err == nil {
			t.Error("a failure is not told")
		}
		f("one")
		if err := save("two", nil); err != nil {
			t.Fatal(err)
		}
		f("two")
	})
}
