package sequence

// Keys: the values of join keys as one string, equal for equal keys.

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"net/netip"
	"strconv"

	"github.com/shrike-project/shrike/event"
)

// MaxKeys bounds under how many keys one event takes part in one item. Only an
// event with several long lists among its key fields can reach it.
const MaxKeys = 4096

// Keys appends to list the keys under which an event takes part in an item: one
// for each combination of its values, none if an ordinary key field is missing.
func (p *Plan) Keys(ev *event.Event, item int, list []string) []string {
	keys := p.items[item].keys
	var memory [128]byte
	b := memory[:0]
	for i, k := range keys { // one value each, as nearly always
		values := ev.Values(k.field)
		if len(values) > 1 {
			break
		}
		if len(values) == 1 {
			b = appendValue(b, values[0])
		} else if b = appendValue(b, event.Value{}); !k.optional {
			return list
		}
		if i == len(keys)-1 {
			return append(list, string(b))
		}
	}
	values := make([][]event.Value, len(keys))
	for i, k := range keys {
		values[i] = distinct(ev.Values(k.field))
		if len(values[i]) == 0 {
			if !k.optional {
				return list
			}
			values[i] = []event.Value{{}}
		}
	}
	at := make([]int, len(keys))
	for range MaxKeys {
		var b []byte
		for i := range keys {
			b = appendValue(b, values[i][at[i]])
		}
		list = append(list, string(b))
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
	return list
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

// KeyHashes appends to list the hashes of the keys that Keys gives. Scratch is memory
// for the work, and is returned.
func (p *Plan) KeyHashes(ev *event.Event, item int, seed maphash.Seed, list []uint64, scratch []byte) ([]uint64, []byte) {
	scratch = scratch[:0]
	for _, k := range p.items[item].keys {
		values := ev.Values(k.field)
		switch {
		case len(values) == 1:
			scratch = appendValue(scratch, values[0])
		case len(values) == 0 && k.optional:
			scratch = appendValue(scratch, event.Value{})
		case len(values) == 0:
			return list, scratch
		default: // several keys
			for _, key := range p.Keys(ev, item, nil) {
				list = append(list, maphash.String(seed, key))
			}
			return list, scratch
		}
	}
	return append(list, maphash.Bytes(seed, scratch)), scratch
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
	if len(values) < 2 {
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
		b = binary.AppendUvarint(b, uint64(len(v.Str())))
		b = append(b, v.Str()...)
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
