package windows

import (
	"strings"

	"github.com/shrike-project/shrike/event"
)

// Mapper writes records as ECS documents. It reuses its memory and belongs to one
// goroutine.
type Mapper struct {
	schema *schema

	// What the current record fills, by slot. Bits of used tell which values count.
	values [maxSlots]value
	used   [maxSlots / 64]uint64
	list   []string // the elements of listValues
	data   []datum  // winlog.event_data
	text   []byte   // memory for texts that no item holds as they are

	// learned remembers for each kind which item stood where in the last record,
	// as records of a kind have the same items in the same order.
	learned [][]learned
	clock   clock

	wanted   [maxSlots / 64]uint64 // the slots that are written
	wantItem func(field string) bool
	items    map[itemKey]bool // what wantItem said
}

const maxSlots = 256

// learned is an item that was met, its move, nil if it has none, and whether
// somebody wants what becomes of it.
type learned struct {
	item           string
	move           *compiledMove
	wanted, inData bool
}

// value is what a slot holds.
type value struct {
	kind     valueKind
	text     string // textValue, rawValue
	number   int64  // numberValue
	from, to int    // of list
}

type valueKind uint8

const (
	textValue   valueKind = iota
	numberValue           // a number
	rawValue              // JSON as it stands
	listValue             // a list of texts
	dataValue             // winlog.event_data
)

// datum is a member of winlog.event_data: a text, or a list of texts.
type datum struct {
	name, text string
	from, to   int // of list
	isList     bool
}

// NewMapper makes a Mapper.
func NewMapper() *Mapper {
	s := compile()
	m := &Mapper{schema: s, learned: make([][]learned, s.kinds)}
	for i := range m.wanted {
		m.wanted[i] = ^uint64(0)
	}
	return m
}

// NewSelectiveMapper makes a Mapper whose documents hold only fields that want
// agrees to. Such documents are for those who ask for these fields only; where
// something comes of one, a Mapper for all fields makes the document to keep.
func NewSelectiveMapper(want func(field string) bool) *Mapper {
	m := NewMapper()
	m.wanted = [len(m.wanted)]uint64{}
	for i, f := range m.schema.fields {
		if want(f.name) || isObjectList(f.name) {
			m.wanted[i/64] |= 1 << (i % 64)
		}
	}
	for _, b := range []int{bData, bUserData} {
		s := m.schema.base[b]
		m.wanted[s/64] |= 1 << (s % 64)
	}
	m.wantItem, m.items = want, map[itemKey]bool{}
	return m
}

// Append appends the ECS document of a record to dst: one JSON object, without a
// line feed. What it appends shares no memory with the record.
func (m *Mapper) Append(dst []byte, r *Record) []byte {
	m.reset()
	src := m.schema.find(r)
	k := src.byID[r.EventID]
	if k == nil {
		k = src.other
	}
	m.moveItems(r, src, k)
	moved := len(m.data)
	for i := range k.finish {
		k.finish[i].run(m, r, k.finish[i].to)
	}
	if m.wantItem != nil {
		m.selectData(moved, r.UserDataName != "")
	}
	m.lineage(&r.Lineage)
	older := m.base(r, src, k)
	if action := m.schema.base[bAction]; m.wanted[action/64]&(1<<(action%64)) == 0 {
		older = ""
	}
	return m.write(dst, older)
}

// find gives the source of a record.
func (s *schema) find(r *Record) *compiledSource {
	c := s.byName[r.Provider]
	if c == nil || c.channel != "" && !strings.EqualFold(c.channel, r.Channel) {
		return &s.others
	}
	return c
}

func (m *Mapper) reset() {
	m.used = [len(m.used)]uint64{}
	m.list, m.data, m.text = m.list[:0], m.data[:0], m.text[:0]
}

// moveItems takes the items of a record to their fields.
func (m *Mapper) moveItems(r *Record, src *compiledSource, k *compiledKind) {
	known := m.learned[k.number]
	for i := range r.Data {
		item := &r.Data[i]
		var l learned
		if i < len(known) && known[i].item == item.Name {
			l = known[i]
		} else {
			l = m.meet(item.Name, k, r.UserDataName != "")
			if i < maxLearned {
				m.learned[k.number] = learn(known, i, l)
				known = m.learned[k.number]
			}
		}
		if !l.wanted || src.nothing(item.Value) {
			continue
		}
		switch {
		case l.move == nil:
			m.data = append(m.data, datum{name: item.Name, text: item.Value})
		case l.inData:
			m.data = append(m.data, datum{name: l.move.kept, text: item.Value})
			fallthrough
		default:
			m.move(l.move, item.Value)
		}
	}
}

