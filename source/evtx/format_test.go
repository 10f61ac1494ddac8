package evtx_test

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/shrike-project/shrike/source/evtx"
	"github.com/shrike-project/shrike/windows"
)

func text(s string) val            { return val{typ: 0x01, data: utf16le(s)} }
func raw(typ byte, b ...byte) val  { return val{typ: typ, data: b} }
func u16(typ byte, v uint16) val   { return val{typ: typ, data: le.AppendUint16(nil, v)} }
func u32(typ byte, v uint32) val   { return val{typ: typ, data: le.AppendUint32(nil, v)} }
func u64(typ byte, v uint64) val   { return val{typ: typ, data: le.AppendUint64(nil, v)} }
func xml(w func(*chunkWriter)) val { return val{typ: 0x21, write: w} }

var (
	guidBytes = []byte{0x5f, 0x38, 0x70, 0x57, 0x2a, 0xc2, 0xe0, 0x43, 0xbf, 0x4c, 0x06, 0xf5, 0x69, 0x8f, 0xfb, 0xd9}
	sidBytes  = []byte{1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0}
)

// event makes an Event with the usual head and the given body.
func event(body ...any) node {
	return el("Event", append([]any{el("System",
		el("Provider").with("Name", "Test-Provider").with("Guid", sub(0)),
		el("EventID", sub(1)), el("Channel", "Test/Operational"), el("Computer", "host"))}, body...)...)
}

var eventHead = []val{raw(0x0f, guidBytes...), u16(0x06, 4711)}

// one reads a log of one record made of a template.
func one(t *testing.T, root node, vals ...val) windows.Record {
	t.Helper()
	w := newChunk(1)
	w.record(func(w *chunkWriter) { w.instance(&templateDef{1, root}, vals...) })
	return only(t, w)
}

func only(t *testing.T, w *chunkWriter) windows.Record {
	t.Helper()
	d := evtx.NewDecoder()
	d.Report = func(l evtx.Loss) { t.Error(l) }
	all := read(t, d, logOf(w.seal(nil)))
	if len(all) != 1 || d.Stats().Damaged != 0 {
		t.Fatalf("%d records, stats %+v", len(all), d.Stats())
	}
	return all[0]
}

func wantData(t *testing.T, r windows.Record, pairs ...string) {
	t.Helper()
	var want []windows.Item
	for i := 0; i < len(pairs); i += 2 {
		want = append(want, windows.Item{Name: pairs[i], Value: pairs[i+1]})
	}
	if !reflect.DeepEqual(r.Data, want) {
		t.Errorf("data %q\nwant %q", r.Data, want)
	}
}

func TestSystem(t *testing.T) {
	r := one(t, el("Event", el("System",
		el("Provider").with("Name", "P").with("Guid", sub(0)),
		el("EventID", sub(1)).with("Qualifiers", sub(2)), el("Version", sub(3)), el("Level", sub(3)), el("Task", sub(1)),
		el("Opcode", sub(3)), el("Keywords", sub(4)), el("TimeCreated").with("SystemTime", sub(5)), el("EventRecordID", sub(6)),
		el("Correlation").with("ActivityID", opt(0)).with("RelatedActivityID", opt(2)),
		el("Execution").with("ProcessID", sub(7)).with("ThreadID", sub(7)),
		el("Channel", "C"), el("Computer", sub(8)), el("Security").with("UserID", opt(9)))).with("xmlns", "urn:x"),
		raw(0x0f, guidBytes...), u16(0x06, 4624), raw(0x00), raw(0x04, 2), u64(0x15, 0x8020000000000000),
		u64(0x11, fileTime2024+1234567), u64(0x0a, 77), u32(0x08, 632), text("host.example"), raw(0x13, sidBytes...))
	want := windows.Record{Provider: "P", ProviderGUID: "{5770385F-C22A-43E0-BF4C-06F5698FFBD9}", Channel: "C", Computer: "host.example",
		EventID: 4624, Version: 2, Level: 2, Task: 4624, Opcode: 2, Keywords: 0x8020000000000000, RecordID: 77,
		Time: r.Time, Timed: true, ProcessID: 632, ThreadID: 632, UserID: "S-1-5-32-544",
		ActivityID: "{5770385F-C22A-43E0-BF4C-06F5698FFBD9}"}
	if !reflect.DeepEqual(r, want) {
		t.Errorf("%+v\nwant %+v", r, want)
	}
	if got := r.Time.String(); got != "2024-01-01T00:00:00.1234567Z" {
		t.Errorf("time %s", got)
	}
}

