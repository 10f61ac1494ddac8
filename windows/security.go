package windows

import (
	"slices"
	"strings"
)

// Security: the system.security data stream, for the records of Windows' auditing.

func security() source {
	return source{
		name: "security", providers: []string{"Microsoft-Windows-Security-Auditing"},
		module: "security", dataset: "system.security", nothing: isEmpty,
		vocabulary: []move{
			{item: "SubjectLogonId", to: "winlog.logon.id", keep: true},
			{item: "ServiceName", to: "service.name", keep: true},
			{item: "OldTargetUserName", how: asUser, to: "user.target.name", keep: true},
			{item: "NewTargetUserName", how: asUser, to: "user.changes.name", keep: true},
		},
		kinds:  auditKinds(),
		finish: []finish{{[]string{"winlog.logon.type", "winlog.logon.failure.reason", "service.type"}, describe}},
	}
}

// eventlog is the service that keeps the logs: it reports when one is cleared.
func eventlog() source {
	return source{
		name: "eventlog", providers: []string{"Microsoft-Windows-Eventlog"},
		nothing: isEmpty, vocabulary: subject,
		kinds: []kind{
			{id: 1100, category: aProcess, types: ends, action: "logging-service-shutdown", task: "Service shutdown"},
			{id: 1102, category: anAccount, types: adminChange, action: "audit-log-cleared", task: "Log clear",
				items: "SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId"},
			{id: 1104, category: anAccount, types: admin, action: "logging-full", task: "Event processing"},
			{id: 1105, category: anAccount, types: admin, action: "auditlog-archieved", task: "Log automatic backup", items: "Channel BackupPath"},
			{id: 1108, category: anAccount, types: admin, action: "logging-processing-error", task: "Event processing"},
			{id: 104, action: "Log clear", task: "Log clear", items: "SubjectUserName SubjectDomainName Channel BackupPath"},
		},
	}
}

var (
	anAccount   = []string{"iam"}
	anLogon     = []string{"authentication"}
	aSession    = []string{"authentication", "session"}
	anSetting   = []string{"iam", "configuration"}
	admin       = []string{"admin"}
	adminChange = []string{"admin", "change"}
)

// What the items of audit records mean depends on the record: the same names stand
// for the account that acted, for one that was acted on, and for groups.
var (
	// subject is the account that acted, as user.
	subject = []move{
		{item: "SubjectUserSid", to: "user.id", keep: true},
		{item: "SubjectUserName", how: asUser, to: "user.name", keep: true},
		{item: "SubjectDomainName", to: "user.domain", keep: true},
		{item: "SubjectLogonId", to: "winlog.logon.id", keep: true},
	}
	// newcomer is the account that logs on, as user; the subject asked for it.
	newcomer = []move{
		{item: "TargetUserSid", to: "user.id", keep: true},
		{item: "TargetSid", to: "user.id", keep: true},
		{item: "TargetUserName", how: asUserShort, to: "user.name", keep: true},
		{item: "TargetDomainName", to: "user.domain", keep: true},
		{item: "SubjectUserName", how: asMember, to: "related.user", keep: true},
	}
	// logoff names the session that ends.
	logoff = []move{{item: "TargetLogonId", to: "winlog.logon.id", keep: true}}
	// target is the account that was changed.
	target = []move{
		{item: "TargetSid", to: "user.target.id", keep: true},
		{item: "TargetUserName", how: asUserShort, to: "user.target.name", keep: true},
		{item: "TargetDomainName", to: "user.target.domain", keep: true},
	}
	// effective is the account as which something runs.
	effective = []move{
		{item: "TargetUserSid", to: "user.effective.id", keep: true},
		{item: "TargetUserName", how: asUserShort, to: "user.effective.name", keep: true},
		{item: "TargetDomainName", to: "user.effective.domain", keep: true},
	}
	// group is the group that was changed.
	group = []move{
		{item: "TargetUserSid", to: "group.id", keep: true},
		{item: "TargetSid", to: "group.id", keep: true},
		{item: "TargetUserName", to: "group.name", keep: true},
		{item: "TargetDomainName", to: "group.domain", keep: true},
	}
	// computer is the account of a computer.
	computer = []move{
		{item: "TargetSid", to: "winlog.computerObject.id", keep: true},
		{item: "TargetUserName", to: "winlog.computerObject.name", keep: true},
		{item: "TargetDomainName", to: "winlog.computerObject.domain", keep: true},
		privileges,
	}
	// place is the process and the network address from which somebody acted.
	place = []move{
		{item: "ProcessId", how: asNumber, to: "process.pid"},
		{item: "ProcessName", how: asProgram, to: "process.executable"},
		{item: "IpAddress", how: asIP, to: "source.ip"},
		{item: "IpPort", how: asNumber, to: "source.port"},
		{item: "WorkstationName", to: "source.domain"},
	}
	privileges = move{item: "PrivilegeList", how: asList}

	newProcess = []move{
		{item: "NewProcessId", how: asNumber, to: "process.pid"},
		{item: "NewProcessName", how: asProgram, to: "process.executable"},
		{item: "ParentProcessName", how: asProgram, to: "process.parent.executable"},
		{item: "ProcessId", how: asNumber, to: "process.parent.pid", keep: true},
		{item: "CommandLine", how: asQuoted, to: "process.command_line", keep: true},
	}
	connection = []move{
		{item: "ProcessID", how: asNumber, to: "process.pid", keep: true},
		{item: "ProcessId", how: asNumber, to: "process.pid", keep: true},
		{item: "Application", how: asProgram, to: "process.executable", keep: true},
		{item: "SourceAddress", how: asIP, to: "source.ip", keep: true},
		{item: "SourcePort", how: asNumber, to: "source.port", keep: true},
		{item: "DestAddress", how: asIP, to: "destination.ip", keep: true},
		{item: "DestPort", how: asNumber, to: "destination.port", keep: true},
	}

	memberFields  = finish{[]string{"user.target.name", "user.target.domain", "related.user", "group.id", "group.name", "group.domain", "user.target.group.id", "user.target.group.name", "user.target.group.domain"}, member}
	sourceFields  = finish{[]string{"source.ip", "related.ip"}, relatedSource}
	shareFields   = finish{[]string{"file.name", "file.directory", "file.path", "file.target_path", "file.extension"}, share}
	ticketFields  = finish{nil, ticket}
	filterFields  = finish{[]string{"network.direction", "network.type", "network.transport", "network.iana_number", "source.ip", "destination.ip", "related.ip"}, filtered}
	controlFields = finish{nil, accountControl}
	accessFields  = finish{nil, accessMask}
)