// meet gives what is to be known about an item.
func (m *Mapper) meet(item string, k *compiledKind, user bool) learned {
	l := learned{item: item, move: k.moves[item]}
	if l.move == nil {
		l.wanted = m.wantsItem(itemKey{user, item})
		return l
	}
	kept := l.move.kept != "" && m.wantsItem(itemKey{user, l.move.kept})
	l.inData = kept && l.move.how != asList
	l.wanted = kept
	for _, s := range l.move.to {
		l.wanted = l.wanted || m.wanted[s/64]&(1<<(s%64)) != 0
	}
	return l
}

const maxLearned = 64

func learn(known []learned, i int, l learned) []learned {
	for len(known) <= i {
		known = append(known, learned{})
	}
	l.item = strings.Clone(l.item)
	known[i] = l
	return known
}

// selectData keeps those of the data from number n on that somebody wants.
func (m *Mapper) selectData(n int, user bool) {
	for _, d := range m.data[n:] {
		if m.wantsItem(itemKey{user, d.name}) {
			m.data[n] = d
			n++
		}
	}
	m.data = m.data[:n]
}

// itemKey is the name of an item, of UserData or of EventData.
type itemKey struct {
	user bool
	name string
}

func (m *Mapper) wantsItem(key itemKey) bool {
	if m.wantItem == nil {
		return true
	}
	if wanted, ok := m.items[key]; ok {
		return wanted
	}
	object := "winlog.event_data."
	if key.user {
		object = "winlog.user_data."
	}
	wanted := m.wantItem(object + key.name)
	if len(m.items) < maxItems {
		m.items[itemKey{key.user, strings.Clone(key.name)}] = wanted
	}
	return wanted
}

// maxItems bounds the names of items that a Mapper remembers: a hostile log may have
// any number.
const maxItems = 10_000

// move reads the text of an item into the fields of its move. A text that means
// nothing fills no field.
func (m *Mapper) move(mv *compiledMove, s string) {
	if isNothing(s) {
		return
	}
	switch mv.how {
	case asText:
		m.setText(mv.to[0], s)
	case asNumber:
		if n, ok := parseNumber(s); ok {
			m.setNumber(mv.to[0], n)
		}
	case asFlag:
		if w := flagWord(s); w != "" {
			m.setRaw(mv.to[0], w)
		}
	case asIP:
		m.setText(mv.to[0], strings.TrimPrefix(s, "::ffff:"))
	case asProcess, asProgram:
		m.setText(mv.to[0], s)
		if name := baseName(s); name != "" && (mv.how == asProgram || len(name) < len(s)) {
			m.setText(mv.to[1], name)
		}
	case asFile:
		m.setFile(mv.to, s)
	case asCommand:
		m.setCommand(mv.to, s)
	case asQuoted:
		m.setText(mv.to[0], s)
		from := len(m.list)
		m.list = splitQuoted(m.list, s)
		m.setList(mv.to[1], from)
	case asHashes:
		m.setHashes(mv.to, s)
	case asAccount:
		if domain, name, ok := account(s); ok {
			m.setText(mv.to[0], domain)
			m.setText(mv.to[1], name)
			m.addTo(mv.to[2], name)
		}
	case asUserShort:
		s, _, _ = strings.Cut(s, "@")
		fallthrough
	case asUser, asHost:
		m.setText(mv.to[0], s)
		m.addTo(mv.to[1], s)
	case asMember:
		m.addTo(mv.to[0], s)
	case asList:
		from := len(m.list)
		m.list = appendWords(m.list, s)
		m.data = append(m.data, datum{name: mv.kept, from: from, to: len(m.list), isList: true})
	}
}

// clock writes instants, and remembers the last second it wrote.
type clock struct {
	sec  int64
	text []byte // 2006-01-02T15:04:05
}

// append appends an instant as event.Time's String has it.
func (c *clock) append(dst []byte, t event.Time) []byte {
	if c.text == nil || c.sec != t.Sec {
		c.sec, c.text = t.Sec, event.Time{Sec: t.Sec}.Std().AppendFormat(c.text[:0], "2006-01-02T15:04:05")
	}
	dst = append(append(dst, c.text...), '.')
	n, digits := t.Nsec, 9
	for digits > 3 && n%10 == 0 {
		n /= 10
		digits--
	}
	for unit := int32(pow10[digits-1]); unit > 0; unit /= 10 {
		dst = append(dst, byte('0'+n/unit%10))
	}
	return append(dst, 'Z')
}

var pow10 = [...]int32{1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000}
