package event

import (
	"strconv"
	"strings"
	"time"
)

// Time is an instant with nanoseconds. Unlike a count of nanoseconds it reaches
// every year a log may hold, 1601 (the Windows epoch) among them.
type Time struct {
	Sec  int64 // seconds since 1970-01-01T00:00:00Z, rounded down
	Nsec int32 // nanoseconds within the second, 0 … 999,999,999
}

// UnixMilli makes the instant that many milliseconds after 1970.
func UnixMilli(ms int64) Time {
	sec, rest := ms/1000, ms%1000
	if rest < 0 {
		sec, rest = sec-1, rest+1000
	}
	return Time{Sec: sec, Nsec: int32(rest) * 1e6}
}

// FromTime converts from the standard library's time.
func FromTime(t time.Time) Time { return Time{Sec: t.Unix(), Nsec: int32(t.Nanosecond())} }

// UnixMilli gives the milliseconds since 1970, rounded down.
func (t Time) UnixMilli() int64 { return t.Sec*1000 + int64(t.Nsec)/1e6 }

// Std converts to the standard library's time, in UTC.
func (t Time) Std() time.Time { return time.Unix(t.Sec, int64(t.Nsec)).UTC() }

// Add gives the instant that much later.
func (t Time) Add(d time.Duration) Time {
	t.Sec, t.Nsec = t.Sec+int64(d/time.Second), t.Nsec+int32(d%time.Second)
	switch {
	case t.Nsec >= 1e9:
		t.Sec, t.Nsec = t.Sec+1, t.Nsec-1e9
	case t.Nsec < 0:
		t.Sec, t.Nsec = t.Sec-1, t.Nsec+1e9
	}
	return t
}

// IsZero reports whether t is the zero Time, which stands for "no time".
// (1970-01-01T00:00:00Z itself is given the same representation; an event at
// that instant has to be told apart by Event.Time's second result.)
func (t Time) IsZero() bool { return t == Time{} }

// Compare gives -1, 0 or 1 as t is before, equal to or after u.
func (t Time) Compare(u Time) int {
	switch {
	case t.Sec < u.Sec:
		return -1
	case t.Sec > u.Sec:
		return 1
	case t.Nsec < u.Nsec:
		return -1
	case t.Nsec > u.Nsec:
		return 1
	}
	return 0
}

// String writes the instant in RFC 3339 in UTC with three decimals, or as many
// as it needs up to nine.
func (t Time) String() string {
	if t.Nsec%1e6 == 0 {
		return t.Std().Format("2006-01-02T15:04:05.000Z07:00")
	}
	return t.Std().Format("2006-01-02T15:04:05.999999999Z07:00")
}

// ParseTime reads the date forms of Elasticsearch's default format
// strict_date_optional_time||epoch_millis: a year, a year and month, a date, a
// date with a time of any precision up to nine decimals and an optional zone
// (UTC where none is given), or a count of milliseconds since 1970, which may
// have decimals. A blank may stand for the "T", as many exports write it.
func ParseTime(s string) (Time, bool) {
	if t, ok := parseStamp(s); ok {
		return t, true
	}
	if t, ok := parseISO(s); ok {
		return t, true
	}
	return parseEpochMillis(s)
}

func parseISO(s string) (Time, bool) {
	p := dateParser{s: s}
	year, month, day := p.digits(4), 1, 1
	if p.bad {
		return Time{}, false
	}
	if p.next('-') {
		month = p.digits(2)
		if p.next('-') {
			day = p.digits(2)
		}
	}
	if p.bad || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return Time{}, false
	}
	var h, m, sec, nsec, zone int
	if p.next('T') || p.next('t') || p.next(' ') {
		h, m, sec, nsec = p.clock()
		zone = p.zone()
	}
	if p.bad || p.i != len(s) || h > 23 || m > 59 || sec > 59 {
		return Time{}, false
	}
	unix := daysSinceEpoch(year, month, day)*86400 + int64(h*3600+m*60+sec-zone)
	return Time{Sec: unix, Nsec: int32(nsec)}, true
}

// dateParser reads a date from left to right. After the first misfit bad is set
// and stays set.
type dateParser struct {
	s   string
	i   int
	bad bool
}

func (p *dateParser) next(c byte) bool {
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *dateParser) digits(n int) int {
	if p.i+n > len(p.s) {
		p.bad = true
		return 0
	}
	v := 0
	for _, c := range []byte(p.s[p.i : p.i+n]) {
		if c < '0' || c > '9' {
			p.bad = true
			return 0
		}
		v = v*10 + int(c-'0')
	}
	p.i += n
	return v
}

func (p *dateParser) clock() (h, m, s, nsec int) {
	h = p.digits(2)
	if !p.next(':') {
		return
	}
	m = p.digits(2)
	if !p.next(':') {
		return
	}
	s = p.digits(2)
	if p.next('.') || p.next(',') {
		nsec = p.fraction()
	}
	return
}

func (p *dateParser) fraction() int {
	v, n := 0, 0
	for p.i < len(p.s) && p.s[p.i] >= '0' && p.s[p.i] <= '9' && n < 9 {
		v = v*10 + int(p.s[p.i]-'0')
		p.i++
		n++
	}
	if n == 0 {
		p.bad = true
	}
	for ; n < 9; n++ {
		v *= 10
	}
	return v
}

// zone reads "Z", "+hh", "+hhmm" or "+hh:mm" and gives its offset in seconds.
func (p *dateParser) zone() int {
	if p.i == len(p.s) || p.next('Z') || p.next('z') {
		return 0
	}
	sign := 1
	if p.next('-') {
		sign = -1
	} else if !p.next('+') {
		p.bad = true
		return 0
	}
	h, m := p.digits(2), 0
	if p.i < len(p.s) {
		p.next(':')
		m = p.digits(2)
	}
	if h > 18 || m > 59 {
		p.bad = true
	}
	return sign * (h*3600 + m*60)
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// daysSinceEpoch counts days in the proleptic Gregorian calendar.
func daysSinceEpoch(year, month, day int) int64 {
	// Years start in March here, so that the leap day is the last of its year.
	y := int64(year)
	m := int64(month)
	if m <= 2 {
		y--
		m += 12
	}
	return 365*y + floorDiv(y, 4) - floorDiv(y, 100) + floorDiv(y, 400) + (153*(m-3)+2)/5 + int64(day) - 1 - 719468
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func parseEpochMillis(s string) (Time, bool) {
	whole, frac, hasFrac := strings.Cut(s, ".")
	if whole == "" || whole == "-" || whole[0] == '+' {
		return Time{}, false
	}
	ms, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return Time{}, false
	}
	t := UnixMilli(ms)
	if !hasFrac {
		return t, true
	}
	if frac == "" || len(frac) > 6 {
		return Time{}, false
	}
	sub := int32(0)
	for i := range 6 {
		d := byte('0')
		if i < len(frac) {
			d = frac[i]
		}
		if d < '0' || d > '9' {
			return Time{}, false
		}
		sub = sub*10 + int32(d-'0')
	}
	if whole[0] == '-' {
		return Time{}, false // a negative count with decimals is no form Elasticsearch reads
	}
	t.Nsec += sub
	return t, true
}
