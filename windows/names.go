package windows

import "strings"

// Names: what Windows calls the numbers of a record. A log holds the numbers; the
// names come from the provider's manifest on the host, which is not there when a
// log is read elsewhere.

// The bits of Keywords that say how an audited action ended.
const (
	auditFailure = 1 << 52
	auditSuccess = 1 << 53
	classic      = 1 << 55
)

func keywordName(keywords uint64) string {
	switch {
	case keywords&auditFailure != 0:
		return "Audit Failure"
	case keywords&auditSuccess != 0:
		return "Audit Success"
	case keywords&classic != 0:
		return "Classic"
	}
	return ""
}

// outcome gives event.outcome of an audited action.
func outcome(r *Record) string {
	for _, name := range r.KeywordSet {
		switch {
		case strings.EqualFold(name, "Audit Success"):
			return "success"
		case strings.EqualFold(name, "Audit Failure"):
			return "failure"
		}
	}
	switch {
	case r.Keywords&auditFailure != 0:
		return "failure"
	case r.Keywords&auditSuccess != 0:
		return "success"
	}
	return ""
}

func levelName(r *Record) string {
	switch r.LevelName {
	case "":
	case "Information":
		return "information"
	case "Warning":
		return "warning"
	case "Error":
		return "error"
	case "Critical":
		return "critical"
	case "Verbose":
		return "verbose"
	default:
		return r.LevelName
	}
	names := [...]string{"information", "critical", "error", "warning", "information", "verbose"}
	if int64(r.Level) < int64(len(names)) {
		return names[r.Level]
	}
	return ""
}

func opcodeName(r *Record) string {
	if r.OpcodeName != "" {
		return r.OpcodeName
	}
	names := [...]string{"Info", "Start", "Stop", "DCStart", "DCStop", "Extension", "Reply", "Resume", "Suspend", "Send"}
	if int64(r.Opcode) < int64(len(names)) {
		return names[r.Opcode]
	}
	return ""
}

// taskName gives the name of a record's task: as rendered, as its table has it, or
// that of the audit policy.
func taskName(r *Record, k *compiledKind) string {
	if r.TaskName != "" {
		return r.TaskName
	}
	if name := auditTask(r.Task); name != "" && strings.EqualFold(r.Channel, "Security") {
		return name
	}
	return k.task
}

// auditTask names the subcategories of Windows' audit policy, which are the tasks of
// the Security log. Each category has a range of 256.
func auditTask(task uint32) string {
	if task < 12288 {
		return ""
	}
	category, n := (task-12288)/256, int((task-12288)%256)
	if category >= uint32(len(auditTasks)) || n >= len(auditTasks[category]) {
		return ""
	}
	return auditTasks[category][n]
}

var auditTasks = [...][]string{
	{"Security State Change", "Security System Extension", "System Integrity", "IPsec Driver", "Other System Events"},
	{"Logon", "Logoff", "Account Lockout", "IPsec Main Mode", "Special Logon", "IPsec Quick Mode", "IPsec Extended Mode",
		"Other Logon/Logoff Events", "Network Policy Server", "User / Device Claims", "Group Membership"},
	{"File System", "Registry", "Kernel Object", "SAM", "Other Object Access Events", "Certification Services",
		"Application Generated", "Handle Manipulation", "File Share", "Filtering Platform Packet Drop",
		"Filtering Platform Connection", "Detailed File Share", "Removable Storage", "Central Policy Staging"},
	{"Sensitive Privilege Use", "Non Sensitive Privilege Use", "Other Privilege Use Events"},
	{"Process Creation", "Process Termination", "DPAPI Activity", "RPC Events", "Plug and Play Events", "Token Right Adjusted Events"},
	{"Audit Policy Change", "Authentication Policy Change", "Authorization Policy Change", "MPSSVC Rule-Level Policy Change",
		"Filtering Platform Policy Change", "Other Policy Change Events"},
	{"User Account Management", "Computer Account Management", "Security Group Management", "Distribution Group Management",
		"Application Group Management", "Other Account Management Events"},
	{"Directory Service Access", "Directory Service Changes", "Directory Service Replication", "Detailed Directory Service Replication"},
	{"Credential Validation", "Kerberos Service Ticket Operations", "Other Account Logon Events", "Kerberos Authentication Service"},
}

// wellKnown names the accounts of services.
func wellKnown(sid string) (name string, ok bool) {
	switch sid {
	case "S-1-5-18":
		return "SYSTEM", true
	case "S-1-5-19":
		return "LOCAL SERVICE", true
	case "S-1-5-20":
		return "NETWORK SERVICE", true
	}
	return "", false
}