func TestValues(t *testing.T) {
	f := func(v val, want string) {
		t.Helper()
		r := one(t, event(el("EventData", el("Data", opt(2)).with("Name", "x"))), append(eventHead[:2:2], v)...)
		wantData(t, r, "x", want)
	}
	f(raw(0x00), "")
	f(text(""), "")
	f(text("C:\\Windows\\x.exe  "), "C:\\Windows\\x.exe  ")
	f(text("ends in zeros\x00\x00"), "ends in zeros")
	f(text("Ä 日本語 𝄞 mixed with plain text"), "Ä 日本語 𝄞 mixed with plain text")
	f(raw(0x01, 'a', 0, 0x1e, 0xd8, 'b', 0), "a\uFFFDb")
	f(raw(0x01, 'a', 0, 0x1e, 0xd8), "a\uFFFD")
	f(raw(0x02, 'a', 0xe4, 0), "aä")
	f(raw(0x02, []byte("ä")...), "ä")
	f(raw(0x03, 0xff), "-1")
	f(raw(0x04, 0xff), "255")
	f(u16(0x05, 0x8000), "-32768")
	f(u16(0x06, 0x8000), "32768")
	f(u32(0x07, 0xffffffff), "-1")
	f(u32(0x08, 0xffffffff), "4294967295")
	f(u64(0x09, math.MaxUint64), "-1")
	f(u64(0x0a, math.MaxUint64), "18446744073709551615")
	f(u32(0x0b, math.Float32bits(1.5)), "1.5")
	f(u64(0x0c, math.Float64bits(-0.1)), "-0.1")
	f(u32(0x0d, 1), "true")
	f(u32(0x0d, 0), "false")
	f(raw(0x0e, 0xde, 0xad, 0x01), "DEAD01")
	f(raw(0x0f, guidBytes...), "{5770385F-C22A-43E0-BF4C-06F5698FFBD9}")
	f(u32(0x10, 0x1000), "0x1000")
	f(u64(0x11, fileTime2024), "2024-01-01T00:00:00.0000000Z")
	f(u64(0x11, 0), "1601-01-01T00:00:00.0000000Z")
	f(raw(0x12, 0xe8, 7, 2, 0, 4, 0, 29, 0, 23, 0, 59, 0, 58, 0, 0xe7, 3), "2024-02-29T23:59:58.9990000Z")
	f(raw(0x13, sidBytes...), "S-1-5-32-544")
	f(raw(0x13, 1, 0, 0, 0, 0, 0, 0, 0), "S-1-0")
	f(u32(0x14, 0x1f4d), "0x1f4d")
	f(u64(0x15, 0x13f4d), "0x13f4d")
	f(u64(0x15, 0), "0x0")
	f(u64(0x20, 0x2a), "0x2a")
	f(raw(0x0f, 1, 2, 3), "010203") // no GUID has three bytes
	f(raw(0x13, 1, 9, 0, 0, 0, 0, 0, 5), "0109000000000005")
	f(raw(0x77, 1, 2), "0102")
}

func TestUnnamedData(t *testing.T) {
	r := one(t, event(el("EventData", el("Data", sub(2)), el("Data", sub(3)), el("Data"), el("Data", "fixed").with("Name", "known"),
		el("Binary", sub(4)), el("Data", sub(5)))), append(eventHead[:2:2],
		val{typ: 0x81, data: utf16le("Stopped\x00Available\x00\x00last\x00")}, raw(0x00), raw(0x0e, 0xca, 0xfe), u32(0x88, 7))...)
	wantData(t, r, "param1", "Stopped", "param2", "Available", "param3", "", "param4", "last", "param5", "", "param6", "",
		"known", "fixed", "Binary", "CAFE", "param9", "7")
}