// audit is a kind of audit record, with what its items mean.
type audit struct {
	id              uint32
	category, types []string
	action          string
	items           string
	moves           [][]move
	finish          []finish
}

const (
	who      = "SubjectUserSid SubjectUserName SubjectDomainName SubjectLogonId"
	whom     = "TargetUserName TargetDomainName TargetSid " + who
	inGroup  = "MemberName MemberSid " + whom + " PrivilegeList"
	ofUser   = whom + " PrivilegeList SamAccountName DisplayName UserPrincipalName HomeDirectory HomePath ScriptPath ProfilePath UserWorkstations PasswordLastSet AccountExpires PrimaryGroupId AllowedToDelegateTo OldUacValue NewUacValue UserAccountControl UserParameters SidHistory LogonHours"
	ofGroup  = whom + " PrivilegeList SamAccountName SidHistory"
	ofObject = who + " ObjectServer ObjectType ObjectName HandleId"
	ofTask   = " ClientProcessStartKey ClientProcessId ParentProcessId RpcCallClientLocality FQDN"
)

func auditKinds() []kind {
	var out []kind
	for _, a := range slices.Concat(processAudits, logonAudits, settingAudits, accountAudits(), shareAudits) {
		out = append(out, kind{
			id: a.id, category: a.category, types: a.types, action: a.action,
			items: a.items, moves: slices.Concat(a.moves...), finish: a.finish,
		})
	}
	return out
}

var processAudits = []audit{
	{4688, aProcess, starts, "created-process",
		who + " NewProcessId NewProcessName TokenElevationType ProcessId CommandLine TargetUserSid TargetUserName TargetDomainName TargetLogonId ParentProcessName MandatoryLabel",
		[][]move{newProcess, subject, effective}, nil},
	{4689, aProcess, ends, "exited-process", who + " Status ProcessId ProcessName", [][]move{subject, place}, nil},
	{4656, nil, nil, "", ofObject + " TransactionId AccessList AccessReason AccessMask PrivilegeList RestrictedSidCount ProcessId ProcessName ResourceAttributes", nil, []finish{accessFields}},
	{4657, []string{"registry", "configuration"}, changes, "registry-value-modified",
		who + " ObjectName ObjectValueName HandleId OperationType OldValueType OldValue NewValueType NewValue ProcessId ProcessName",
		[][]move{subject}, nil},
	{4662, anSetting, adminChange, "object-operation-performed", who + " ObjectServer ObjectType ObjectName OperationType HandleId AccessList AccessMask Properties AdditionalInfo AdditionalInfo2", [][]move{subject}, []finish{accessFields}},
	{4663, nil, nil, "", ofObject + " AccessList AccessMask ProcessId ProcessName ResourceAttributes", nil, []finish{accessFields}},
	{4670, anSetting, adminChange, "permissions-changed", ofObject + " OldSd NewSd ProcessId ProcessName", [][]move{subject, target, place}, nil},
	{4673, anAccount, admin, "privileged-service-called", who + " ObjectServer Service PrivilegeList ProcessId ProcessName", [][]move{subject, place, {privileges}}, nil},
	{4674, anAccount, admin, "privileged-operation", ofObject + " AccessMask PrivilegeList ProcessId ProcessName", [][]move{subject, place, {privileges}}, []finish{accessFields}},
}

