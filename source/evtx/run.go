package evtx

// Running: a program and values make a record's fields and data.

import (
	"strconv"
	"unsafe"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/windows"
)

// run runs a program on the values from d.values[first] on.
func (d *Decoder) run(p *program, first int) Reason {
	if d.steps -= len(p.ops); d.steps < 0 {
		return TooMuch
	}
	for i := range p.ops {
		o := &p.ops[i]
		switch o.kind {
		case opSet:
			d.set(o, first)
		case opUserData:
			d.rec.UserDataName = o.name
		case opItem:
			if why := d.item(o, first); why != readable {
				return why
			}
		}
	}
	if len(d.arena) > maxText || d.steps < 0 {
		return TooMuch
	}
	return readable
}

// value gives a value of a template. One that the record lacks is null.
func (d *Decoder) value(first, index int) value {
	if index >= len(d.values)-first {
		return value{typ: typeNull}
	}
	return d.values[first+index]
}

func (d *Decoder) bytes(v value) []byte { return d.chunk[v.pos:][:v.size] }

// textFrom gives what was appended to the arena since. The arena grows by moving,
// which leaves earlier texts where they are.
func (d *Decoder) textFrom(start int) string {
	if start == len(d.arena) {
		return ""
	}
	return unsafe.String(&d.arena[start], len(d.arena)-start)
}

func (d *Decoder) text(typ valueType, b []byte) string {
	start := len(d.arena)
	d.arena = appendValue(d.arena, typ, b)
	return d.textFrom(start)
}

func (d *Decoder) item(o *op, first int) Reason {
	if len(d.arena) > maxText || len(d.rec.Data) > maxItems {
		return TooMuch
	}
	if o.counted {
		d.places++
	}
	name := o.name
	if o.named != nil {
		name = d.joined(o.named, first)
	}
	if o.only >= 0 {
		v := d.value(first, o.only)
		switch {
		case v.typ == typeXML && v.size > 0:
			return d.nested(v, o.inside)
		case v.typ&typeArray != 0:
			return d.list(o, name, v.typ&^typeArray, d.bytes(v))
		}
		d.add(o, name, d.text(v.typ, d.bytes(v)))
		return readable
	}
	for i := range o.parts {
		if o.parts[i].value < 0 {
			continue
		}
		if v := d.value(first, o.parts[i].value); v.typ == typeXML && v.size > 0 {
			if why := d.nested(v, o.inside); why != readable {
				return why
			}
		}
	}
	d.add(o, name, d.joined(o.parts, first))
	return readable
}

// nested reads a value that is binary XML.
func (d *Decoder) nested(v value, at place) Reason {
	if at.kind == inNothing {
		return readable
	}
	return d.fragment(int(v.pos), int(v.pos)+int(v.size), at, true)
}

// list adds an item for each element of an array, one without text for none.
func (d *Decoder) list(o *op, name string, typ valueType, b []byte) Reason {
	for {
		var element []byte
		element, b = cutElement(typ, b)
		d.add(o, name, d.text(typ, element))
		if len(b) == 0 {
			return readable
		}
		if d.steps--; d.steps < 0 || len(d.rec.Data) > maxItems {
			return TooMuch
		}
		if o.counted {
			d.places++
		}
	}
}

func (d *Decoder) add(o *op, name, text string) {
	if o.silent && text == "" {
		return
	}
	if name == "" {
		name = d.positionName()
	}
	d.rec.Data = append(d.rec.Data, windows.Item{Name: name, Value: text})
}

var positionNames = [...]string{
	"param1", "param2", "param3", "param4", "param5", "param6", "param7", "param8",
	"param9", "param10", "param11", "param12", "param13", "param14", "param15", "param16",
	"param17", "param18", "param19", "param20", "param21", "param22", "param23", "param24",
}

