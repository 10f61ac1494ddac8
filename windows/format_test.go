package windows_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/windows"
)

// shapes hold one start of a process in each shape that can say it.
var shapes = map[windows.Format]string{
	windows.Flat: `{"SourceName":"Microsoft-Windows-Security-Auditing","ProviderGuid":"{54849625-5478-4994-a5ba-3e3b0328c30d}","Keywords":"0x8020000000000000","Channel":"security","Hostname":"WS-1","TimeCreated":"2024-03-05T06:07:08.123Z","EventID":4688,"Task":"13312",
		"SubjectUserName":"bob","NewProcessId":"0x11cc","NewProcessName":"C:\\Windows\\System32\\whoami.exe","ProcessId":"0x10","CommandLine":"whoami /all"}`,
	windows.Winlogbeat6: `{"@timestamp":"2024-03-05T06:07:08.123Z","@metadata":{"beat":"winlogbeat"},"event_id":4688,"log_name":"Security","source_name":"Microsoft-Windows-Security-Auditing","computer_name":"WS-1","keywords":["Audit Success"],"task":"Process Creation",
		"event_data":{"SubjectUserName":"bob","NewProcessId":"0x11cc","NewProcessName":"C:\\Windows\\System32\\whoami.exe","ProcessId":"0x10","CommandLine":"whoami /all"}}`,
	windows.Winlogbeat: `{"@timestamp":"2024-03-05T06:07:08.123Z","event":{"code":"4688","kind":"event"},"host":{"name":"collector"},"winlog":{"channel":"Security","computer_name":"WS-1","event_id":"4688","keywords":["Audit Success"],"provider_name":"Microsoft-Windows-Security-Auditing",
		"event_data":{"SubjectUserName":"bob","NewProcessId":"0x11cc","NewProcessName":"C:\\Windows\\System32\\whoami.exe","ProcessId":"0x10","CommandLine":"whoami /all"}}}`,
	windows.Azure: `{"TenantId":"x","TimeGenerated":"2024-03-05T06:07:08.123Z","Computer":"WS-1","EventSourceName":"Microsoft-Windows-Security-Auditing","Channel":"Security","Task":13312,"EventID":4688,"Activity":"4688 - A new process","Type":"SecurityEvent",
		"EventData":"<EventData><Data Name=\"SubjectUserName\">bob</Data><Data Name=\"NewProcessId\">0x11cc</Data><Data Name=\"NewProcessName\">C:\\Windows\\System32\\whoami.exe</Data><Data Name=\"ProcessId\">0x10</Data><Data Name=\"CommandLine\">whoami /all</Data></EventData>"}`,
	windows.EvtxDump: `{"Event":{"#attributes":{"xmlns":"x"},"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Security-Auditing","Guid":"54849625-5478-4994-A5BA-3E3B0328C30D"}},"EventID":4688,"Task":13312,"Keywords":"0x8020000000000000","TimeCreated":{"#attributes":{"SystemTime":"2024-03-05T06:07:08.123Z"}},"Channel":"Security","Computer":"WS-1"},
		"EventData":{"SubjectUserName":"bob","NewProcessId":"0x11cc","NewProcessName":"C:\\Windows\\System32\\whoami.exe","ProcessId":"0x10","CommandLine":"whoami /all"}}}`,
	windows.GetWinEvent: `{"Id":4688,"Version":2,"Task":13312,"Keywords":-9214364837600034816,"ProviderName":"Microsoft-Windows-Security-Auditing","ProviderId":"54849625-5478-4994-a5ba-3e3b0328c30d","LogName":"Security","MachineName":"WS-1","UserId":null,"TimeCreated":"/Date(1709618828123)/","KeywordsDisplayNames":["Audit Success"],
		"Properties":[{"Value":{"BinaryLength":12,"Value":"S-1-5-18"}},{"Value":"bob"},{"Value":"-"},{"Value":999},{"Value":4556},{"Value":"C:\\Windows\\System32\\whoami.exe"},{"Value":"%%1936"},{"Value":16},{"Value":"whoami /all"}]}`,
	windows.EvtxExport: `{"record_id":7,"event_id":4688,"channel":"Security","provider":"Microsoft-Windows-Security-Auditing","computer":"WS-1","time":"2024-03-05T06:07:08.123000000Z",
		"data":{"SubjectUserName":"bob","NewProcessId":"0x00000000000011cc","NewProcessName":"C:\\Windows\\System32\\whoami.exe","ProcessId":"0x0000000000000010","CommandLine":"whoami /all"}}`,
}

func TestShapes(t *testing.T) {
	p := new(windows.Parser)
	for _, f := range windows.Formats() {
		doc, ok := shapes[f]
		if !ok && f != windows.Native {
			t.Errorf("no document of shape %v", f)
		}
		if !ok {
			continue
		}
		if got := windows.Recognise([]byte(doc)); got != f {
			t.Errorf("%v: recognised as %v", f, got)
		}
		if named, ok := windows.FormatOf(f.String()); !ok || named != f || f.About() == "" {
			t.Errorf("%v: its name stands for %v", f, named)
		}
		var r windows.Record
		if err := p.Parse([]byte(doc), f, &r); err != nil {
			t.Errorf("%v: %v", f, err)
			continue
		}
		for field, want := range map[string]string{
			"@timestamp": "2024-03-05T06:07:08.123Z", "event.code": "4688", "event.category": "process", "event.type": "start",
			"process.pid": "4556", "process.parent.pid": "16", "process.name": "whoami.exe", "process.args": "whoami; /all",
			"user.name": "bob", "host.name": "WS-1", "winlog.channel": "Security", "event.dataset": "system.security",
		} {
			if got := values(t, &r, field); got != want {
				t.Errorf("%v: %s is %q, want %q", f, field, got, want)
			}
		}
	}
}