var logonAudits = []audit{
	{4624, anLogon, starts, "logged-in",
		who + " TargetUserSid TargetUserName TargetDomainName TargetLogonId LogonType LogonProcessName AuthenticationPackageName WorkstationName LogonGuid TransmittedServices LmPackageName KeyLength ProcessId ProcessName IpAddress IpPort ImpersonationLevel RestrictedAdminMode TargetOutboundUserName TargetOutboundDomainName VirtualAccount TargetLinkedLogonId ElevatedToken",
		[][]move{newcomer, place}, []finish{sourceFields}},
	{4625, anLogon, starts, "logon-failed",
		who + " TargetUserSid TargetUserName TargetDomainName Status FailureReason SubStatus LogonType LogonProcessName AuthenticationPackageName WorkstationName TransmittedServices LmPackageName KeyLength ProcessId ProcessName IpAddress IpPort",
		[][]move{newcomer[:4], place}, []finish{sourceFields}},
	{4634, anLogon, ends, "logged-out", "TargetUserSid TargetUserName TargetDomainName TargetLogonId LogonType", [][]move{newcomer[:4], logoff}, nil},
	{4647, anLogon, ends, "logged-out", "TargetUserSid TargetUserName TargetDomainName TargetLogonId", [][]move{newcomer[:4], logoff}, nil},
	{4648, anLogon, starts, "logged-in-explicit",
		who + " LogonGuid TargetUserName TargetDomainName TargetLogonGuid TargetServerName TargetInfo ProcessId ProcessName IpAddress IpPort",
		[][]move{subject, effective, place}, []finish{sourceFields}},
	{4672, anAccount, admin, "logged-in-special", who + " PrivilegeList", [][]move{subject, {privileges}}, nil},
	{4768, anLogon, starts, "kerberos-authentication-ticket-requested", "TargetUserName TargetDomainName TargetSid ServiceName ServiceSid TicketOptions Status TicketEncryptionType PreAuthType IpAddress IpPort CertIssuerName CertSerialNumber CertThumbprint",
		[][]move{newcomer[:4], place}, []finish{sourceFields, ticketFields}},
	{4769, anLogon, starts, "kerberos-service-ticket-requested", "TargetUserName TargetDomainName ServiceName ServiceSid TicketOptions TicketEncryptionType IpAddress IpPort Status LogonGuid TransmittedServices",
		[][]move{newcomer[:4], place}, []finish{sourceFields, ticketFields}},
	{4770, anLogon, starts, "kerberos-service-ticket-renewed", "TargetUserName TargetDomainName ServiceName ServiceSid TicketOptions TicketEncryptionType IpAddress IpPort",
		[][]move{newcomer[:4], place}, []finish{sourceFields, ticketFields}},
	{4771, anLogon, starts, "kerberos-preauth-failed", "TargetUserName TargetSid ServiceName TicketOptions Status PreAuthType IpAddress IpPort CertIssuerName CertSerialNumber CertThumbprint",
		[][]move{newcomer[:4], place}, []finish{sourceFields, ticketFields}},
	{4776, anLogon, starts, "credential-validated", "PackageName TargetUserName Workstation Status", [][]move{newcomer[:4]}, nil},
	{4778, aSession, starts, "session-reconnected", sessionItems, [][]move{session}, nil},
	{4779, aSession, ends, "session-disconnected", sessionItems, [][]move{session}, nil},
	{4964, anAccount, []string{"admin", "group"}, "logged-in-special", "", [][]move{newcomer[:4], logoff}, nil},
}

const sessionItems = "AccountName AccountDomain LogonID SessionName ClientName ClientAddress"

