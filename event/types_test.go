package event_test

import (
	"strings"
	"testing"

	"github.com/shrike-project/shrike/event"
)

func TestTypesLookup(t *testing.T) {
	f := func(field string, want event.Type, known bool) {
		t.Helper()
		if got, ok := event.DefaultTypes().Lookup(field); got != want || ok != known {
			t.Errorf("%s is %s (known %v), expected %s (known %v)", field, got, ok, want, known)
		}
	}
	f("process.command_line", event.Wildcard, true)
	f("process.pid", event.LongType, true)
	f("process.name", event.Keyword, true)
	f("process.name.caseless", event.Keyword, true)
	f("process.code_signature.trusted", event.Boolean, true)
	f("destination.ip", event.IPType, true)
	f("event.ingested", event.DateType, true)
	f("my.own.field", event.Unknown, false)
}

func TestExtendTypes(t *testing.T) {
	f := func(text, wantErr string) *event.Types {
		t.Helper()
		types, err := event.DefaultTypes().Extend(strings.NewReader(text), "types.txt")
		switch {
		case wantErr == "" && err != nil:
			t.Errorf("%q: %v", text, err)
		case wantErr != "" && (err == nil || !strings.Contains(err.Error(), wantErr)):
			t.Errorf("%q: error %v, expected %q", text, err, wantErr)
		}
		return types
	}
	types := f("# mine\nmy.version version\n\n[ip]\nmy.address\nprocess.pid keyword\n", "")
	for field, want := range map[string]event.Type{"my.version": event.VersionType, "my.address": event.IPType, "process.pid": event.Keyword, "process.name": event.Keyword} {
		if got, _ := types.Lookup(field); got != want {
			t.Errorf("%s is %s, expected %s", field, got, want)
		}
	}
	f("a keyword\nb strange\n", "types.txt:2: unknown field type \"strange\"")
	f("a\n", "types.txt:1: field \"a\" has no type")
	f("a b c\n", "types.txt:1: expected a field and its type")
}
