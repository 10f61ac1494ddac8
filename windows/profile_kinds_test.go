package windows_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/windows"
)

func kindOf(p *windows.Profile, code string) *windows.ProfileKind {
	for i := range p.Kinds {
		if k := &p.Kinds[i]; k.Code == code || k.Code == "" {
			return k
		}
	}
	return nil
}

func TestProfileKinds(t *testing.T) {
	f := func(profileName, code, field string, want bool) {
		t.Helper()
		p := profile(t, profileName)
		if got := kindOf(&p, code).Supplies(field); got != want {
			t.Errorf("%s %s supplies %s: %v", profileName, code, field, got)
		}
	}
	f("sysmon", "1", "process.parent.command_line", true)
	f("sysmon", "5", "process.command_line", false)
	f("sysmon", "8", "process.parent.command_line", false)
	f("sysmon", "8", "winlog.event_data.StartFunction", true)
	f("sysmon", "8", "winlog.event_data.Nonsense", false)
	f("sysmon", "4711", "winlog.event_data.Nonsense", true)
	f("sysmon", "22", "dns.answers.data", true)
	f("security", "4688", "process.parent.name", true)
	f("security", "4688", "process.code_signature.trusted", false)
	sysmon := profile(t, "sysmon")
	if k := kindOf(&sysmon, "1"); !reflect.DeepEqual(k.Always["event.type"], []string{"start"}) || k.Always["event.code"][0] != "1" {
		t.Errorf("kind 1: %v", k.Always)
	}
	if k := kindOf(&sysmon, "4711"); !slices.Contains(k.OtherCodes, "1") || k.Always["event.category"] != nil {
		t.Errorf("other kinds: %v", k)
	}
}

// TestProfileKindsHold: every event of the recordings is as its kind says.
func TestProfileKindsHold(t *testing.T) {
	t.Parallel()
	m, p := windows.NewMapper(), new(windows.Parser)
	profiles := windows.Profiles()
	wrong := map[string]int{}
	events, judged := 0, 0
	for _, file := range sharedFiles(t, "windows-json/*.json.gz") {
		if strings.Contains(file, "metasploit_comsvcs") {
			continue // 89 MB of what the others have too
		}
		lines(t, read(t, file), func(doc []byte) {
			var r windows.Record
			if err := p.Parse(doc, windows.Native, &r); err != nil {
				t.Fatal(err)
			}
			if events++; events%7 != 0 {
				return
			}
			fields := fieldsOf(event.Document(m.Append(nil, &r)))
			for i := range profiles {
				if slices.Contains(profiles[i].Providers, r.Provider) {
					judged++
					for _, w := range deviations(kindOf(&profiles[i], fmt.Sprint(r.EventID)), fields) {
						wrong[profiles[i].Name+" "+fmt.Sprint(r.EventID)+" "+w]++
					}
				}
			}
		})
	}
	if judged < 1000 {
		t.Errorf("only %d events judged", judged)
	}
	for w, n := range wrong {
		t.Errorf("%s (%d)", w, n)
	}
}

// deviations tells what a kind denies of an event.
func deviations(k *windows.ProfileKind, fields map[string]any) []string {
	var out []string
	values := func(name string) []string {
		var list []string
		switch v := fields[name].(type) {
		case nil:
		case []any:
			for _, e := range v {
				list = append(list, fmt.Sprint(e))
			}
		default:
			list = append(list, fmt.Sprint(v))
		}
		if older := fields["(older) "+name]; older != nil {
			list = append(list, fmt.Sprint(older))
		}
		return list
	}
	for name, want := range k.Always {
		if got := values(name); !slices.Equal(got, want) {
			out = append(out, fmt.Sprintf("%s is always %q, got %q", name, want, got))
		}
	}
	for name, among := range k.OneOf {
		for _, v := range values(name) {
			fits := func(pattern string) bool {
				before, after, open := strings.Cut(pattern, "*")
				return pattern == v || open && strings.HasPrefix(v, before) && strings.Contains(v, strings.TrimSuffix(after, "*)"))
			}
			if !slices.ContainsFunc(among, fits) {
				out = append(out, fmt.Sprintf("%s is one of %q, got %q", name, among, v))
			}
		}
	}
	for name := range fields {
		if !strings.HasPrefix(name, "(older)") && !k.Supplies(name) {
			out = append(out, name+" is not supplied")
		}
	}
	return out
}