var session = []move{
	{item: "AccountName", how: asUser, to: "user.name", keep: true},
	{item: "AccountDomain", to: "user.domain", keep: true},
	{item: "LogonID", to: "winlog.logon.id", keep: true},
	{item: "ClientName", to: "source.domain", keep: true},
	{item: "ClientAddress", how: asIP, to: "source.ip", keep: true},
}

var settingAudits = []audit{
	{4610, aConfiguration, reads, "authentication-package-loaded", "AuthenticationPackageName", nil, nil},
	{4611, aConfiguration, changes, "trusted-logon-process-registered", who + " LogonProcessName", nil, nil},
	{4614, aConfiguration, reads, "notification-package-loaded", "NotificationPackageName", nil, nil},
	{4616, aConfiguration, changes, "system-time-changed", who + " PreviousTime NewTime ProcessId ProcessName", nil, nil},
	{4622, aConfiguration, reads, "security-package-loaded", "SecurityPackageName", nil, nil},
	{4697, anSetting, adminChange, "service-installed", who + " ServiceName ServiceFileName ServiceType ServiceStartType ServiceAccount ClientProcessStartKey ClientProcessId ParentProcessId", [][]move{subject, place}, nil},
	{4698, anSetting, []string{"creation", "admin"}, "scheduled-task-created", who + " TaskName TaskContent" + ofTask, [][]move{subject}, nil},
	{4699, anSetting, []string{"deletion", "admin"}, "scheduled-task-deleted", who + " TaskName TaskContent" + ofTask, [][]move{subject}, nil},
	{4700, anSetting, []string{"change", "admin"}, "scheduled-task-enabled", who + " TaskName TaskContent" + ofTask, [][]move{subject}, nil},
	{4701, anSetting, []string{"change", "admin"}, "scheduled-task-disabled", who + " TaskName TaskContent" + ofTask, [][]move{subject}, nil},
	{4702, anSetting, []string{"change", "admin"}, "scheduled-task-updated", who + " TaskName TaskContentNew" + ofTask, [][]move{subject}, nil},
	{4706, aConfiguration, creates, "domain-trust-added", "", [][]move{subject}, nil},
	{4707, aConfiguration, deletes, "domain-trust-removed", "", [][]move{subject}, nil},
	{4713, aConfiguration, changes, "kerberos-policy-changed", "", [][]move{subject}, nil},
	{4716, aConfiguration, changes, "trusted-domain-information-changed", "", [][]move{subject}, nil},
	{4717, anSetting, adminChange, "system-security-access-granted", "", [][]move{subject}, nil},
	{4718, anSetting, []string{"admin", "deletion"}, "system-security-access-removed", "", [][]move{subject}, nil},
	{4719, anSetting, adminChange, "changed-audit-config", who + " CategoryId SubcategoryId SubcategoryGuid AuditPolicyChanges", [][]move{subject, place}, nil},
	{4739, aConfiguration, changes, "domain-policy-changed", "", [][]move{subject}, nil},
	{4817, anSetting, adminChange, "object-audit-changed", "", [][]move{subject, target, place}, nil},
	{4902, anSetting, []string{"admin", "creation"}, "user-audit-policy-created", "PuaCount PuaPolicyId", nil, nil},
	{4904, anSetting, adminChange, "security-event-source-added", who + " AuditSourceName EventSourceId ProcessId ProcessName", [][]move{subject, place}, nil},
	{4905, anSetting, []string{"admin", "deletion"}, "security-event-source-removed", who + " AuditSourceName EventSourceId ProcessId ProcessName", [][]move{subject, place}, nil},
	{4906, anSetting, adminChange, "crash-on-audit-changed", "CrashOnAuditFailValue", nil, nil},
	{4907, anSetting, adminChange, "audit-setting-changed", ofObject + " OldSd NewSd ProcessId ProcessName", [][]move{subject, target, place}, nil},
	{4908, anSetting, adminChange, "special-group-table-changed", "SidList", nil, nil},
	{4912, anSetting, adminChange, "per-user-audit-policy-changed", "", [][]move{subject, place}, nil},
	{4950, aConfiguration, changes, "windows-firewall-setting-changed", "", nil, nil},
	{4954, aConfiguration, changes, "windows-firewall-group-policy-changed", "", nil, nil},
	{5024, aProcess, starts, "windows-firewall-service-started", "", nil, nil},
	{5025, aProcess, ends, "windows-firewall-service-stopped", "", nil, nil},
	{5033, []string{"driver"}, starts, "windows-firewall-driver-started", "", nil, nil},
	{5034, []string{"driver"}, ends, "windows-firewall-driver-stopped", "", nil, nil},
	{5037, []string{"driver"}, ends, "windows-firewall-driver-error", "", nil, nil},
}

