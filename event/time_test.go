package event_test

import (
	"testing"
	"time"

	"github.com/shrike-project/shrike/event"
)

func TestParseTime(t *testing.T) {
	f := func(s, want string) {
		t.Helper()
		got, ok := event.ParseTime(s)
		if !ok && want != "" {
			t.Errorf("%q is no time", s)
		} else if ok && got.String() != want {
			t.Errorf("%q is %s, expected %s", s, got, want)
		}
	}
	f("2026-03-02T10:02:41.117Z", "2026-03-02T10:02:41.117Z")
	f("2026-03-02T10:02:41.123456789Z", "2026-03-02T10:02:41.123456789Z")
	f("2026-03-02T10:02:41.1234567891Z", "")
	f("2026-03-02T10:02:41,5+02:00", "2026-03-02T08:02:41.500Z")
	f("2026-03-02T10:02:41-0530", "2026-03-02T15:32:41.000Z")
	f("2026-03-02T10:02:41+02", "2026-03-02T08:02:41.000Z")
	f("2026-03-02 10:02:41", "2026-03-02T10:02:41.000Z")
	f("2026-03-02T10:02Z", "2026-03-02T10:02:00.000Z")
	f("2026-03-02", "2026-03-02T00:00:00.000Z")
	f("2026-03", "2026-03-01T00:00:00.000Z")
	f("2026", "2026-01-01T00:00:00.000Z")
	f("1601-01-01T00:00:00.0000001Z", "1601-01-01T00:00:00.0000001Z")
	f("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z")
	f("2024-02-29", "2024-02-29T00:00:00.000Z")
	f("2026-02-29", "")
	f("2026-13-01", "")
	f("2026-03-02T24:00:00Z", "")
	f("2026-03-02T10:02:41.Z", "")
	f("2026-03-02T10:02:41Zx", "")
	f("1772445761117", "2026-03-02T10:02:41.117Z")
	f("1772445761117.25", "2026-03-02T10:02:41.11725Z")
	f("-1", "1969-12-31T23:59:59.999Z")
	f("1", "1970-01-01T00:00:00.001Z")
	f("", "")
	f("-", "")
	f("now", "")
	f("99999999999999999999", "")
}

func TestTimeAgreesWithTheStandardLibrary(t *testing.T) {
	for day := time.Date(1583, 1, 1, 12, 34, 56, 7000000, time.UTC); day.Year() < 2500; day = day.AddDate(0, 0, 17) {
		got, ok := event.ParseTime(day.Format(time.RFC3339Nano))
		if !ok || !got.Std().Equal(day) || got != event.FromTime(day) {
			t.Fatalf("%s is %s", day, got)
		}
	}
}

// TestEveryDay reads a time of each day of a century and some that do not exist, with every
// number of decimals.
func TestEveryDay(t *testing.T) {
	const decimals = "123456789"
	for day, n := time.Date(1999, 1, 1, 23, 59, 59, 0, time.UTC), 0; day.Year() < 2101; day, n = day.AddDate(0, 0, 1), n+1 {
		want := day.Add(time.Duration(123456789 / pow10(9-n%10) * pow10(9-n%10)))
		text := day.Format("2006-01-02T15:04:05")
		if n%10 > 0 {
			text += "." + decimals[:n%10]
		}
		if got, ok := event.ParseTime(text + "Z"); !ok || got != event.FromTime(want) {
			t.Errorf("%sZ: %v, expected %v", text, got, want)
		}
	}
	for _, text := range []string{"2026-02-29", "2026-04-31", "2026-01-32", "2026-13-01", "2026-00-10", "2026-01-00", "2100-02-29"} {
		if got, ok := event.ParseTime(text + "T00:00:00Z"); ok {
			t.Errorf("%s: %v, expected none", text, got)
		}
	}
}

func pow10(n int) int {
	p := 1
	for range n {
		p *= 10
	}
	return p
}
