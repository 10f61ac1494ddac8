package windows_test

import (
	"strings"
	"testing"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/windows"
)

func profile(t *testing.T, name string) windows.Profile {
	t.Helper()
	for _, p := range windows.Profiles() {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("no profile %s", name)
	return windows.Profile{}
}

func TestProfiles(t *testing.T) {
	f := func(name, category, field string, want bool) {
		t.Helper()
		p := profile(t, name)
		if got := p.Supplies(category, field); got != want {
			t.Errorf("%s supplies %s of %s events: %v", name, field, category, got)
		}
	}
	f("sysmon", "process", "process.command_line", true)
	f("sysmon", "process", "process.code_signature.trusted", false)
	f("sysmon", "process", "process.Ext.ancestry", true)
	f("sysmon", "process", "registry.path", false)
	f("sysmon", "registry", "registry.data.strings", true)
	f("sysmon", "network", "dns.answers.data", true)
	f("sysmon", "network", "destination.ip", true)
	f("sysmon", "any", "registry.path", true)
	f("sysmon", "library", "dll.name", false)
	f("security", "process", "process.parent.name", true)
	f("security", "process", "process.hash.sha256", false)
	f("security", "process", "winlog.event_data.TokenElevationType", true)
	f("security", "authentication", "source.ip", true)
	f("powershell", "process", "powershell.file.script_block_text", true)
	f("defend", "process", "process.code_signature.trusted", true)
}

// TestProfilesHold: no event of the recordings has a field of the schema that its
// profile denies.
func TestProfilesHold(t *testing.T) {
	t.Parallel()
	m, p := windows.NewMapper(), new(windows.Parser)
	profiles := windows.Profiles()
	denied := map[string]bool{}
	events := 0
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
				pr := &profiles[i]
				if len(pr.Datasets) != 1 || pr.Datasets[0] != fields["event.dataset"] || fields["event.category"] == nil {
					continue
				}
				category := fields["event.category"].([]any)[0].(string)
				for name := range fields {
					if strings.HasPrefix(name, "winlog.") || strings.HasPrefix(name, "(older)") || pr.Supplies(category, name) {
						continue
					}
					denied[pr.Name+" "+category+" "+name] = true
				}
			}
		})
	}
	for name := range denied {
		t.Errorf("in an event, but not in the profile: %s", name)
	}
}

// TestSelectiveMapper: a Mapper for some fields writes the same values.
func TestSelectiveMapper(t *testing.T) {
	want := map[string]bool{"process.name": true, "process.args": true, "winlog.event_data.IntegrityLevel": true, "event.category": true}
	m := windows.NewSelectiveMapper(func(field string) bool { return want[field] })
	r := record("Microsoft-Windows-Sysmon", 1, 5, "Image", `C:\a.exe`, "CommandLine", "a b", "IntegrityLevel", "High", "LogonId", "0x1")
	got := string(m.Append(nil, r))
	if got != `{"event":{"category":["process"]},"process":{"args":["a","b"],"name":"a.exe"},"winlog":{"event_data":{"IntegrityLevel":"High"}}}` {
		t.Error(got)
	}
}
