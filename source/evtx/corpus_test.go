package evtx_test

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/shrike-project/shrike/source/evtx"
	"github.com/shrike-project/shrike/windows"
)

const data = "../../../shared/data/"

// logs gives the logs of the shared data by name.
func logs(t testing.TB) map[string][]byte {
	t.Helper()
	names, _ := filepath.Glob(data + "evtx/*.evtx")
	if len(names) == 0 {
		t.Skip("the recorded logs are not there: " + data + "evtx")
	}
	all := map[string][]byte{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(name), ".evtx")] = b
	}
	return all
}

// unpack gives the files of an archive of the shared data by name.
func unpack(t testing.TB, name string) map[string][]byte {
	t.Helper()
	f, err := os.Open(data + name)
	if err != nil {
		t.Skip("the archive is not there: " + data + name)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]byte{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if all[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

// read reads a log and hands over copies of its records.
func read(t testing.TB, d *evtx.Decoder, log []byte) []windows.Record {
	t.Helper()
	f, err := evtx.Open(bytes.NewReader(log), int64(len(log)))
	if err != nil {
		t.Fatal(err)
	}
	var all []windows.Record
	err = f.Records(d, func(r *windows.Record) error {
		all = append(all, clone(r))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func clone(r *windows.Record) windows.Record {
	c := *r
	for _, s := range []*string{&c.Provider, &c.ProviderGUID, &c.Channel, &c.Computer, &c.UserID, &c.ActivityID, &c.RelatedID,
		&c.UserDataName, &c.Message, &c.TaskName, &c.OpcodeName, &c.LevelName} {
		*s = strings.Clone(*s)
	}
	c.Data = nil
	for _, item := range r.Data {
		c.Data = append(c.Data, windows.Item{Name: strings.Clone(item.Name), Value: strings.Clone(item.Value)})
	}
	return c
}

// decoded is a record as evtxexport reads it.
type decoded struct {
	RecordID uint64            `json:"record_id"`
	EventID  uint32            `json:"event_id"`
	Channel  string            `json:"channel"`
	Provider string            `json:"provider"`
	Computer string            `json:"computer"`
	Time     string            `json:"time"`
	UserSID  *string           `json:"user_sid"`
	Data     map[string]string `json:"data"`
}

// records of each log as the data's description has them.
var counts = map[string]int{
	"ID1-12-13-Wdigest_authentication_activation": 3, "ID1-CMD_executed_via_sticky_key_call": 2,
	"ID1-LSASS_dump_with_LSASSY_SYSMON_": 14, "ID1-WMIexec_process_execution": 1,
	"ID4688-4698_Persistent_scheduled_task_with_SYSTEM_privileges_creation": 4, "ID4688-Audit_policy_clear_attempt": 2,
	"ID4688-BITS_transfer_initiated": 2, "ID4688-Certutil_download": 2, "ID4688-Clear_event_log_attempt_native_": 28,
	"ID4688-Defender_critical_features_disabled_command_": 9, "ID4688-Delete_VSS_backup_WMI_": 3,
	"ID4688-Edge_payload_download_via_command": 7, "ID4688-Encoded_PowerShell_MSF_payload_via_process_execution": 59,
	"ID4688-Group_discovery_via_commandline": 3, "ID4688-IFM_created": 5, "ID4688-Service_created_command_": 2,
	"ID4688-User_creation_via_commandline": 9, "ID4688-netsh_helper_DLL": 2,
	"ID4688_4697_5140-5145_PSexec_remote_execution_admin_share": 30, "Security_short_selected": 7,
	"new-user-security": 4, "post-Security": 126, "sysmon": 358,
}

// TestAgreesWithEvtxexport holds every record and value to another decoder's. One
// Decoder reads all logs, so that templates of one log meet those of others.
func TestAgreesWithEvtxexport(t *testing.T) {
	all := logs(t)
	if len(all) != len(counts) {
		t.Errorf("%d logs, want %d", len(all), len(counts))
	}
	d := evtx.NewDecoder()
	values := 0
	for name, log := range all {
		got := read(t, d, log)
		want := readDecoded(t, name)
		if len(got) != counts[name] || len(want) != counts[name] {
			t.Errorf("%s: %d records, evtxexport %d, want %d", name, len(got), len(want), counts[name])
			continue
		}
		for i := range got {
			values += compareDecoded(t, name, &got[i], &want[i])
		}
	}
	s := d.Stats()
	if s.Records != 682 || s.Damaged != 0 || s.LostRecords() != 0 {
		t.Errorf("stats %+v, want 682 records without damage", s)
	}
	t.Logf("%d records, %d values equal", s.Records, values)
}

func readDecoded(t *testing.T, name string) []decoded {
	t.Helper()
	f, err := os.Open(data + "evtx-decoded/" + name + ".ndjson.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var all []decoded
	for lines := json.NewDecoder(bufio.NewReader(z)); ; {
		var d decoded
		if err := lines.Decode(&d); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
}

func compareDecoded(t *testing.T, name string, got *windows.Record, want *decoded) int {
	t.Helper()
	at := fmt.Sprintf("%s record %d", name, want.RecordID)
	sid := ""
	if want.UserSID != nil {
		sid = *want.UserSID
	}
	for _, pair := range [][2]string{
		{fmt.Sprint(got.RecordID), fmt.Sprint(want.RecordID)}, {fmt.Sprint(got.EventID), fmt.Sprint(want.EventID)},
		{got.Channel, want.Channel}, {got.Provider, want.Provider}, {got.Computer, want.Computer},
		{got.Time.Std().Format("2006-01-02T15:04:05.000000000Z"), want.Time}, {got.UserID, sid},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %q, evtxexport %q", at, pair[0], pair[1])
		}
	}
	// The decoded form leaves UserData out.
	if len(got.Data) != len(want.Data) && (got.UserDataName == "" || len(want.Data) > 0) {
		t.Errorf("%s: %d items, evtxexport %d", at, len(got.Data), len(want.Data))
	}
	for key, value := range want.Data {
		if g := asXML(got.Get(key)); g != unpadded(value) {
			t.Errorf("%s %s: %q, evtxexport %q", at, key, g, value)
		}
	}
	return len(want.Data)
}

var padded = regexp.MustCompile(`^0x0*([0-9a-f]+)$`)

// asXML ends lines as a reader of XML does; the decoded form came by way of XML.
func asXML(v string) string { return strings.ReplaceAll(v, "\r\n", "\n") }

// unpadded takes evtxexport's zeros off a hexadecimal number.
func unpadded(v string) string { return padded.ReplaceAllString(v, "0x$1") }

// TestAgreesWithEvtxDump compares with the JSON of a third decoder.
func TestAgreesWithEvtxDump(t *testing.T) {
	files := unpack(t, "sigma-regression.tar.gz")
	d := evtx.NewDecoder()
	logs, records, values := 0, 0, 0
	for name, log := range files {
		if !strings.HasSuffix(name, ".evtx") {
			continue
		}
		logs++
		dumped := json.NewDecoder(bytes.NewReader(files[strings.TrimSuffix(name, ".evtx")+".json"]))
		dumped.UseNumber()
		for _, r := range read(t, d, log) {
			records++
			var doc struct{ Event map[string]any }
			if err := dumped.Decode(&doc); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			values += compareDumped(t, name, &r, doc.Event)
		}
		if dumped.More() {
			t.Errorf("%s: fewer records than the JSON", name)
		}
	}
	if s := d.Stats(); s.Damaged != 0 || s.LostRecords() != 0 || logs < 69 {
		t.Errorf("%d logs, stats %+v", logs, s)
	}
	t.Logf("%d logs, %d records, %d values equal", logs, records, values)
}

func compareDumped(t *testing.T, name string, r *windows.Record, doc map[string]any) int {
	t.Helper()
	want := map[string]string{}
	leaves(want, "", doc)
	system := map[string]string{
		"System.EventID": fmt.Sprint(r.EventID), "System.Version": fmt.Sprint(r.Version), "System.Level": fmt.Sprint(r.Level),
		"System.Task": fmt.Sprint(r.Task), "System.Opcode": fmt.Sprint(r.Opcode), "System.Keywords": fmt.Sprintf("0x%x", r.Keywords),
		"System.EventRecordID": fmt.Sprint(r.RecordID), "System.Channel": r.Channel, "System.Computer": r.Computer,
		"System.Provider.Name": r.Provider, "System.Provider.Guid": r.ProviderGUID,
		"System.TimeCreated.SystemTime":        r.Time.Std().Format("2006-01-02T15:04:05.000000Z"),
		"System.Execution.ProcessID":           fmt.Sprint(r.ProcessID),
		"System.Execution.ThreadID":            fmt.Sprint(r.ThreadID),
		"System.Security.UserID":               r.UserID,
		"System.Correlation.ActivityID":        r.ActivityID,
		"System.Correlation.RelatedActivityID": r.RelatedID,
	}
	for _, item := range r.Data {
		if r.UserDataName != "" {
			system["UserData."+r.UserDataName+"."+item.Name] = item.Value
			continue
		}
		system["EventData."+item.Name] = item.Value
	}
	n := 0
	for path, value := range want {
		got := system[path]
		if plain(got) != plain(value) {
			t.Errorf("%s record %d %s: %q, evtx_dump %q", name, r.RecordID, path, got, value)
		}
		n++
	}
	return n
}

// leaves collects the values of evtx_dump's JSON by path, attributes among them.
func leaves(into map[string]string, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, child := range v {
			switch {
			case key == "xmlns" || key == "xmlns:auto-ns2" || key == "Qualifiers":
			case key == "#attributes" || key == "#text":
				leaves(into, path, child)
			default:
				leaves(into, strings.TrimPrefix(path+"."+key, "."), child)
			}
		}
	case []any:
		for i, child := range v {
			leaves(into, strings.TrimSuffix(path, "Data")+fmt.Sprintf("param%d", i+1), child)
		}
	case nil:
		if !strings.HasPrefix(path, "System.") && path != "EventData" {
			into[path] = ""
		}
	default:
		into[path] = fmt.Sprint(v)
	}
}

// plain leaves out what evtx_dump writes differently: braces, the case of GUIDs and
// spaces at the ends.
func plain(v string) string {
	v = strings.TrimSpace(v)
	if strings.HasPrefix(v, "{") && strings.HasSuffix(v, "}") && len(v) == 38 {
		v = v[1:37]
	}
	return strings.ToUpper(v)
}

// TestHostLogs reads the logs of a whole host. The numbers are those of evtxinfo.
func TestHostLogs(t *testing.T) {
	want := map[string]int{
		"Security": 262, "Microsoft-Windows-LiveId%4Operational": 562, "Microsoft-Windows-PowerShell%4Operational": 1913,
		"Microsoft-Windows-Sysmon%4Operational": 1788, "Microsoft-Windows-Windows Defender%4Operational": 58,
		"Microsoft-Windows-Windows Defender%4WHC": 22,
	}
	d := evtx.NewDecoder()
	logs := 0
	events := map[string]int{}
	for path, log := range unpack(t, "host-logs-dism.tar.gz") {
		if !strings.HasSuffix(path, ".evtx") {
			continue
		}
		logs++
		name := strings.TrimSuffix(filepath.Base(path), ".evtx")
		records := read(t, d, log)
		if len(records) != want[name] {
			t.Errorf("%s: %d records, want %d", name, len(records), want[name])
		}
		for i := range records {
			events[fmt.Sprintf("%s/%d", records[i].Provider, records[i].EventID)]++
		}
	}
	s := d.Stats()
	if logs != 309 || s.Damaged != 0 || s.LostRecords() != 0 {
		t.Errorf("%d logs, want 309; stats %+v", logs, s)
	}
	if n := events["Microsoft-Windows-Sysmon/1"]; n != 23 {
		t.Errorf("%d process starts of Sysmon, want 23", n)
	}
	if n := events["Microsoft-Windows-Security-Auditing/4688"]; n != 53 {
		t.Errorf("%d process starts of Security, want 53", n)
	}
	kinds := make([]string, 0, len(events))
	for kind := range events {
		kinds = append(kinds, kind)
	}
	sort.Strings(kinds)
	t.Logf("%d records of %d kinds: %v", s.Records, len(kinds), kinds)
}