// TestNative: events, and what is no record at all, are left alone.
func TestNative(t *testing.T) {
	for _, doc := range []string{
		`{"@timestamp":"2024-03-05T06:07:08.123Z","ecs":{"version":"8.10.0"},"winlog":{"event_id":"1"}}`,
		`{"@timestamp":"2024-03-05T06:07:08.123Z","event":{"category":["process"],"code":"1"},"winlog":{"event_id":"1"}}`,
		`{"message":"x","host":{"name":"a"},"process":{"name":"b"}}`,
		`{"_index":"logs-x","_source":{"winlog":{}}}`,
		`{"eventVersion":"1.08","eventSource":"s3.amazonaws.com"}`,
		`{"event_id":"abc","what":1}`, `{"Event":"x"}`, `{}`, `[]`, ``, `{"a`, `{"a":`, `{"a":}`,
	} {
		if f := windows.Recognise([]byte(doc)); f != windows.Native {
			t.Errorf("%s: recognised as %v", doc, f)
		}
		var r windows.Record
		if err := new(windows.Parser).Parse([]byte(doc), windows.Native, &r); !errors.Is(err, windows.ErrFormat) {
			t.Errorf("%s: %v", doc, err)
		}
	}
}

// TestNXLogTraps: local time, renamed data, the collector's own members.
func TestNXLogTraps(t *testing.T) {
	doc := `{"EventTime":"2020-09-22 04:22:29","EventReceivedTime":"2020-09-22 04:22:32","@timestamp":"2020-09-22T08:22:33.171Z","SourceModuleType":"im_msvistalog","Keywords":-9223372036854775808,
		"EventType":"INFO","EventTypeOrignal":"SetValue","Domain":"NT AUTHORITY","AccountName":"SYSTEM","UserID":"S-1-5-18","Opcode":"Info","Category":"Registry value set (rule: RegistryEvent)","tags":["x"],"host":"wec","port":1,
		"Channel":"Microsoft-Windows-Sysmon/Operational","SourceName":"Microsoft-Windows-Sysmon","EventID":13,"Hostname":"WS-1","ProcessGuid":"{00000000-0000-0000-0000-00000000000A}","Message":"Registry value set:\r\nProcessId: 77\r\nImage: x","TargetObject":"HKLM\\A\\B","Details":"x"}`
	var r windows.Record
	if err := new(windows.Parser).Parse([]byte(doc), windows.Native, &r); err != nil {
		t.Fatal(err)
	}
	for field, want := range map[string]string{
		"@timestamp": "2020-09-22T08:22:29.000Z", "process.pid": "77", "winlog.event_data.EventType": "SetValue",
		"winlog.event_data.Domain": "", "user.id": "S-1-5-18", "winlog.task": "Registry value set (rule: RegistryEvent)", "registry.value": "B",
	} {
		if got := values(t, &r, field); got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
}

// FuzzParse: no bytes make a Parser panic, and what it reads becomes valid JSON.
func FuzzParse(f *testing.F) {
	for _, doc := range shapes {
		f.Add([]byte(doc), uint8(0))
	}
	f.Add([]byte(`{"EventID":1,"UtcTime":"2020-01-01 00:00:00.000","QueryResults":"type:  5 a;::1;","Hashes":"MD5=00,SHA1=ab"}`), uint8(1))
	f.Fuzz(func(t *testing.T, doc []byte, format uint8) {
		p := new(windows.Parser)
		var r windows.Record
		if p.Parse(doc, windows.Format(format%uint8(len(windows.Formats()))), &r) != nil {
			return
		}
		windows.NewHistory(4).Complete(&r)
		out := windows.NewMapper().Append(nil, &r)
		if !json.Valid([]byte(strings.ToValidUTF8(string(out), "?"))) {
			t.Fatalf("invalid JSON %q of %q", out, doc)
		}
		var ev event.Event
		if err := event.NewDecoder(event.NewFieldSet(nil), "").Decode(out, &ev); err != nil {
			t.Fatalf("%v in %q", err, out)
		}
	})
}

func BenchmarkRecogniseNative(b *testing.B) {
	doc := []byte(`{"@timestamp":"2026-03-02T10:02:41.117Z","message":"Endpoint process event","ecs":{"version":"8.10.0"},"data_stream":{"type":"logs","dataset":"endpoint.events.process","namespace":"default"},"process":{"pid":9120}}`)
	for b.Loop() {
		if windows.Recognise(doc) != windows.Native {
			b.Fatal("not native")
		}
	}
}

func BenchmarkParseEvtxDump(b *testing.B) {
	doc := []byte(shapes[windows.EvtxDump])
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	p := new(windows.Parser)
	var r windows.Record
	for b.Loop() {
		if err := p.Parse(doc, windows.Native, &r); err != nil {
			b.Fatal(err)
		}
	}
}