func TestArrays(t *testing.T) {
	f := func(v val, want ...string) {
		t.Helper()
		r := one(t, event(el("EventData", el("Data", sub(2)).with("Name", "x"), el("Data", "[", sub(2), "]").with("Name", "y"))),
			append(eventHead[:2:2], v)...)
		var pairs []string
		for _, w := range want {
			pairs = append(pairs, "x", w)
		}
		wantData(t, r, append(pairs, "y", "["+strings.Join(want, ", ")+"]")...)
	}
	f(val{typ: 0x86, data: []byte{1, 0, 2, 0}}, "1", "2")
	f(val{typ: 0x82, data: []byte("ab\x00c\x00")}, "ab", "c")
	f(val{typ: 0x93, data: append(append([]byte{}, sidBytes...), sidBytes...)}, "S-1-5-32-544", "S-1-5-32-544")
	f(val{typ: 0x95, data: make([]byte, 8)}, "0x0")
	f(val{typ: 0x81, data: utf16le("no zero")}, "no zero")
	f(val{typ: 0x86, data: []byte{1, 0, 2}}, "1", "2") // cut, and read as the byte it is
}

func TestMixedText(t *testing.T) {
	r := one(t, event(el("EventData", el("Data", "a ", entity("lt"), entity("amp"), entity("odd"), charRef(228), cdata("<c>"), sub(2), opt(3), " z").
		with("Name", "x"), el("Data", "v").with("Name", sub(2)))), append(eventHead[:2:2], u16(0x06, 9), raw(0x00))...)
	wantData(t, r, "x", "a <&&odd;ä<c>9 z", "9", "v")
}

func TestUserData(t *testing.T) {
	r := one(t, event(el("UserData", el("FileCleared", el("Name", sub(2)), el("Who", el("Sid", "S"), el("Deep", el("est", "d"))).with("kind", "k"),
		el("Empty"), el("Data", "v").with("Name", "named")).with("xmlns", "urn:y").with("xmlns:q", "urn:q"))), append(eventHead[:2:2], text("n"))...)
	if r.UserDataName != "FileCleared" {
		t.Errorf("element %q", r.UserDataName)
	}
	wantData(t, r, "Name", "n", "Who.kind", "k", "Who.Sid", "S", "Who.Deep.est", "d", "Empty", "", "named", "v")
}

func TestRendering(t *testing.T) {
	r := one(t, event(el("RenderingInfo", el("Message", sub(2)), el("Level", "Information"), el("Task", "Logon"), el("Opcode", "Info"),
		el("Channel", "shown"), el("Keywords", el("Keyword", "Audit Success"), el("Keyword", "other"))).with("Culture", "en-US")),
		append(eventHead[:2:2], text("An account"))...)
	if r.Message != "An account" || r.LevelName != "Information" || r.TaskName != "Logon" || r.OpcodeName != "Info" ||
		!reflect.DeepEqual(r.KeywordSet, []string{"Audit Success", "other"}) || r.Channel != "Test/Operational" || len(r.Data) != 0 {
		t.Errorf("%+v", r)
	}
}

