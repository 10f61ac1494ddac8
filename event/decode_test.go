package event_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/shrike-project/shrike/event"
)

// decode gives the values of some fields of a document as "kind:text".
func decode(t testing.TB, doc string, names ...string) ([][]string, error) {
	t.Helper()
	set := event.NewFieldSet(nil)
	for _, n := range names {
		set.Add(n)
	}
	var ev event.Event
	err := event.NewDecoder(set, "").Decode([]byte(doc), &ev)
	out := make([][]string, len(names))
	for i, n := range names {
		f, _ := set.Lookup(n)
		for _, v := range ev.Values(f) {
			out[i] = append(out[i], v.Kind().String()+":"+v.Text())
		}
	}
	return out, err
}

func TestDecodeFields(t *testing.T) {
	f := func(doc, field string, want ...string) {
		t.Helper()
		got, err := decode(t, doc, field)
		if err != nil {
			t.Errorf("%s: %v", doc, err)
		}
		if !slices.Equal(got[0], want) {
			t.Errorf("%s: %s is %q, expected %q", doc, field, got[0], want)
		}
	}
	// Nested and dotted names are the same field.
	f(`{"process":{"name":"a"}}`, "process.name", "keyword:a")
	f(`{"process.name":"a"}`, "process.name", "keyword:a")
	f(`{"process":{"parent.name":"a"}}`, "process.parent.name", "keyword:a")
	f(`{"process.parent":{"name":"a"}}`, "process.parent.name", "keyword:a")
	f(`{"process":{"name":"a"},"process.name":"b"}`, "process.name", "keyword:a", "keyword:b")
	f(`{"process":{"name":"a","name":"b"}}`, "process.name", "keyword:a", "keyword:b")
	f(`{"process":{"name":{"x":"a"}}}`, "process.name")
	f(`{"process":"a"}`, "process.name")
	f(`{"p.":{"":1},"":{"x":2},".":3}`, "process.name")
	f(`{"pro\u0063ess":{"na\u006de":"a"}}`, "process.name", "keyword:a")
	// Arrays flatten, nulls vanish.
	f(`{"process":{"args":["a",["b",null],[],"c"]}}`, "process.args", "keyword:a", "keyword:b", "keyword:c")
	f(`{"process":[{"name":"a"},{"name":["b","c"]},null,7]}`, "process.name", "keyword:a", "keyword:b", "keyword:c")
	f(`{"process":{"args":[null]}}`, "process.args")
	f(`{"process":{"args":null}}`, "process.args")
	// Types of known fields.
	f(`{"process":{"pid":"443"}}`, "process.pid", "long:443")
	f(`{"process":{"pid":443.7}}`, "process.pid", "long:443")
	f(`{"process":{"pid":"x"}}`, "process.pid")
	f(`{"process":{"pid":true}}`, "process.pid")
	f(`{"process":{"pid":""}}`, "process.pid")
	f(`{"process":{"pid":1e3}}`, "process.pid", "long:1000")
	f(`{"process":{"pid":18446744073709551615}}`, "process.pid", "double:1.8446744073709552E19")
	f(`{"process":{"name":443}}`, "process.name", "keyword:443")
	f(`{"process":{"name":1.50}}`, "process.name", "keyword:1.50")
	f(`{"process":{"name":false}}`, "process.name", "keyword:false")
	f(`{"process":{"code_signature":{"trusted":"true"}}}`, "process.code_signature.trusted", "boolean:true")
	f(`{"process":{"code_signature":{"trusted":1}}}`, "process.code_signature.trusted")
	f(`{"source":{"ip":"10.0.0.1"}}`, "source.ip", "ip:10.0.0.1")
	f(`{"source":{"ip":"::ffff:10.0.0.1"}}`, "source.ip", "ip:10.0.0.1")
	f(`{"source":{"ip":"-"}}`, "source.ip")
	f(`{"@timestamp":"2026-01-01T00:00:00.123456Z"}`, "@timestamp", "date:1767225600123")
	f(`{"@timestamp":1767225600123}`, "@timestamp", "date:1767225600123")
	f(`{"@timestamp":"1767225600123"}`, "@timestamp", "date:1767225600123")
	// Types of unknown fields are those of their values.
	f(`{"x":{"y":[1,1.5,"1",true,99999999999999999999]}}`, "x.y", "long:1", "double:1.5", "keyword:1", "boolean:true", "double:99999999999999999999")
	f(`{"x":{"y":`+strings.Repeat("9", 400)+`}}`, "x.y", "keyword:"+strings.Repeat("9", 400))
	// Multi-fields read their parent.
	f(`{"process":{"name":"CMD.exe"}}`, "process.name.caseless", "keyword:cmd.exe")
	f(`{"process":{"name":"CMD.exe"}}`, "process.name.text", "keyword:CMD.exe")
	f(`{"my":{"field":"A"}}`, "my.field.keyword", "keyword:A")
	f(`{"my":{"field":{"keyword":"A"}}}`, "my.field.keyword", "keyword:A")
	// A field of that very name is not taken for a multi-field.
	f(`{"process":{"io":{"text":"A"}}}`, "process.io.text", "keyword:A")
	// Escapes, broken UTF-8, control characters.
	f(`{"process":{"name":"a\\b\"c\/\u00e9\ud83d\ude00\n"}}`, "process.name", "keyword:a\\b\"c/é😀\n")
	f(`{"process":{"name":"\ud800x"}}`, "process.name", "keyword:\uFFFDx")
	f("{\"process\":{\"name\":\"a\xff\xfeb\x00\"}}", "process.name", "keyword:a\uFFFD\uFFFDb\x00")
	f(`{"process":{"name":"C:\Windows"}}`, "process.name", `keyword:C:\Windows`)
	// A search hit stands for its source.
	f(`{"_index":"i","_id":"1","_source":{"process":{"name":"a"}}}`, "process.name", "keyword:a")
}

