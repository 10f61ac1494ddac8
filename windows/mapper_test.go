package windows_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/windows"
)

// processCreate is a record of Sysmon 1 as a log reader makes it.
func processCreate() *windows.Record {
	r := record("Microsoft-Windows-Sysmon", 1, 1643188849,
		"RuleName", "-", "UtcTime", "2022-01-26 09:20:49.101", "ProcessGuid", "{A57649D1-1271-61F1-315A-8E1500000000}",
		"ProcessId", "1524", "Image", `C:\Windows\System32\reg.exe`, "FileVersion", "6.3.9600.17415",
		"Description", "Registry Console Tool", "Product", "Microsoft® Windows® Operating System", "Company", "Microsoft Corporation",
		"OriginalFileName", "reg.exe", "CommandLine", `reg  add HKLM\SYSTEM\CurrentControlSet\Control\Lsa /v "Some Value" /t REG_DWORD /d 1`,
		"CurrentDirectory", `C:\Windows\system32\`, "User", `CORP\jdoe`, "LogonGuid", "{A57649D1-1238-61F1-B2D8-861500000000}",
		"LogonId", "0x1586d8b2", "TerminalSessionId", "2", "IntegrityLevel", "High",
		"Hashes", "SHA1=B6D237154F2E528F0B503B58B025862D66B02B73,MD5=A3F446F1E2B8C6ECE56F608FB32B8DC6,SHA256=9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08,IMPHASH=8C3BE1286CDAD6AC1136D0BB6C83FF41",
		"ParentProcessGuid", "{A57649D1-124E-61F1-503D-8E1500000000}", "ParentProcessId", "4924",
		"ParentImage", `C:\Windows\System32\cmd.exe`, "ParentCommandLine", `"C:\Windows\system32\cmd.exe" `, "ParentUser", `CORP\jdoe`)
	r.ProviderGUID, r.Channel, r.Computer = "{5770385F-C22A-43E0-BF4C-06F5698FFBD9}", "Microsoft-Windows-Sysmon/Operational", "ws-0147.corp.example"
	r.Version, r.Level, r.Task, r.Keywords, r.RecordID = 5, 4, 1, 1<<63, 57278
	r.ProcessID, r.ThreadID, r.UserID = 3208, 1724, "S-1-5-18"
	return r
}

// values gives the values of a field of a record's event, as rules see them.
func values(t *testing.T, r *windows.Record, name string) string {
	t.Helper()
	set := event.NewFieldSet(nil)
	f := set.Add(name)
	var ev event.Event
	if err := event.NewDecoder(set, "").Decode(windows.NewMapper().Append(nil, r), &ev); err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, v := range ev.Values(f) {
		if v.Kind() == event.Date {
			out = append(out, v.Time().String())
			continue
		}
		out = append(out, v.Text())
	}
	return strings.Join(out, "; ")
}

// TestActions: event.action has the name of Elastic's pipeline and the older one.
func TestActions(t *testing.T) {
	r := processCreate()
	got := strings.Split(values(t, r, "event.action"), "; ")
	slices.Sort(got)
	if strings.Join(got, "; ") != "Process Create (rule: ProcessCreate); Process creation" {
		t.Errorf("%q", got)
	}
	// What has no table of its own is called after its task.
	r = record("Microsoft-Windows-Security-Auditing", 4703, 5)
	r.Task = 13317
	if got := values(t, r, "event.action"); got != "Token Right Adjusted Events" {
		t.Errorf("%q", got)
	}
}

func TestFields(t *testing.T) {
	const audit, sysmon = "Microsoft-Windows-Security-Auditing", "Microsoft-Windows-Sysmon"
	failed := record(audit, 4625, 5, "TargetUserName", "eve@corp", "LogonType", "3", "FailureReason", "%%2313", "IpAddress", "::ffff:192.0.2.7", "IpPort", "50123", "WorkstationName", "-", "SubjectUserName", "-")
	failed.Keywords = 1 << 52
	joined := record(audit, 4732, 5, "MemberName", "CN=eve,OU=x,DC=corp,DC=example", "TargetUserName", "Administrators", "SubjectUserName", "bob")
	shared := record(audit, 5145, 5, "ShareName", `\\*\ADMIN$`, "ShareLocalPath", `\??\C:\Windows`, "RelativeTargetName", `PSEXESVC.exe`, "AccessMask", "0x2", "IpAddress", "192.0.2.7")
	changed := record(audit, 4738, 5, "TargetUserName", "eve", "NewUacValue", "0x210", "UserAccountControl", "\r\n\t\t%%2089", "SubjectUserName", "bob")
	special := record(audit, 4672, 5, "SubjectUserName", "bob", "PrivilegeList", "SeDebugPrivilege\r\n\t\t\tSeBackupPrivilege")
	connected := record(audit, 5156, 5, "ProcessID", "4", "Application", "System", "Direction", "%%14593", "SourceAddress", "192.0.2.1", "SourcePort", "49152", "DestAddress", "192.0.2.2", "DestPort", "445", "Protocol", "6")
	cleared := record("Microsoft-Windows-Eventlog", 1102, 5, "SubjectUserName", "bob", "SubjectUserSid", "S-1-5-21-1")
	cleared.UserDataName = "LogFileCleared"
	query := record(sysmon, 22, 5, "QueryName", "a.example", "QueryStatus", "0", "QueryResults", "type:  5 b.example;::ffff:192.0.2.9;2001:db8::1;", "Image", `C:\a.exe`)
	qword := record(sysmon, 13, 5, "TargetObject", `HKEY_LOCAL_MACHINE\Software\X\Y`, "Details", "dword (0x000000ff)")
	pipeline := record("Microsoft-Windows-PowerShell", 4103, 5, "Payload", "CommandInvocation(Get-Item): \"Get-Item\"\nParameterBinding(Get-Item): name=\"Path\"; value=\"C:\\\"\n",
		"ContextInfo", "        Severity = Informational\n        Host Name = ConsoleHost\n        Host Application = C:\\ps.exe -c \"a b\"\n        Script Name = C:\\x\\y.ps1\n        Sequence Number = 34\n        User = CORP\\bob\n        Host Extra = 1\n")
	engine := record("PowerShell", 400, 5, "param1", "Available", "param2", "None", "param3", "\tNewEngineState=Available\n\tPreviousEngineState=None\n\n\tHostApplication=ps -enc AAA=\n")
	script := record("Microsoft-Windows-PowerShell", 4104, 5, "MessageNumber", "1", "MessageTotal", "2", "ScriptBlockText", "iex 'x'", "Path", `C:\x\y.ps1`)
	found := record("Microsoft-Windows-Windows Defender", 1117, 5, "Action Name", "Quarantine", "Threat Name", "X", "Path", `file:_C:\a\b.exe; process:_pid:7`, "Process Name", `C:\p.exe`, "Detection User", `CORP\bob`)
	service := record("Service Control Manager", 7045, 5, "ServiceName", "x", "ImagePath", `%COMSPEC% /c echo`, "AccountName", "LocalSystem")

	f := func(r *windows.Record, field, want string) {
		t.Helper()
		if got := values(t, r, field); got != want {
			t.Errorf("%s of %s %d: %q, want %q", field, r.Provider, r.EventID, got, want)
		}
	}
	f(failed, "user.name", "eve")
	f(failed, "source.ip", "192.0.2.7")
	f(failed, "source.port", "50123")
	f(failed, "source.domain", "")
	f(failed, "event.outcome", "failure")
	f(failed, "event.action", "logon-failed")
	f(failed, "winlog.logon.type", "Network")
	f(failed, "winlog.logon.failure.reason", "Unknown user name or bad password.")
	f(joined, "user.target.name", "eve")
	f(joined, "user.target.domain", "example")
	f(joined, "group.name", "Administrators")
	f(joined, "user.target.group.name", "Administrators")
	f(joined, "related.user", "bob; eve")
	f(shared, "file.path", `\??\C:\Windows\PSEXESVC.exe`)
	f(shared, "file.target_path", `\\*\ADMIN$\PSEXESVC.exe`)
	f(shared, "file.extension", "exe")
	f(shared, "winlog.event_data.AccessMaskDescription", "Delete Child")
	f(shared, "related.ip", "192.0.2.7")
	f(changed, "winlog.event_data.NewUACList", "LOCKOUT; NORMAL_ACCOUNT")
	f(changed, "winlog.event_data.UserAccountControl", "2089")
	f(changed, "user.target.name", "eve")
	f(special, "winlog.event_data.PrivilegeList", "SeDebugPrivilege; SeBackupPrivilege")
	f(connected, "network.direction", "egress")
	f(connected, "destination.port", "445")
	f(connected, "network.transport", "tcp")
	f(connected, "process.name", "System")
	f(cleared, "event.action", "Log clear; audit-log-cleared")
	f(cleared, "user.name", "bob")
	f(cleared, "winlog.user_data.SubjectUserName", "bob")
	f(cleared, "event.dataset", "system.security")
	f(query, "dns.question.name", "a.example")
	f(query, "dns.answers.data", "b.example; 192.0.2.9; 2001:db8::1")
	f(query, "dns.answers.type", "CNAME; A; AAAA")
	f(query, "dns.resolved_ip", "192.0.2.9; 2001:db8::1")
	f(query, "related.hosts", "a.example; b.example")
	f(query, "sysmon.dns.status", "SUCCESS")
	f(qword, "registry.hive", "HKLM")
	f(qword, "registry.key", `Software\X\Y`)
	f(qword, "registry.data.strings", "255")
	f(pipeline, "process.args", `C:\ps.exe; -c; a b`)
	f(pipeline, "file.name", "y.ps1")
	f(pipeline, "event.sequence", "34")
	f(pipeline, "user.name", "bob")
	f(pipeline, "powershell.command.invocation_details.type", "CommandInvocation; ParameterBinding")
	f(pipeline, "powershell.command.invocation_details.name", `"Path"`)
	f(pipeline, "winlog.event_data.HostExtra", "1")
	f(engine, "powershell.engine.new_state", "Available")
	f(engine, "process.command_line", "ps -enc AAA=")
	f(engine, "event.type", "start")
	f(script, "powershell.file.script_block_text", "iex 'x'")
	f(script, "powershell.total", "2")
	f(script, "file.directory", `C:\x`)
	f(found, "event.action", "malware-quarantined")
	f(found, "file.path", `C:\a\b.exe`)
	f(found, "windows_defender.evidence_paths", `C:\a\b.exe; pid:7`)
	f(found, "winlog.event_data.Threat_Name", "X")
	f(found, "user.name", "bob")
	f(service, "service.name", "x")
	f(service, "winlog.event_data.ImagePath", `%COMSPEC% /c echo`)
	f(service, "event.dataset", "system.system")
}

func BenchmarkSysmon1(b *testing.B) { benchmark(b, windows.NewMapper(), processCreate()) }

// BenchmarkSelective writes the fields that rules on process starts mostly ask for.
func BenchmarkSelective(b *testing.B) {
	want := map[string]bool{}
	for _, name := range strings.Fields("@timestamp event.category event.type event.action event.code event.provider event.dataset data_stream.type data_stream.dataset data_stream.namespace host.os.type host.id user.id user.name process.name process.executable process.args process.args_count process.command_line process.working_directory process.entity_id process.pid process.parent.name process.parent.executable process.parent.args process.parent.command_line process.parent.entity_id process.pe.original_file_name process.hash.sha256 winlog.event_data.IntegrityLevel") {
		want[name] = true
	}
	benchmark(b, windows.NewSelectiveMapper(func(field string) bool { return want[field] }), processCreate())
}

func BenchmarkSysmon10(b *testing.B) {
	r := record("Microsoft-Windows-Sysmon", 10, 1643188849, "RuleName", "-", "UtcTime", "2022-01-26 09:20:49.101",
		"SourceProcessGUID", "{A57649D1-1271-61F1-315A-8E1500000000}", "SourceProcessId", "1524", "SourceThreadId", "77", "SourceImage", `C:\Windows\System32\svchost.exe`,
		"TargetProcessGUID", "{A57649D1-1271-61F1-315A-8E1500000001}", "TargetProcessId", "99", "TargetImage", `C:\Windows\System32\lsass.exe`, "GrantedAccess", "0x1000",
		"CallTrace", `C:\Windows\SYSTEM32\ntdll.dll+9c584|C:\Windows\System32\KERNELBASE.dll+2730e`)
	r.Channel = "Microsoft-Windows-Sysmon/Operational"
	benchmark(b, windows.NewMapper(), r)
}

func benchmark(b *testing.B, m *windows.Mapper, r *windows.Record) {
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = m.Append(dst[:0], r)
	}
	b.SetBytes(int64(len(dst)))
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
