package windows

import "strings"

// Defender: the windows.windows_defender data stream.

func defender() source {
	malware := []string{"malware"}
	return source{
		name: "defender", providers: []string{"Microsoft-Windows-Windows Defender"},
		module: "windows", dataset: "windows.windows_defender", nothing: isEmpty,
		vocabulary: defenderVocabulary(),
		kinds: []kind{
			{id: 1116, category: malware, types: informs, action: "malware-detected", items: defenderItems, finish: []finish{detection}},
			{id: 1117, category: malware, types: informs, action: "malware-detected", items: defenderItems, finish: []finish{quarantine, detection}},
			{id: 2000, category: aProcess, types: informs, action: "antivirus-updated"},
			{id: 2050, category: aFile, types: informs, action: "file-uploaded", items: "Filename Sha256"},
			{id: 5007, category: aConfiguration, types: changes, action: "antivirus-configuration-changed", items: "Product_Name Product_Version Old_Value New_Value"},
		},
		other: kind{category: aProcess, types: informs, finish: []finish{detection}},
	}
}

const defenderItems = "Product_Name Product_Version Detection_ID Detection_Time Unused Unused2 Threat_ID Threat_Name Severity_ID Severity_Name Category_ID Category_Name FWLink Status_Code Status_Description State Source_ID Source_Name Process_Name Detection_User Unused3 Path Origin_ID Origin_Name Execution_ID Execution_Name Type_ID Type_Name Pre_Execution_Status Action_ID Action_Name Unused4 Error_Code Error_Description Unused5 Post_Clean_Status Additional_Actions_ID Additional_Actions_String Remediation_User Unused6 Security_intelligence_Version Engine_Version"

// defenderVocabulary says what Defender's items mean. Their names have blanks;
// Elastic's collector writes underscores.
func defenderVocabulary() []move {
	out := []move{
		{item: "FWLink", to: "event.reference", keep: true},
		{item: "Detection User", how: asAccount, to: "user"},
		{item: "User", how: asAccount, to: "user", keep: true},
		{item: "Process Name", how: asProcess, to: "process.executable"},
		{item: "Target Commandline", to: "process.command_line"},
		{item: "Parent Commandline", to: "process.parent.command_line"},
		{item: "Filename", how: asFile, to: "file.path", keep: true},
		{item: "Sha256", to: "file.hash.sha256", keep: true},
		{item: "Destination", to: "destination.domain", keep: true},
	}
	for _, mv := range out {
		if name := strings.ReplaceAll(mv.item, " ", "_"); name != mv.item {
			mv.item = name
			out = append(out, mv)
		}
	}
	// The others keep their place in winlog.event_data, without blanks.
	for _, name := range strings.Fields(defenderItems) {
		if item := strings.ReplaceAll(name, "_", " "); item != name {
			out = append(out, move{item: item, how: asNamed, to: name})
		}
	}
	for _, name := range []string{"Old Value", "New Value"} {
		out = append(out, move{item: name, how: asNamed, to: strings.ReplaceAll(name, " ", "_")})
	}
	return out
}

var (
	quarantine = finish{[]string{"event.action"}, quarantined}
	detection  = finish{[]string{"file.path", "file.name", "file.directory", "file.extension", "windows_defender.evidence_paths", "event.outcome"}, detected}
)

// either gives an item by its name with blanks, or with underscores.
func either(r *Record, name string) string {
	if s := r.Get(name); s != "" {
		return s
	}
	return r.Get(strings.ReplaceAll(name, " ", "_"))
}

func quarantined(m *Mapper, r *Record, to []slot) {
	if either(r, "Action Name") == "Quarantine" {
		m.setText(to[0], "malware-quarantined")
	}
}

// detected reads what was found, a list such as "file:_C:\a.exe; process:_pid: 7".
// The first is the file of the event.
func detected(m *Mapper, r *Record, to []slot) {
	if strings.HasPrefix(either(r, "Error Description"), "The operation completed successfully.") {
		m.setText(to[5], "success")
	}
	from := len(m.list)
	for paths := r.Get("Path"); paths != ""; {
		var one string
		one, paths, _ = strings.Cut(paths, "; ")
		if kind, rest, ok := strings.Cut(one, ":_"); ok && !strings.Contains(kind, `\`) {
			one = rest
		}
		if one != "" {
			m.list = append(m.list, one)
		}
	}
	if from == len(m.list) {
		return
	}
	m.setList(to[4], from)
	m.setFile(to[:4], m.list[from])
}