// TestValueXML has the body as a value: a template, XML written out in the layout
// of values, and in the layout of templates.
func TestValueXML(t *testing.T) {
	body := el("EventData", el("Data", "v").with("Name", "x"))
	def := &templateDef{2, el("EventData", el("Data", sub(0)).with("Name", "x"))}
	for name, write := range map[string]func(*chunkWriter){
		"template":        func(w *chunkWriter) { w.instance(def, text("v")) },
		"written out":     func(w *chunkWriter) { w.fragment(body, true) },
		"like a template": func(w *chunkWriter) { w.fragment(body, false) },
	} {
		t.Run(name, func(t *testing.T) {
			r := one(t, event(sub(2)), append(eventHead[:2:2], xml(write))...)
			if r.EventID != 4711 || r.Provider != "Test-Provider" {
				t.Errorf("%+v", r)
			}
			wantData(t, r, "x", "v")
		})
	}
	deep := one(t, event(el("EventData", el("Data", sub(2)).with("Name", "x"))), append(eventHead[:2:2],
		xml(func(w *chunkWriter) { w.fragment(el("Inner", "i"), true) }))...)
	wantData(t, deep, "x.Inner", "i")
}

func TestWrittenOut(t *testing.T) {
	w := newChunk(5)
	w.record(func(w *chunkWriter) {
		w.fragment(el("Event", el("System", el("Provider").with("Name", "P"), el("EventID", "300"), el("Keywords", "0x80"),
			el("TimeCreated").with("SystemTime", "2020-02-03T04:05:06.7Z")), el("EventData", el("Data", "v").with("Name", "x"))), false)
	})
	r := only(t, w)
	if r.Provider != "P" || r.EventID != 300 || r.Keywords != 0x80 || r.RecordID != 5 || r.Time.String() != "2020-02-03T04:05:06.700Z" {
		t.Errorf("%+v", r)
	}
	wantData(t, r, "x", "v")
}

