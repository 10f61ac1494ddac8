package event_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/shrike-project/shrike/event"
)

func TestDocumentReadsLeniently(t *testing.T) {
	f := func(doc, want string) {
		t.Helper()
		got, err := json.Marshal(event.Document([]byte(doc)))
		if err != nil || string(got) != want {
			t.Errorf("%s: %s (%v), expected %s", doc, got, err, want)
		}
	}
	f(`{"a":{"b":[1,1.50,"x\u00e9",true,null,{}]}}`, `{"a":{"b":[1,1.50,"xé",true,null,{}]}}`)
	f(`{"a":1,"a":2}`, `{"a":[1,2]}`)
	f(`{"a":{"b":1},"a":{"b":2,"c":3}}`, `{"a":{"b":[1,2],"c":3}}`)
	f(`{"a":{"b":1},"a":"x"}`, `{"a":[{"b":1},"x"]}`)
	f(`{"a":"C:\Windows\x"}`, `{"a":"C:\\Windows\\x"}`)
	f(`{"a":tru,"b":01}`, `{"a":"tru","b":"01"}`)
	f(`{"a":[1 2}`, `{"a":[1,2]}`)
	f("{\"a\":\"\xff\x01\"}", "{\"a\":\"\ufffd\\u0001\"}")
	f(`{"a":"x`, `{"a":"x"}`)
	f(`{"a":`, `{"a":null}`)
	f(`[1]`, `null`)
	f(strings.Repeat(`{"a":`, 5000), strings.Repeat(`{"a":`, 1001)+"null"+strings.Repeat("}", 1001))
}

func TestDocumentAgreesWithEncodingJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := []byte(randomObject(t, 3))
		var want map[string]any
		dec := json.NewDecoder(strings.NewReader(string(doc)))
		dec.UseNumber()
		if err := dec.Decode(&want); err != nil {
			t.Fatal(err)
		}
		flat, _ := oracle(doc)
		for _, values := range flat {
			if len(values) > 1 {
				return // perhaps duplicate keys, of which a map keeps one
			}
		}
		if hasDuplicates(doc) {
			return
		}
		if got := event.Document(doc); !reflect.DeepEqual(got, want) {
			t.Fatalf("%s: %v, encoding/json has %v", doc, got, want)
		}
	})
}

// hasDuplicates reports whether some object of a document names a member twice.
func hasDuplicates(doc []byte) bool {
	dec := json.NewDecoder(strings.NewReader(string(doc)))
	var walk func() bool
	walk = func() bool {
		tok, _ := dec.Token()
		seen := map[any]bool{}
		twice := false
		for d, ok := tok.(json.Delim); ok && dec.More(); {
			if d == '{' {
				key, _ := dec.Token()
				twice = twice || seen[key]
				seen[key] = true
			}
			twice = walk() || twice
		}
		if _, ok := tok.(json.Delim); ok {
			_, _ = dec.Token()
		}
		return twice
	}
	return walk()
}

func FuzzDocument(f *testing.F) {
	for _, s := range []string{`{"a":[1,{"b":"\u00e9"}]}`, `{"a":1,"a":{}}`, `{"a`, `{[}]:"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		if _, err := json.Marshal(event.Document(doc)); err != nil {
			t.Fatal(err)
		}
	})
}
