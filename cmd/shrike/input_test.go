package main

import (
	"testing"
	"time"
)

func TestMoments(t *testing.T) {
	now := time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)
	f := func(s, want string) {
		t.Helper()
		got, err := parseMoment(s, now)
		text := got.UTC().Format(time.RFC3339Nano)
		if err != nil {
			text = "error"
		}
		if text != want {
			t.Errorf("%s is %s, expected %s", s, text, want)
		}
	}
	f("2026-03-01", "2026-03-01T00:00:00Z")
	f("2026-03-01 10:00", "2026-03-01T10:00:00Z")
	f("2026-03-01T10:00:00.5+02:00", "2026-03-01T08:00:00.5Z")
	f("12h", "2026-03-10T00:00:00Z")
	f("7d", "2026-03-03T12:00:00Z")
	f("-1h", "error")
	f("-1d", "error")
	f("soon", "error")
	f("", "error")
	f("2026-13-01", "error")
}
