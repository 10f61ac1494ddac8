package windows

import (
	"strings"
	"testing"
)

func TestSplitArgs(t *testing.T) {
	f := func(line string, want ...string) {
		t.Helper()
		got, _ := splitArgs(nil, nil, line)
		if strings.Join(got, "|") != strings.Join(want, "|") || len(got) != len(want) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	f("")
	f("   ")
	f("a  b\tc ", "a", "b", "c")
	f(`"C:\Program Files\a.exe" /x`, `C:\Program Files\a.exe`, "/x")
	f(`a\b c\\d`, `a\b`, `c\\d`)
	f(`"a\\" b`, `a\`, "b")
	f(`"a\" b" c`, `a" b`, "c")
	f(`a\\\"b c`, `a\"b`, "c")
	f(`"ab""cd ef"`, `ab"cd`, "ef") // the second quote ends the quotes
	f(`"ab""" cd`, `ab" cd`)        // and the third opens them again
	f(`"" b`, "", "b")
	f(`a"b c"d e`, "ab cd", "e")
	f(`"unclosed a b`, "unclosed a b")
	f(`-o"C:\TMP" x`, `-oC:\TMP`, "x")
	f(`x "a b"`, "x", "a b")
	f(`x "a b"y`, "x", "a by")
	f("a\nb", "a\nb") // only blanks and tabs part arguments
}

func TestSplitQuoted(t *testing.T) {
	f := func(line string, want ...string) {
		t.Helper()
		got := splitQuoted(nil, line)
		if strings.Join(got, "|") != strings.Join(want, "|") || len(got) != len(want) {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	f("")
	f(`"C:\Windows\wevtutil.exe" cl Security`, `"C:\Windows\wevtutil.exe"`, "cl", "Security")
	f(`a  b `, "a", "b")
	f(`a "b c`, "a", `"b c`)
	f(`x"a b"y z`, `x"a b"y`, "z")
	f("a\tb\nc", "a", "b", "c")
}

func TestAppendString(t *testing.T) {
	f := func(s, want string) {
		t.Helper()
		if got := string(appendString([]byte("x"), s)); got != "x"+want {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	}
	f("", `""`)
	f("short", `"short"`)
	f(`C:\Windows\System32\a.exe`, `"C:\\Windows\\System32\\a.exe"`)
	f("tab\tline\nend\r\x01\x1f\"", `"tab\tline\nend\r\u0001\u001f\""`)
	f("Microsoft® Windows® Operating", `"Microsoft® Windows® Operating"`)
	f("12345678", `"12345678"`)
	f("123456789\\", `"123456789\\"`)
	f("1234567\x7f\x80\"", "\"1234567\x7f\x80\\\"\"")
}

func TestParseNumber(t *testing.T) {
	f := func(s string, want int64, ok bool) {
		t.Helper()
		if got, good := parseNumber(s); got != want || good != ok {
			t.Errorf("%s: %d, %v", s, got, good)
		}
	}
	f("0", 0, true)
	f("4688", 4688, true)
	f("0x11cc", 4556, true)
	f("0xFFFFFFFF", 1<<32-1, true)
	f("-5", -5, true)
	f("", 0, false)
	f("0x", 0, false)
	f("12a", 0, false)
	f("99999999999999999999", 0, false)
}