// TestTemplatesAreTakenByContent has two templates with one GUID in two chunks, and
// one template in two layouts, as its names are known in the second chunk.
func TestTemplatesAreTakenByContent(t *testing.T) {
	first := &templateDef{1, event(el("EventData", el("Data", sub(2)).with("Name", "aa")))}
	other := &templateDef{1, event(el("EventData", el("Data", sub(2)).with("Name", "bb")))}
	names := &templateDef{9, el("Event", el("EventData", el("Data", "first").with("Name", "aa")))}
	var chunks [][]byte
	for i, defs := range [][]*templateDef{{first}, {other}, {names, first, first}} {
		w := newChunk(uint64(1 + 10*i))
		for _, def := range defs {
			w.record(func(w *chunkWriter) { w.instance(def, append(eventHead[:2:2], text("v"))...) })
		}
		chunks = append(chunks, w.seal(nil))
	}
	d := evtx.NewDecoder()
	var got []string
	for range 2 {
		for _, r := range read(t, d, logOf(chunks...)) {
			got = append(got, r.Data[0].Name+r.Data[0].Value)
		}
	}
	want := strings.Fields(strings.Repeat("aav bbv aafirst aav aav ", 2))
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestBombs reads what would unfold without end.
func TestBombs(t *testing.T) {
	deep := el("x", "y")
	for range 100 {
		deep = el("x", deep)
	}
	wide := el("EventData")
	for range 600 {
		wide.kids = append(wide.kids, el("Data", sub(0)))
	}
	wideDef := &templateDef{3, el("Event", wide)}
	again := &templateDef{4, el("UserData", el("X", sub(0), sub(0), sub(0), sub(0)))}
	var nest func(w *chunkWriter, depth int)
	nest = func(w *chunkWriter, depth int) {
		if depth == 0 {
			w.instance(again, text("t"))
			return
		}
		w.instance(again, xml(func(w *chunkWriter) { nest(w, depth-1) }))
	}
	f := func(name string, why evtx.Reason, write func(*chunkWriter)) {
		t.Run(name, func(t *testing.T) {
			w := newChunk(1)
			w.record(write)
			d := evtx.NewDecoder()
			var lost []evtx.Loss
			d.Report = func(l evtx.Loss) { lost = append(lost, l) }
			if all := read(t, d, logOf(w.seal(nil))); len(all) != 0 {
				t.Errorf("%d records", len(all))
			}
			want := []evtx.Loss{{RecordID: 1, Offset: 4096 + 512, Reason: why}}
			if s := d.Stats(); !reflect.DeepEqual(lost, want) || s.Lost[why] != 1 || s.LostRecords() != 1 {
				t.Errorf("lost %v, stats %+v, want %v", lost, s, want)
			}
		})
	}
	f("elements", evtx.TooDeep, func(w *chunkWriter) { w.fragment(deep, false) })
	f("elements of a template", evtx.TooDeep, func(w *chunkWriter) { w.instance(&templateDef{1, deep}) })
	f("values in values", evtx.TooDeep, func(w *chunkWriter) { nest(w, 20) })
	f("values many times", evtx.TooMuch, func(w *chunkWriter) { w.instance(wideDef, text(strings.Repeat("long", 2000))) })
	f("lists many times", evtx.TooMuch, func(w *chunkWriter) { w.instance(wideDef, raw(0x84, make([]byte, 4000)...)) })
	long := el("EventData")
	for range 900 {
		long.kids = append(long.kids, el(strings.Repeat("long", 500)))
	}
	f("long names", evtx.TooMuch, func(w *chunkWriter) { w.instance(&templateDef{5, el("Event", long)}) })
	f("XML many times", evtx.TooMuch, func(w *chunkWriter) {
		w.instance(wideDef, xml(func(w *chunkWriter) { w.fragment(el("x", strings.Repeat("long", 3000)), true) }))
	})
	f("no template", evtx.BadTemplate, func(w *chunkWriter) {
		w.bytes(0x0c, 1, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0, 0, 0)
	})
	f("values behind the end", evtx.BadValues, func(w *chunkWriter) {
		w.instance(wideDef, text("v"))
		w.b[len(w.b)-6] = 0xff
	})
	f("no XML", evtx.BadXML, func(w *chunkWriter) { w.bytes(0x77) })
}

// TestNotEVTX tells other files from logs.
func TestNotEVTX(t *testing.T) {
	for _, log := range []string{"", "E", "{}", strings.Repeat("no log ", 2000)} {
		if _, err := evtx.Open(strings.NewReader(log), int64(len(log))); !errors.Is(err, evtx.ErrNotEVTX) {
			t.Errorf("%.10q: error %v", log, err)
		}
		if evtx.Is([]byte(log)) {
			t.Errorf("%.10q passes for a log", log)
		}
	}
	log := logOf()
	if f, err := evtx.Open(strings.NewReader(string(log)), int64(len(log))); err != nil || f.Chunks() != 0 || !evtx.Is(log) {
		t.Errorf("an empty log: %v", err)
	}
}

// TestDecodeAllocatesNothing decodes a chunk whose templates are known.
func TestDecodeAllocatesNothing(t *testing.T) {
	def := &templateDef{1, event(el("EventData", el("Data", sub(2)).with("Name", "x"), el("Data", sub(0)).with("Name", "y"), el("Data", sub(1))))}
	w := newChunk(1)
	for range 50 {
		w.record(func(w *chunkWriter) { w.instance(def, append(eventHead[:2:2], text("some text"))...) })
	}
	c := evtx.Chunk{Bytes: w.seal(nil)}
	d := evtx.NewDecoder()
	each := func(*windows.Record) error { return nil }
	if n := testing.AllocsPerRun(20, func() { _ = d.Decode(c, each) }); n != 0 {
		t.Errorf("%v allocations a chunk", n)
	}
	if s := d.Stats(); s.Records != 21*50 {
		t.Errorf("stats %+v", s)
	}
}

// TestCallbackEnds hands the callback's error on.
func TestCallbackEnds(t *testing.T) {
	w := newChunk(1)
	for range 3 {
		w.record(func(w *chunkWriter) { w.fragment(el("Event"), false) })
	}
	stop := errors.New("stop")
	n := 0
	err := evtx.NewDecoder().Decode(evtx.Chunk{Bytes: w.seal(nil)}, func(*windows.Record) error {
		if n++; n == 2 {
			return stop
		}
		return nil
	})
	if err != stop || n != 2 {
		t.Errorf("error %v after %d records", err, n)
	}
}
