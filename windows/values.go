package windows

import (
	"strings"
	"unsafe"
)

// Values: how fields of the current event are filled, and how texts are read.

func (m *Mapper) use(s slot) *value {
	m.used[s/64] |= 1 << (s % 64)
	return &m.values[s]
}

func (m *Mapper) has(s slot) bool { return m.used[s/64]&(1<<(s%64)) != 0 }

// setText, setRaw, setNumber and setList fill a field that is still empty.
func (m *Mapper) setText(s slot, text string) {
	if text != "" && !m.has(s) {
		v := m.use(s)
		v.kind, v.text = textValue, text
	}
}

func (m *Mapper) setRaw(s slot, json string) {
	if json != "" && !m.has(s) {
		v := m.use(s)
		v.kind, v.text = rawValue, json
	}
}

func (m *Mapper) setNumber(s slot, n int64) {
	if !m.has(s) {
		v := m.use(s)
		v.kind, v.number = numberValue, n
	}
}

// setList makes a field of the elements of m.list from from on, if there are any.
func (m *Mapper) setList(s slot, from int) {
	if from < len(m.list) && !m.has(s) {
		v := m.use(s)
		v.kind, v.from, v.to = listValue, from, len(m.list)
	}
}

// textOf gives the text of a field, "" if it has none.
func (m *Mapper) textOf(s slot) string {
	if m.has(s) && m.values[s].kind == textValue {
		return m.values[s].text
	}
	return ""
}

// maxMembers bounds the lists that addTo fills: they are searched for each member,
// and a hostile record may name any number.
const maxMembers = 1000

// addTo adds a text to a list field, once.
func (m *Mapper) addTo(s slot, text string) {
	if !m.has(s) {
		from := len(m.list)
		m.list = append(m.list, text)
		m.setList(s, from)
		return
	}
	v := &m.values[s]
	if v.to-v.from >= maxMembers {
		return
	}
	for _, old := range m.list[v.from:v.to] {
		if old == text {
			return
		}
	}
	if v.to != len(m.list) { // the list is not the last one: it moves to the end
		from := len(m.list)
		m.list = append(m.list, m.list[v.from:v.to]...)
		v.from, v.to = from, len(m.list)
	}
	m.list = append(m.list, text)
	v.to++
}

func (m *Mapper) setFile(to []slot, path string) {
	m.setText(to[0], path)
	name := baseName(path)
	if len(name) == len(path) {
		return
	}
	m.setText(to[1], name)
	m.setText(to[2], path[:len(path)-len(name)-1])
	if dot := strings.LastIndexByte(path, '.'); dot >= 0 {
		m.setText(to[3], path[dot+1:])
	}
}

func (m *Mapper) setCommand(to []slot, line string) {
	m.setText(to[0], line)
	from := len(m.list)
	m.list, m.text = splitArgs(m.list, m.text, line)
	m.setList(to[1], from)
	m.setNumber(to[2], int64(len(m.list)-from))
}

// setHashes reads "SHA1=…,MD5=…". Hashes of zeros are none.
func (m *Mapper) setHashes(to []slot, s string) {
	related := to[len(hashNames)]
	var sums [len(hashNames)]string
	for s != "" {
		var pair string
		pair, s, _ = strings.Cut(s, ",")
		name, sum, _ := strings.Cut(pair, "=")
		for i, known := range hashNames {
			if len(name) == len(known) && strings.EqualFold(name, known) && !isZero(sum) {
				sums[i] = m.lower(sum)
				m.setText(to[i], sums[i])
			}
		}
	}
	for _, sum := range sums {
		if sum != "" {
			m.addTo(related, sum)
		}
	}
}

func isZero(s string) bool { return s == "" || s[0] == '0' && strings.Trim(s, "0") == "" }

// lower gives a text of ASCII letters in lower case.
func (m *Mapper) lower(s string) string {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c >= 'A' && c <= 'Z' {
			start := len(m.text)
			m.text = append(m.text, s...)
			out := m.text[start:]
			for j, c := range out {
				if c >= 'A' && c <= 'Z' {
					out[j] = c + 'a' - 'A'
				}
			}
			return view(out)
		}
	}
	return s
}

// baseName gives what follows the last backslash of a path.
func baseName(path string) string { return path[strings.LastIndexByte(path, '\\')+1:] }

// account splits DOMAIN\name.
func account(s string) (domain, name string, ok bool) {
	domain, name, ok = strings.Cut(s, `\`)
	return domain, name, ok && !strings.Contains(name, `\`)
}

// appendWords appends the words of s that white space parts.
func appendWords(list []string, s string) []string {
	for i := 0; i < len(s); {
		if isSpace(s[i]) {
			i++
			continue
		}
		end := i
		for end < len(s) && !isSpace(s[end]) {
			end++
		}
		list = append(list, s[i:end])
		i = end
	}
	return list
}

func flagWord(s string) string {
	switch {
	case strings.EqualFold(s, "true"):
		return "true"
	case strings.EqualFold(s, "false"):
		return "false"
	}
	return ""
}

// parseNumber reads a decimal or 0x… number.
func parseNumber(s string) (int64, bool) {
	base, digits := int64(10), s
	if len(s) > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X') {
		base, digits = 16, s[2:]
	}
	negative := false
	if base == 10 && len(digits) > 1 && digits[0] == '-' {
		negative, digits = true, digits[1:]
	}
	if digits == "" || len(digits) > 18 {
		return 0, false
	}
	var n int64
	for i := 0; i < len(digits); i++ {
		d := hexDigit(digits[i])
		if d < 0 || d >= base || n > (1<<62)/16 {
			return 0, false
		}
		n = n*base + d
	}
	if negative {
		n = -n
	}
	return n, true
}

func hexDigit(c byte) int64 {
	switch {
	case c >= '0' && c <= '9':
		return int64(c - '0')
	case c >= 'a' && c <= 'f':
		return int64(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int64(c-'A') + 10
	}
	return -1
}

// view gives bytes that will not change as a text.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
