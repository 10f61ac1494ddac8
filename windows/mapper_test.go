package windows

import "testing"

func BenchmarkSysmon1(b *testing.B) {
	r := processCreate()
	m := NewMapper()
	var dst []byte
	b.ReportAllocs()
	for b.Loop() {
		dst = m.Append(dst[:0], r)
	}
	b.SetBytes(int64(len(dst)))
}

// processCreate is a record of Sysmon 1 as a log reader makes it.
func processCreate() *Record {
	r := &Record{Provider: "Microsoft-Windows-Sysmon", ProviderGUID: "{5770385F-C22A-43E0-BF4C-06F5698FFBD9}",
		Channel: "Microsoft-Windows-Sysmon/Operational", Computer: "ws-0147.corp.example", EventID: 1, Version: 5, Level: 4, Task: 1,
		Keywords: 1 << 63, RecordID: 57278, Timed: true, ProcessID: 3208, ThreadID: 1724, UserID: "S-1-5-18"}
	r.Time.Sec = 1643188849
	for _, nv := range [][2]string{
		{"RuleName", "-"}, {"UtcTime", "2022-01-26 09:20:49.101"}, {"ProcessGuid", "{A57649D1-1271-61F1-315A-8E1500000000}"},
		{"ProcessId", "1524"}, {"Image", `C:\Windows\System32\reg.exe`}, {"FileVersion", "6.3.9600.17415"},
		{"Description", "Registry Console Tool"}, {"Product", "Microsoft® Windows® Operating System"}, {"Company", "Microsoft Corporation"},
		{"OriginalFileName", "reg.exe"}, {"CommandLine", `reg  add HKLM\SYSTEM\CurrentControlSet\Control\Lsa /v "Some Value" /t REG_DWORD /d 1`},
		{"CurrentDirectory", `C:\Windows\system32\`}, {"User", `CORP\jdoe`}, {"LogonGuid", "{A57649D1-1238-61F1-B2D8-861500000000}"},
		{"LogonId", "0x1586d8b2"}, {"TerminalSessionId", "2"}, {"IntegrityLevel", "High"},
		{"Hashes", "SHA1=B6D237154F2E528F0B503B58B025862D66B02B73,MD5=A3F446F1E2B8C6ECE56F608FB32B8DC6,SHA256=9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08,IMPHASH=8C3BE1286CDAD6AC1136D0BB6C83FF41"},
		{"ParentProcessGuid", "{A57649D1-124E-61F1-503D-8E1500000000}"}, {"ParentProcessId", "4924"},
		{"ParentImage", `C:\Windows\System32\cmd.exe`}, {"ParentCommandLine", `"C:\Windows\system32\cmd.exe" `}, {"ParentUser", `CORP\jdoe`},
	} {
		r.Data = append(r.Data, Item{nv[0], nv[1]})
	}
	return r
}

func TestPrint(t *testing.T) { t.Log(string(NewMapper().Append(nil, processCreate()))) }