// positionName names what has no name.
func (d *Decoder) positionName() string {
	if n := d.places; n >= 1 && n <= len(positionNames) {
		return positionNames[n-1]
	}
	start := len(d.arena)
	d.arena = strconv.AppendInt(append(d.arena, "param"...), int64(d.places), 10)
	return d.textFrom(start)
}

// joined gives the text of parts. Elements of an array are set apart by commas.
func (d *Decoder) joined(parts []part, first int) string {
	if len(parts) == 1 && parts[0].value < 0 {
		return parts[0].text
	}
	start := len(d.arena)
	for i := range parts {
		p := &parts[i]
		if p.value < 0 {
			d.arena = append(d.arena, p.text...)
			continue
		}
		switch v := d.value(first, p.value); {
		case v.typ == typeXML:
		case v.typ&typeArray == 0:
			d.arena = appendValue(d.arena, v.typ, d.bytes(v))
		default:
			d.appendList(v.typ&^typeArray, d.bytes(v))
		}
		if d.steps--; d.steps < 0 || len(d.arena) > maxText {
			break
		}
	}
	return d.textFrom(start)
}

func (d *Decoder) appendList(typ valueType, b []byte) {
	for len(b) > 0 {
		var element []byte
		element, b = cutElement(typ, b)
		d.arena = appendValue(d.arena, typ, element)
		if len(b) > 0 {
			d.arena = append(d.arena, ", "...)
		}
		d.steps--
	}
}

// set sets a field of the record. A value that is null leaves it alone.
func (d *Decoder) set(o *op, first int) {
	if o.only < 0 {
		d.setFromText(o.field, d.joined(o.parts, first))
		return
	}
	v := d.value(first, o.only)
	typ, b := v.typ, d.bytes(v)
	if len(b) == 0 || typ == typeNull {
		return
	}
	if o.field < firstNumber {
		d.setText(o.field, d.text(typ, b))
		return
	}
	if n, ok := numeric(typ, b); ok && (o.field != fieldTime || typ == typeFileTime) {
		d.setNumber(o.field, n)
		return
	}
	d.setFromText(o.field, d.text(typ, b))
}

// setFromText sets a field from the text that the XML writes for it.
func (d *Decoder) setFromText(f field, text string) {
	switch {
	case text == "":
	case f < firstNumber:
		d.setText(f, text)
	case f == fieldTime:
		if t, ok := event.ParseTime(text); ok {
			d.rec.Time, d.rec.Timed = t, true
		}
	default:
		if v, ok := parseNumber([]byte(text)); ok {
			d.setNumber(f, v)
		}
	}
}

func (d *Decoder) setText(f field, text string) {
	r := &d.rec
	switch f {
	case fieldProvider:
		r.Provider = text
	case fieldProviderGUID:
		r.ProviderGUID = text
	case fieldChannel:
		r.Channel = text
	case fieldComputer:
		r.Computer = text
	case fieldUserID:
		r.UserID = text
	case fieldActivityID:
		r.ActivityID = text
	case fieldRelatedID:
		r.RelatedID = text
	case fieldMessage:
		r.Message = text
	case fieldLevelName:
		r.LevelName = text
	case fieldTaskName:
		r.TaskName = text
	case fieldOpcodeName:
		r.OpcodeName = text
	case fieldKeyword:
		r.KeywordSet = append(r.KeywordSet, text)
	}
}

func (d *Decoder) setNumber(f field, v uint64) {
	r := &d.rec
	switch f {
	case fieldEventID:
		r.EventID = uint32(v)
	case fieldVersion:
		r.Version = uint32(v)
	case fieldLevel:
		r.Level = uint32(v)
	case fieldTask:
		r.Task = uint32(v)
	case fieldOpcode:
		r.Opcode = uint32(v)
	case fieldKeywords:
		r.Keywords = v
	case fieldRecordID:
		r.RecordID = v
	case fieldTime:
		d.setTime(v)
	case fieldProcessID:
		r.ProcessID = uint32(v)
	case fieldThreadID:
		r.ThreadID = uint32(v)
	}
}
