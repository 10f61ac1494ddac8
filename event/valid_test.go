package event_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/shrike-project/shrike/event"
)

func TestValid(t *testing.T) {
	f := func(doc string, want event.Reason, offset int) {
		t.Helper()
		err := event.Valid([]byte(doc))
		switch {
		case want == "" && err != nil:
			t.Errorf("%q: %v", doc, err)
		case want != "" && (err == nil || err.Reason != want || err.Offset != offset):
			t.Errorf("%q: %v, expected %s at byte %d", doc, err, want, offset)
		}
	}
	f(` {"a":[1,-0.5e+3,{"b":null,"c":[]},true,false,"\u00e9\n"],"d":{}} `, "", 0)
	f(`{}`, "", 0)
	f(``, event.NotAnObject, 0)
	f(` [1]`, event.NotAnObject, 1)
	f(`{"a":1}{`, event.TrailingData, 7)
	f(`{"a":1`, event.Truncated, 6)
	f(`{"a":"x`, event.Truncated, 7)
	f(`{"a":1,}`, event.InvalidJSON, 7)
	f(`{"a" 1}`, event.InvalidJSON, 5)
	f(`{"a":01}`, event.InvalidJSON, 6)
	f(`{"a":[1}`, event.InvalidJSON, 7)
	f(`{a:1}`, event.InvalidJSON, 1)
	f("{\"a\":\"x\ty\"}", event.InvalidJSON, 7)
	f(`{"a":"\x"}`, event.InvalidJSON, 7)
	f("{\"a\":\"\xff\"}", event.InvalidJSON, 6)
	f(`{"a":`+strings.Repeat("[", event.MaxDepth)+"1", event.TooDeep, 5+event.MaxDepth-1)
	f(`{"a":`+strings.Repeat("[", event.MaxDepth-1)+strings.Repeat("]", event.MaxDepth-1)+"}", "", 0)
}

// FuzzValid holds Valid to encoding/json.
func FuzzValid(f *testing.F) {
	for _, seed := range []string{`{"a":[1,-0.5e+3,{"b":null}],"d":"\u00e9\\\""}`, `{"a":1} x`, "{\"a\":\"\xff\"}", `{"0123456789abcdef":"0123456789\"abcdef"}`, `{"a":-}`, `[]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		want := json.Valid(doc) && utf8.Valid(doc) && bytes.HasPrefix(bytes.TrimLeft(doc, " \t\r\n"), []byte("{"))
		err := event.Valid(doc)
		if err != nil && err.Reason == event.TooDeep {
			return
		}
		if (err == nil) != want {
			t.Errorf("%q: %v, encoding/json says %v", doc, err, want)
		}
	})
}

func BenchmarkValid(b *testing.B) {
	doc := []byte(`{"@timestamp":"2026-03-02T09:06:46.022Z","event":{"category":["process"],"type":["start"],"code":1},"host":{"name":"WS-0147","os":{"type":"windows"}},"process":{"executable":"C:\\Users\\jdoe\\AppData\\Local\\Temp\\updater.exe","command_line":"C:\\Users\\jdoe\\AppData\\Local\\Temp\\updater.exe /silent /install","pid":4711,"hash":{"sha256":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}}}`)
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if event.Valid(doc) != nil {
			b.Fatal("refused")
		}
	}
}