func TestDecodeRefusals(t *testing.T) {
	f := func(doc string, want event.Reason) {
		t.Helper()
		_, err := decode(t, doc, "process.name", "process.args")
		var e *event.Error
		if !errors.As(err, &e) || e.Reason != want {
			t.Errorf("%.80q: %v, expected %s", doc, err, want)
		}
	}
	f("", event.NotAnObject)
	f("  ", event.NotAnObject)
	f("[]", event.NotAnObject)
	f("null", event.NotAnObject)
	f(`{"process":{"name":"a"`, event.Truncated)
	f(`{"process":{"name":"a`, event.Truncated)
	f(`{"process":{"na`, event.Truncated)
	f(`{"x":[{"y":"`, event.Truncated)
	f(`{"process":`, event.Truncated)
	f(`{`, event.Truncated)
	f(`{"process"}`, event.InvalidJSON)
	f(`{"process":{"name":tru}}`, event.InvalidJSON)
	f(`{"process":{"name":01}}`, event.InvalidJSON)
	f(`{"process":{"name":"a",}}`, event.InvalidJSON)
	f(`{"process":{"args":["a" "b"]}}`, event.InvalidJSON)
	f(`{"process":}`, event.InvalidJSON)
	f(`{"x":}`, event.InvalidJSON)
	f(`{process:1}`, event.InvalidJSON)
	f(`{} x`, event.TrailingData)
	f(`{}{}`, event.TrailingData)
	f(`{"x":`+strings.Repeat("[", 10000)+strings.Repeat("]", 10000)+`}`, event.TooDeep)
	f(`{"process":{"args":`+strings.Repeat("[", 10000)+strings.Repeat("]", 10000)+`}}`, event.TooDeep)
	f(`{"x":`+strings.Repeat(`{"x":`, 10000)+`1`+strings.Repeat("}", 10001), event.TooDeep)
}

func TestDecodeReusesTheEvent(t *testing.T) {
	set := event.NewFieldSet(nil)
	name := set.Add("process.name")
	d := event.NewDecoder(set, "")
	var ev event.Event
	for i, doc := range []string{
		`{"@timestamp":"2026-01-01T00:00:00.123456789Z","process":{"name":["a","b"]}}`, `{"process":{"name":"c"}}`, `{}`, `{"process":{"name":"a`, `{"_index":"i","_id":"7","_source":{"process":{"name":"d"}}}`,
	} {
		_ = d.Decode([]byte(doc), &ev)
		when, timed := ev.Time()
		got := fmt.Sprintf("%d %d %s %v %d %s %s %s", i, len(ev.Values(name)), ev.First(name).Text(), timed, when.Nsec, ev.Index, ev.ID, ev.Source)
		want := []string{
			`0 2 a true 123456789   ` + doc, `1 1 c false 0   ` + doc, `2 0 null false 0   {}`, `3 0 null false 0   `, `4 1 d false 0 i 7 {"process":{"name":"d"}}`,
		}[i]
		if got != want {
			t.Errorf("%s\ngot  %s\nwant %s", doc, got, want)
		}
	}
}

func TestUnreadableValuesAreCounted(t *testing.T) {
	set := event.NewFieldSet(nil)
	pid := set.Add("process.pid")
	set.Add("source.ip")
	var ev event.Event
	if err := event.NewDecoder(set, "").Decode([]byte(`{"process":{"pid":["x",7]},"source":{"ip":"nowhere"}}`), &ev); err != nil {
		t.Fatal(err)
	}
	if ev.Unreadable != 2 || len(ev.Values(pid)) != 1 {
		t.Errorf("%d unreadable, %d values", ev.Unreadable, len(ev.Values(pid)))
	}
}

// oracle flattens a document with encoding/json.
func oracle(doc []byte) (map[string][]string, error) {
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber()
	out := map[string][]string{}
	if err := oracleObject(dec, nil, out); err != nil {
		return nil, err
	}
	return out, nil
}

