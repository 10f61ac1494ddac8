package sequence

// Keys: the values of join keys as one string, equal for equal keys.

import (
	"encoding/binary"
	"math"
	"net/netip"
	"strconv"

	"github.com/shrike-project/shrike/event"
)

// MaxKeys bounds under how many keys one event takes part in one item. Only an
// event with several long lists among its key fields can reach it.
const MaxKeys = 4096

// KeyList holds keys. Its memory is used again after Reset.
type KeyList struct {
	text []byte // of all keys, one after another
	ends []int  // where in it each ends
}

// Reset forgets all keys.
func (l *KeyList) Reset() { l.text, l.ends = l.text[:0], l.ends[:0] }

// Len tells how many keys there are.
func (l *KeyList) Len() int { return len(l.ends) }

// At gives a key, until Reset.
func (l *KeyList) At(i int) []byte {
	from := 0
	if i > 0 {
		from = l.ends[i-1]
	}
	return l.text[from:l.ends[i]]
}

// Text gives the keys one after another, until Reset.
func (l *KeyList) Text() []byte { return l.text }

// AppendTo appends all keys to list. Text is that of the KeyList, in memory that holds as
// long as the keys do.
func (l *KeyList) AppendTo(list []string, text string) []string {
	from := 0
	for _, end := range l.ends {
		list = append(list, text[from:end])
		from = end
	}
	return list
}

// Keys appends to list the keys under which an event takes part in an item: one
// for each combination of its values, none if an ordinary key field is missing.
func (p *Plan) Keys(ev *event.Event, item int, list *KeyList) {
	keys, from := p.items[item].keys, len(list.text)
	for i := range keys { // one value each, as nearly always
		k := &keys[i]
		if text, ok := ev.Text(k.field); ok {
			list.text = appendText(append(list.text, byte(event.String)), text)
			continue
		}
		values := ev.Values(k.field)
		switch {
		case len(values) == 1:
			list.text = appendValue(list.text, values[0])
		case len(values) > 1:
			list.text = list.text[:from]
			list.combine(keys, ev)
			return
		case k.optional:
			list.text = appendValue(list.text, event.Value{})
		default:
			list.text = list.text[:from]
			return
		}
	}
	list.ends = append(list.ends, len(list.text))
}

// Keyed reports whether an event has keys for an item.
func (p *Plan) Keyed(ev *event.Event, item int) bool {
	for i := range p.items[item].keys {
		if k := &p.items[item].keys[i]; !k.optional && !ev.Has(k.field) {
			return false
		}
	}
	return true
}

// combine appends the keys of an event that has several values of a field.
func (l *KeyList) combine(keys []key, ev *event.Event) {
	values := make([][]event.Value, len(keys))
	for i, k := range keys {
		values[i] = distinct(ev.Values(k.field))
		if len(values[i]) == 0 {
			if !k.optional {
				return
			}
			values[i] = []event.Value{{}}
		}
	}
	at := make([]int, len(keys))
	for range MaxKeys {
		for i := range keys {
			l.text = appendValue(l.text, values[i][at[i]])
		}
		l.ends = append(l.ends, len(l.text))
		// The last key varies fastest.
		i := len(keys) - 1
		for ; i >= 0; i-- {
			if at[i]++; at[i] < len(values[i]) {
				break
			}
			at[i] = 0
		}
		if i < 0 {
			break
		}
	}
}

// KeyFields tells what an item is joined by: it is the same for items that give every
// event the same keys.
func (p *Plan) KeyFields(item int) string {
	var b []byte
	for _, k := range p.items[item].keys {
		b = binary.AppendUvarint(b, uint64(k.field))
		b = strconv.AppendBool(b, k.optional)
	}
	return string(b)
}

// Key gives the key that some values make.
func Key(values ...event.Value) string {
	var b []byte
	for _, v := range values {
		b = appendValue(b, v)
	}
	return string(b)
}

// distinct gives the values without repeats.
func distinct(values []event.Value) []event.Value {
	if len(values) < 2 || fewTexts(values) {
		return values
	}
	out := make([]event.Value, 0, len(values))
	seen := make(map[string]bool, len(values))
	for _, v := range values {
		k := Key(v)
		if !seen[k] {
			seen[k] = true
			out = append(out, v)
		}
	}
	return out
}

// fewTexts reports whether values are a few texts, each there once.
func fewTexts(values []event.Value) bool {
	if len(values) > 16 {
		return false
	}
	for i, v := range values {
		if v.Kind() != event.String {
			return false
		}
		for _, w := range values[:i] {
			if v.Str() == w.Str() {
				return false
			}
		}
	}
	return true
}

// appendValue encodes a value so that equal ones, and only those, give the same
// bytes. A whole number is the same as a long and as a double.
func appendValue(b []byte, v event.Value) []byte {
	kind := v.Kind()
	if f := v.Float(); kind == event.Double && f == math.Trunc(f) && math.Abs(f) < 1<<63 {
		kind, v = event.Long, event.LongValue(int64(f))
	}
	b = append(b, byte(kind))
	switch kind {
	case event.String, event.Version:
		b = appendText(b, v.Str())
	case event.Bool:
		b = append(b, v.Text()[0])
	case event.Long:
		b = binary.AppendVarint(b, v.Long())
	case event.Double:
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v.Float()))
	case event.Date:
		b = binary.AppendVarint(b, v.Time().Sec)
		b = binary.AppendUvarint(b, uint64(v.Time().Nsec))
	case event.IP:
		a := v.Addr().As16()
		b = append(b, a[:]...)
	}
	return b
}

// appendText encodes a text so that one can tell where it ends.
func appendText[T string | []byte](b []byte, text T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// KeyValues gives the values that make up a key, in the order of the query; nulls
// for optional keys that were missing.
func KeyValues(key string) []event.Value {
	var list []event.Value
	for b := []byte(key); len(b) > 0; {
		var v event.Value
		v, b = takeValue(b)
		list = append(list, v)
	}
	return list
}

func takeValue(b []byte) (event.Value, []byte) {
	kind := event.Kind(b[0])
	b = b[1:]
	switch kind {
	case event.String, event.Version:
		n, size := binary.Uvarint(b)
		text := string(b[size : size+int(n)])
		b = b[size+int(n):]
		if kind == event.Version {
			return event.VersionValue(text), b
		}
		return event.StringValue(text), b
	case event.Bool:
		return event.BoolValue(b[0] == 't'), b[1:]
	case event.Long:
		n, size := binary.Varint(b)
		return event.LongValue(n), b[size:]
	case event.Double:
		return event.DoubleValue(math.Float64frombits(binary.LittleEndian.Uint64(b))), b[8:]
	case event.Date:
		sec, size := binary.Varint(b)
		b = b[size:]
		nsec, size := binary.Uvarint(b)
		return event.DateValue(event.Time{Sec: sec, Nsec: int32(nsec)}), b[size:]
	case event.IP:
		return event.IPValue(netip.AddrFrom16([16]byte(b[:16]))), b[16:]
	}
	return event.Value{}, b
}
