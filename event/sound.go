package event

// Sound values: scalars of which a look tells that the type of their field can read
// them. Others may be readable too; token.as knows.

import "hash/maphash"

// sound reports whether a span is readable by a type for sure.
func (e *Event) sound(sp span, typ Type) bool {
	raw := e.doc[sp.start:sp.end]
	switch sp.kind {
	case wordSpan:
		return soundWord(raw, typ)
	case stringSpan:
		return soundText(raw[1:len(raw)-1], typ)
	}
	known := e.lists.at(raw, typ)
	if known == nil {
		return soundList(raw, typ)
	}
	if known.is(raw, typ) {
		return true
	}
	if !soundList(raw, typ) {
		return false
	}
	known.set(raw, typ)
	return true
}

// soundLists remembers arrays that were sound: a host sends its addresses with every
// event. It is made when it is first needed.
type soundLists struct {
	seed maphash.Seed
	list []knownList
}

type knownList struct {
	typ  Type
	size uint8
	raw  [maxKnownList]byte
}

const (
	knownLists   = 512 // a power of two
	maxKnownList = 110 // bytes of a list
)

// at gives the place of a list, nil if it is not worth one.
func (s *soundLists) at(raw []byte, typ Type) *knownList {
	if len(raw) > maxKnownList {
		return nil
	}
	if s.list == nil {
		s.seed, s.list = maphash.MakeSeed(), make([]knownList, knownLists)
	}
	return &s.list[maphash.Bytes(s.seed, raw)&(knownLists-1)]
}

func (k *knownList) is(raw []byte, typ Type) bool {
	return k.typ == typ && string(k.raw[:k.size]) == string(raw)
}

func (k *knownList) set(raw []byte, typ Type) {
	k.typ, k.size = typ, uint8(copy(k.raw[:], raw))
}

// soundList looks at an array of scalars, which is valid JSON.
func soundList(raw []byte, typ Type) bool {
	for i := 1; i < len(raw); {
		switch raw[i] {
		case ' ', '\n', '\r', '\t', ',', ']':
			i++
		case '"':
			end, escaped := skipString(raw, i)
			if escaped || !soundText(raw[i+1:end-1], typ) {
				return false
			}
			i = end
		default:
			end := skipScalar(raw, i)
			if !soundWord(raw[i:end], typ) {
				return false
			}
			i = end
		}
	}
	return true
}

// soundWord looks at a number, true or false.
func soundWord(raw []byte, typ Type) bool {
	switch c := raw[0]; typ {
	case Boolean:
		return c == 't' || c == 'f'
	case LongType, DoubleType:
		return len(raw) <= 18 && isDigits(raw[1:]) && (isDigit(c) || c == '-')
	case DateType, DateNanos:
		return len(raw) <= 15 && isDigits(raw)
	}
	return false
}

func soundText(text []byte, typ Type) bool {
	switch typ {
	case IPType:
		return isV4(text) || isV6(text)
	case DateType, DateNanos:
		_, ok := parseStamp(view(text))
		return ok
	}
	return false
}

func isDigit(c byte) bool { return c-'0' <= 9 }

func isDigits(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) {
			return false
		}
	}
	return true
}

// isV4 recognises four decimal numbers up to 255 without leading zeros.
func isV4(b []byte) bool {
	if len(b) < 7 || len(b) > 15 {
		return false
	}
	parts, n, digits := 0, 0, 0
	for _, c := range b {
		switch {
		case isDigit(c):
			if digits > 0 && n == 0 {
				return false
			}
			if n = 10*n + int(c-'0'); n > 255 {
				return false
			}
			digits++
		case c == '.' && digits > 0:
			parts, n, digits = parts+1, 0, 0
		default:
			return false
		}
	}
	return parts == 3 && digits > 0
}

// isV6 recognises eight groups of up to four hexadecimal digits, or fewer with one
// "::" between or beside them.
func isV6(b []byte) bool {
	if len(b) < 2 || len(b) > 39 {
		return false
	}
	groups, digits, gap := 0, 0, false
	for i, c := range b {
		switch {
		case isDigit(c), c|0x20 >= 'a' && c|0x20 <= 'f':
			if digits++; digits == 1 {
				groups++
			}
			if digits > 4 {
				return false
			}
		case c != ':':
			return false
		case i > 0 && b[i-1] == ':':
			if gap {
				return false
			}
			gap = true
		case i+1 == len(b), i == 0 && b[1] != ':':
			return false
		default:
			digits = 0
		}
	}
	return groups == 8 && !gap || groups < 8 && gap
}

// parseStamp reads the form most events write their times in: 2006-01-02T15:04:05,
// up to nine decimals, Z. The 29th of February is left to ParseTime.
func parseStamp(s string) (Time, bool) {
	if len(s) < 20 || len(s) > 30 || s[4] != '-' || s[7] != '-' || s[10] != 'T' || s[13] != ':' || s[16] != ':' || s[len(s)-1] != 'Z' {
		return Time{}, false
	}
	century, year, month, day := two(s, 0), two(s, 2), two(s, 5), two(s, 8)
	hour, minute, second := two(s, 11), two(s, 14), two(s, 17)
	if (century|year|month|day|hour|minute|second) < 0 || month < 1 || month > 12 || day < 1 || day > monthDays[month] || hour > 23 || minute > 59 || second > 59 {
		return Time{}, false
	}
	nsec := 0
	if decimals := s[19 : len(s)-1]; decimals != "" {
		if len(decimals) == 1 || decimals[0] != '.' {
			return Time{}, false
		}
		for i := 1; i < len(decimals); i++ {
			if !isDigit(decimals[i]) {
				return Time{}, false
			}
			nsec = 10*nsec + int(decimals[i]-'0')
		}
		nsec *= powers[10-len(decimals)]
	}
	sec := daysSinceEpoch(100*century+year, month, day)*86400 + int64(hour*3600+minute*60+second)
	return Time{Sec: sec, Nsec: int32(nsec)}, true
}

// monthDays are the days of a month, counted from 1, in a year without a leap day.
var monthDays = [13]int{1: 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

// powers are those of ten.
var powers = [9]int{1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000}

// two reads two digits, or gives a negative number.
func two(s string, i int) int {
	a, b := s[i]-'0', s[i+1]-'0'
	if a > 9 || b > 9 {
		return -1
	}
	return int(10*a + b)
}