// accountAudits are the changes of accounts and groups.
func accountAudits() []audit {
	user := func(id uint32, what, action, items string) audit {
		return audit{id, anAccount, []string{"user", what}, action, items, [][]move{subject, target, place}, []finish{controlFields}}
	}
	ofAGroup := func(id uint32, what, action string) audit {
		items := ofGroup
		if strings.Contains(action, "member") {
			items = inGroup
		}
		return audit{id, anAccount, []string{"group", what}, action, items, [][]move{subject, group, place}, []finish{memberFields}}
	}
	machine := func(id uint32, what, action string) audit {
		return audit{id, anAccount, []string{what, "admin"}, action, ofUser + " DnsHostName ServicePrincipalNames", [][]move{subject, computer, place}, []finish{controlFields}}
	}
	out := []audit{
		user(4720, "creation", "added-user-account", ofUser), user(4722, "change", "enabled-user-account", whom),
		user(4723, "change", "changed-password", whom+" PrivilegeList"), user(4724, "change", "reset-password", whom),
		user(4725, "deletion", "disabled-user-account", whom), user(4726, "deletion", "deleted-user-account", whom+" PrivilegeList"),
		user(4738, "change", "modified-user-account", "Dummy "+ofUser), user(4740, "change", "locked-out-user-account", whom),
		user(4767, "change", "unlocked-user-account", whom), user(4798, "info", "group-membership-enumerated", whom+" CallerProcessId CallerProcessName"),
		{4781, anAccount, []string{"user", "change"}, "renamed-user-account", "OldTargetUserName NewTargetUserName TargetDomainName TargetSid " + who + " PrivilegeList", [][]move{subject}, nil},
		{4797, anAccount, []string{"user", "info"}, "query-existence-of-blank-password", who + " Workstation TargetUserName TargetDomainName", [][]move{subject}, nil},
		machine(4741, "creation", "added-computer-account"), machine(4742, "change", "changed-computer-account"), machine(4743, "deletion", "deleted-computer-account"),
		ofAGroup(4764, "change", "type-changed-group-account"), ofAGroup(4799, "info", "user-member-enumerated"),
	}
	// Groups come in three scopes, and as security and distribution groups.
	for _, first := range [...]uint32{4727, 4731, 4754} {
		security := [...][2]string{{"creation", "added-group-account"}, {"change", "added-member-to-group"}, {"change", "removed-member-from-group"}, {"deletion", "deleted-group-account"}}
		ids := [...]uint32{first, first + 1, first + 2, first + 3}
		if first == 4754 {
			ids = [...]uint32{4754, 4756, 4757, 4758}
		}
		for i, what := range security {
			out = append(out, ofAGroup(ids[i], what[0], what[1]))
		}
	}
	for _, id := range [...]uint32{4735, 4737, 4755} {
		out = append(out, ofAGroup(id, "change", "modified-group-account"))
	}
	for _, first := range [...]uint32{4744, 4749, 4759} {
		out = append(out,
			ofAGroup(first, "creation", "added-distribution-group-account"), ofAGroup(first+1, "change", "changed-distribution-group-account"),
			ofAGroup(first+2, "change", "added-member-to-distribution-group"), ofAGroup(first+3, "change", "removed-member-from-distribution-group"),
			ofAGroup(first+4, "deletion", "deleted-distribution-group-account"))
	}
	return out
}

var aShare = []string{"network", "file"}

const connectionItems = "ProcessID Application Direction SourceAddress SourcePort DestAddress DestPort Protocol FilterRTID LayerName LayerRTID RemoteUserID RemoteMachineID"

var shareAudits = []audit{
	{5140, aShare, []string{"info", "access"}, "network-share-object-accessed", who + " ObjectType IpAddress IpPort ShareName ShareLocalPath AccessMask AccessList",
		[][]move{subject, place}, []finish{sourceFields, shareFields, accessFields}},
	{5145, aShare, []string{"info", "access"}, "network-share-object-access-checked", who + " ObjectType IpAddress IpPort ShareName ShareLocalPath RelativeTargetName AccessMask AccessList AccessReason",
		[][]move{subject, place}, []finish{sourceFields, shareFields, accessFields}},
	// Elastic's pipelines leave the records of the filtering platform as they come,
	// without a category. Here their addresses are fields too.
	{5156, aNetwork, []string{"connection", "allowed"}, "", connectionItems, [][]move{connection}, []finish{filterFields}},
	{5157, aNetwork, []string{"connection", "denied"}, "", connectionItems, [][]move{connection}, []finish{filterFields}},
}