// oracleObject reads tokens, for a map would lose duplicate keys.
func oracleObject(dec *json.Decoder, path []string, out map[string][]string) error {
	tok, err := dec.Token()
	if err != nil {
		return err
	}
	name := strings.Join(path, ".")
	switch tok := tok.(type) {
	case json.Delim:
		for dec.More() {
			inner := path
			if tok == '{' {
				key, err := dec.Token()
				if err != nil {
					return err
				}
				inner = append(slices.Clone(path), key.(string))
			}
			if err := oracleObject(dec, inner, out); err != nil {
				return err
			}
		}
		_, err := dec.Token()
		return err
	case string:
		out[name] = append(out[name], "s:"+tok)
	case json.Number:
		out[name] = append(out[name], "n:"+tok.String())
	case bool:
		out[name] = append(out[name], "b:"+strconv.FormatBool(tok))
	}
	return nil
}

// oracleFields are fields nobody knows, so that values keep their JSON kind.
var oracleFields = []string{"a", "a.b", "a.b.c", "b", "b.a", "c.a.b"}

// checkAgainstOracle compares the decoder with encoding/json.
func checkAgainstOracle(t interface{ Fatalf(string, ...any) }, doc []byte) {
	set := event.NewFieldSet(event.NewTypes(nil))
	for _, f := range oracleFields {
		set.Add(f)
	}
	var ev event.Event
	err := event.NewDecoder(set, "t").Decode(doc, &ev)
	want, oerr := oracle(doc)
	if oerr != nil {
		return
	}
	if err != nil {
		var e *event.Error
		if errors.As(err, &e) && (e.Reason == event.TooDeep || e.Reason == event.TrailingData || e.Reason == event.NotAnObject) {
			return
		}
		t.Fatalf("encoding/json reads %q, but: %v", doc, err)
	}
	if len(want["_source"]) > 0 || bytes.Contains(doc, []byte("_source")) || bytes.Contains(doc, []byte(`\u`)) && bytes.Contains(doc, []byte("ource")) {
		return // a search hit
	}
	for _, name := range oracleFields {
		f, _ := set.Lookup(name)
		var got []string
		for _, v := range ev.Values(f) {
			switch v.Kind() {
			case event.String:
				if v.Natural() && isHuge(v.Str(), want[name]) {
					got = append(got, "n:"+v.Text())
					continue
				}
				got = append(got, "s:"+v.Text())
			case event.Bool:
				got = append(got, "b:"+v.Text())
			default:
				got = append(got, "n:"+v.Text())
			}
		}
		if !slices.Equal(got, want[name]) {
			t.Fatalf("%q: field %s is %q, encoding/json has %q", doc, name, got, want[name])
		}
	}
}

// isHuge reports whether text is a number too large for a double, which the
// decoder keeps as text.
func isHuge(s string, want []string) bool { return slices.Contains(want, "n:"+s) }

func TestDecodeAgainstEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := randomObject(t, 3)
		checkAgainstOracle(t, []byte(doc))
	})
}

func randomObject(t *rapid.T, depth int) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range rapid.IntRange(0, 4).Draw(t, "members") {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(space(t) + rapid.SampledFrom([]string{`"a"`, `"b"`, `"c"`, `"a.b"`, `"b.a"`, `"a.b.c"`, `"\u0061"`, `"x"`, `"a."`, `"."`, `""`}).Draw(t, "key") + space(t) + ":" + space(t))
		b.WriteString(randomValue(t, depth) + space(t))
	}
	b.WriteByte('}')
	return b.String()
}

func space(t *rapid.T) string {
	return rapid.SampledFrom([]string{"", "", "", " ", "\n\t", "\r\n"}).Draw(t, "space")
}

func randomValue(t *rapid.T, depth int) string {
	n := 9
	if depth == 0 {
		n = 7
	}
	switch rapid.IntRange(0, n).Draw(t, "kind") {
	case 0:
		return "null"
	case 1:
		return rapid.SampledFrom([]string{"true", "false"}).Draw(t, "bool")
	case 2, 3:
		return rapid.SampledFrom([]string{"0", "-1", "1.5", "1e3", "-0.0", "12345678901234567890", "1E-7"}).Draw(t, "number")
	case 8:
		return randomObject(t, depth-1)
	case 9:
		var parts []string
		for range rapid.IntRange(0, 3).Draw(t, "elements") {
			parts = append(parts, randomValue(t, depth-1))
		}
		return "[" + strings.Join(parts, ",") + "]"
	}
	text, _ := json.Marshal(rapid.StringOf(rapid.RuneFrom([]rune{'a', '"', '\\', 'é', '😀', '\n', '{', '}', ']', '\u2028'})).Draw(t, "string"))
	return string(text)
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{`{"a":1}`, `{"a":{"b":["x",{"c":null}]},"a.b":"\u00e9"}`, `{"a":"`, `{"a":[[[[`, `{"_source":{"a":1}}`, `{}{}`, "{\"a\":\"\xff\"}", `{"a":1e999}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) { checkAgainstOracle(t, doc) })
}
