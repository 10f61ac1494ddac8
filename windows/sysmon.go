package windows

import (
	"math/bits"
	"strconv"
	"strings"

	"github.com/shrike-project/shrike/event"
)

// Sysmon: the windows.sysmon_operational data stream.

func sysmon() source {
	return source{
		name: "sysmon", providers: []string{"Microsoft-Windows-Sysmon"},
		module: "sysmon", dataset: "windows.sysmon_operational", nothing: isNothing,
		vocabulary: sysmonVocabulary, kinds: sysmonKinds,
		other: kind{},
		finish: []finish{
			{[]string{"@timestamp"}, sysmonTime},
			{[]string{"user.id"}, writerID},
		},
	}
}

// sysmonVocabulary says what Sysmon's items mean.
var sysmonVocabulary = []move{
	{item: "RuleName", to: "rule.name"},
	{item: "UtcTime", how: asDropped},
	{item: "ProcessGuid", to: "process.entity_id"},
	{item: "ProcessId", how: asNumber, to: "process.pid"},
	{item: "Image", how: asProcess, to: "process.executable"},
	{item: "SourceProcessGuid", to: "process.entity_id"},
	{item: "SourceProcessGUID", to: "process.entity_id"},
	{item: "SourceProcessId", how: asNumber, to: "process.pid"},
	{item: "SourceThreadId", how: asNumber, to: "process.thread.id"},
	{item: "SourceImage", how: asProcess, to: "process.executable"},
	{item: "Destination", how: asProcess, to: "process.executable"},
	{item: "TargetProcessGuid", how: asNamed, to: "TargetProcessGUID"},
	{item: "CommandLine", how: asCommand, to: "process.command_line"},
	{item: "CurrentDirectory", to: "process.working_directory"},
	{item: "ParentProcessGuid", to: "process.parent.entity_id"},
	{item: "ParentProcessId", how: asNumber, to: "process.parent.pid"},
	{item: "ParentImage", how: asProcess, to: "process.parent.executable"},
	{item: "ParentCommandLine", how: asCommand, to: "process.parent.command_line"},
	{item: "OriginalFileName", to: "process.pe.original_file_name"},
	{item: "Company", to: "process.pe.company", keep: true},
	{item: "Description", to: "process.pe.description", keep: true},
	{item: "FileVersion", to: "process.pe.file_version", keep: true},
	{item: "Product", to: "process.pe.product", keep: true},
	{item: "Hashes", how: asHashes, to: "process"},
	{item: "Hash", how: asHashes, to: "process"},
	{item: "User", how: asAccount, to: "user"},

	{item: "TargetFilename", how: asFile, to: "file.path"},
	{item: "Device", how: asFile, to: "file.path"},
	{item: "ImageLoaded", how: asFile, to: "file.path"},
	{item: "PipeName", to: "file.name"},
	{item: "Signature", to: "file.code_signature.subject_name", keep: true},
	{item: "SignatureStatus", to: "file.code_signature.status", keep: true},
	{item: "Archived", how: asFlag, to: "sysmon.file.archived"},
	{item: "IsExecutable", how: asFlag, to: "sysmon.file.is_executable"},

	{item: "Protocol", to: "network.transport"},
	{item: "DestinationPortName", to: "network.protocol"},
	{item: "SourcePortName", to: "network.protocol"},
	{item: "SourceIp", how: asIP, to: "source.ip"},
	{item: "SourceHostname", to: "source.domain"},
	{item: "SourcePort", how: asNumber, to: "source.port"},
	{item: "DestinationIp", how: asIP, to: "destination.ip"},
	{item: "DestinationHostname", to: "destination.domain"},
	{item: "DestinationPort", how: asNumber, to: "destination.port"},
	{item: "Initiated", how: asDropped},
	{item: "SourceIsIpv6", how: asDropped},
	{item: "DestinationIsIpv6", how: asDropped},

	{item: "QueryName", how: asHost, to: "dns.question.name"},
	{item: "QueryStatus", how: asDropped},
	{item: "QueryResults", how: asDropped},
}

// fileHashes are the items of records whose hashes and version are those of a file
// that is not the process.
var fileHashes = []move{
	{item: "Hashes", how: asHashes, to: "file"},
	{item: "Hash", how: asHashes, to: "file"},
}

var loadedFile = append([]move{
	{item: "OriginalFileName", to: "file.pe.original_file_name"},
	{item: "Company", to: "file.pe.company", keep: true},
	{item: "Description", to: "file.pe.description", keep: true},
	{item: "FileVersion", to: "file.pe.file_version", keep: true},
	{item: "Product", to: "file.pe.product", keep: true},
}, fileHashes...)

// registryItems take away what registry writes into fields.
var registryItems = []move{
	{item: "TargetObject", how: asDropped},
	{item: "Details", how: asDropped},
}

var (
	registryFields = finish{[]string{"registry.path", "registry.hive", "registry.key", "registry.value", "registry.data.type", "registry.data.strings"}, registry}
	signedFields   = finish{[]string{"file.code_signature.valid"}, signedFile}
	networkFields  = finish{[]string{"network.direction", "network.type", "source.ip", "destination.ip", "related.ip"}, network}
	dnsFields      = finish{[]string{"network.protocol", "sysmon.dns.status", "dns.answers", "dns.resolved_ip", "related.ip", "related.hosts"}, dns}
)

var (
	aProcess       = []string{"process"}
	aFile          = []string{"file"}
	aConfiguration = []string{"configuration"}
	aRegistry      = []string{"configuration", "registry"}
	aNetwork       = []string{"network"}

	starts  = []string{"start"}
	ends    = []string{"end"}
	changes = []string{"change"}
	creates = []string{"creation"}
	deletes = []string{"deletion"}
	reads   = []string{"access"}
	informs = []string{"info"}
)

var sysmonKinds = []kind{
	{id: 1, category: aProcess, types: starts, action: "Process creation", task: "Process Create (rule: ProcessCreate)",
		items: "RuleName UtcTime ProcessGuid ProcessId Image FileVersion Description Product Company OriginalFileName CommandLine CurrentDirectory User LogonGuid LogonId TerminalSessionId IntegrityLevel Hashes ParentProcessGuid ParentProcessId ParentImage ParentCommandLine ParentUser"},
	{id: 2, category: aFile, types: changes, action: "A process changed a file creation time", task: "File creation time changed (rule: FileCreateTime)",
		items: "RuleName UtcTime ProcessGuid ProcessId Image TargetFilename CreationUtcTime PreviousCreationUtcTime User"},
	{id: 3, category: aNetwork, types: []string{"start", "connection", "protocol"}, action: "Network connection", task: "Network connection detected (rule: NetworkConnect)",
		items:  "RuleName UtcTime ProcessGuid ProcessId Image User Protocol Initiated SourceIsIpv6 SourceIp SourceHostname SourcePort SourcePortName DestinationIsIpv6 DestinationIp DestinationHostname DestinationPort DestinationPortName",
		finish: []finish{networkFields}},
	{id: 4, category: aProcess, types: changes, action: "Sysmon service state changed", task: "Sysmon service state changed",
		items: "UtcTime State Version SchemaVersion"},
	{id: 5, category: aProcess, types: ends, action: "Process terminated", task: "Process terminated (rule: ProcessTerminate)",
		items: "RuleName UtcTime ProcessGuid ProcessId Image User"},
	{id: 6, category: []string{"driver"}, types: starts, action: "Driver loaded", task: "Driver loaded (rule: DriverLoad)",
		items: "RuleName UtcTime ImageLoaded Hashes Signed Signature SignatureStatus",
		moves: fileHashes, finish: []finish{signedFields}},
	{id: 7, category: aProcess, types: changes, action: "Image loaded", task: "Image loaded (rule: ImageLoad)",
		items: "RuleName UtcTime ProcessGuid ProcessId Image ImageLoaded FileVersion Description Product Company OriginalFileName Hashes Signed Signature SignatureStatus User",
		moves: loadedFile, finish: []finish{signedFields}},
	{id: 8, category: aProcess, types: changes, action: "CreateRemoteThread", task: "CreateRemoteThread detected (rule: CreateRemoteThread)",
		items: "RuleName UtcTime SourceProcessGuid SourceProcessId SourceImage TargetProcessGuid TargetProcessId TargetImage NewThreadId StartAddress StartModule StartFunction SourceUser TargetUser"},
	{id: 9, category: aProcess, types: reads, action: "RawAccessRead", task: "RawAccessRead detected (rule: RawAccessRead)",
		items: "RuleName UtcTime ProcessGuid ProcessId Image Device User"},
	{id: 10, category: aProcess, types: reads, action: "ProcessAccess", task: "Process accessed (rule: ProcessAccess)",
		items: "RuleName UtcTime SourceProcessGUID SourceProcessId SourceThreadId SourceImage TargetProcessGUID TargetProcessId TargetImage GrantedAccess CallTrace SourceUser TargetUser"},
	{id: 11, category: aFile, types: creates, action: "FileCreate", task: "File created (rule: FileCreate)",
		items: "RuleName UtcTime ProcessGuid ProcessId Image TargetFilename CreationUtcTime User"},
	{id: 12, category: aRegistry, types: changes, action: "RegistryEvent (Object create and delete)", task: "Registry object added or deleted (rule: RegistryEvent)",
		items: "RuleName EventType UtcTime ProcessGuid ProcessId Image TargetObject User",
		moves: registryItems, finish: []finish{registryFields}},
	{id: 13, category: aRegistry, types: changes, action: "RegistryEvent (Value Set)", task: "Registry value set (rule: RegistryEvent)",
		items: "RuleName EventType UtcTime ProcessGuid ProcessId Image TargetObject Details User",
		moves: registryItems, finish: []finish{registryFields}},
	{id: 14, category: aRegistry, types: changes, action: "RegistryEvent (Key and Value Rename)", task: "Registry object renamed (rule: RegistryEvent)",
		items: "RuleName EventType UtcTime ProcessGuid ProcessId Image TargetObject NewName User",
		moves: registryItems, finish: []finish{registryFields}},
	{id: 15, category: aFile, types: reads, action: "FileCreateStreamHash", task: "File stream created (rule: FileCreateStreamHash)",
		items: "RuleName UtcTime ProcessGuid ProcessId Image TargetFilename CreationUtcTime Hash Contents User",
		moves: fileHashes},
	{id: 16, category: aConfiguration, types: changes, action: "ServiceConfigurationChange", task: "Sysmon config state changed",
		items: "UtcTime Configuration ConfigurationFileHash"},
	{id: 17, category: aFile, types: creates, action: "PipeEvent (Pipe Created)", task: "Pipe Created (rule: PipeEvent)",
		items: "RuleName EventType UtcTime ProcessGuid ProcessId PipeName Image User"},
	{id: 18, category: aFile, types: reads, action: "PipeEvent (Pipe Connected)", task: "Pipe Connected (rule: PipeEvent)",
		items: "RuleName EventType UtcTime ProcessGuid ProcessId PipeName Image User"},
	{id: 19, category: aProcess, types: informs, action: "WmiEvent (WmiEventFilter activity detected)", task: "WmiEventFilter activity detected (rule: WmiEvent)",
		items: "RuleName EventType UtcTime Operation User EventNamespace Name Query"},
	{id: 20, category: aProcess, types: changes, action: "WmiEvent (WmiEventConsumer activity detected)", task: "WmiEventConsumer activity detected (rule: WmiEvent)",
		items: "RuleName EventType UtcTime Operation User Name Type Destination"},
	{id: 21, category: aProcess, types: reads, action: "WmiEvent (WmiEventConsumerToFilter activity detected)", task: "WmiEventConsumerToFilter activity detected (rule: WmiEvent)",
		items: "RuleName EventType UtcTime Operation User Consumer Filter"},
	{id: 22, category: aNetwork, types: []string{"connection", "protocol", "info"}, action: "DNSEvent (DNS query)", task: "Dns query (rule: DnsQuery)",
		items:  "RuleName UtcTime ProcessGuid ProcessId QueryName QueryStatus QueryResults Image User",
		finish: []finish{dnsFields}},
	{id: 23, category: aFile, types: deletes, action: "FileDelete (File Delete archived)", task: "File Delete archived (rule: FileDelete)",
		items: "RuleName UtcTime ProcessGuid ProcessId User Image TargetFilename Hashes IsExecutable Archived"},
	{id: 24, types: changes, action: "ClipboardChange (New content in the clipboard)", task: "Clipboard changed (rule: ClipboardChange)",
		items: "RuleName UtcTime ProcessGuid ProcessId Image Session ClientInfo Hashes Archived User"},
	{id: 25, category: aProcess, types: changes, action: "ProcessTampering (Process image change)", task: "Process Tampering (rule: ProcessTampering)",
		items: "RuleName UtcTime ProcessGuid ProcessId Image Type User",
		moves: []move{{item: "Type", to: "message"}}},
	{id: 26, category: aFile, types: deletes, action: "FileDeleteDetected (File Delete logged)", task: "File Delete logged (rule: FileDeleteDetected)",
		items: "RuleName UtcTime ProcessGuid ProcessId User Image TargetFilename Hashes IsExecutable",
		moves: fileHashes},
	{id: 27, category: aFile, types: creates, action: "FileBlockExecutable", outcome: "failure", task: "File Block Executable (rule: FileBlockExecutable)",
		items: "RuleName UtcTime ProcessGuid ProcessId User Image TargetFilename Hashes", moves: fileHashes},
	{id: 28, category: aFile, types: deletes, action: "FileBlockShredding", task: "File Block Shredding (rule: FileBlockShredding)",
		items: "RuleName UtcTime ProcessGuid ProcessId User Image TargetFilename Hashes IsExecutable", moves: fileHashes},
	{id: 29, category: aFile, types: creates, action: "FileExecutableDetected", task: "File Executable Detected (rule: FileExecutableDetected)",
		items: "RuleName UtcTime ProcessGuid ProcessId User Image TargetFilename Hashes",
		moves: fileHashes},
	{id: 255, category: aProcess, action: "Error", outcome: "failure", task: "Error report",
		items: "UtcTime ID Description",
		moves: []move{{item: "ID", to: "error.code"}, {item: "Description", how: asNamed, to: "Description"}}},
}

// sysmonTime takes the time that Sysmon itself noted.
func sysmonTime(m *Mapper, r *Record, to []slot) {
	t, ok := utcTime(r)
	if !ok {
		return
	}
	start := len(m.text)
	m.text = append(m.clock.append(append(m.text, '"'), t), '"')
	m.setRaw(to[0], view(m.text[start:]))
}

// utcTime gives the time that Sysmon noted in a record.
func utcTime(r *Record) (event.Time, bool) {
	// It is among the first items.
	for i := range r.Data {
		if r.Data[i].Name == "UtcTime" {
			return event.ParseTime(r.Data[i].Value)
		}
	}
	return event.Time{}, false
}

// writerID gives the account that wrote the record, as Elastic does: it is not that
// of the process.
func writerID(m *Mapper, r *Record, to []slot) { m.setText(to[0], r.UserID) }

func signedFile(m *Mapper, r *Record, to []slot) {
	if r.Get("SignatureStatus") == "Valid" {
		m.setRaw(to[0], "true")
	}
}

func network(m *Mapper, r *Record, to []slot) {
	switch r.Get("Initiated") {
	case "true":
		m.setText(to[0], "egress")
	case "false":
		m.setText(to[0], "ingress")
	}
	switch r.Get("SourceIsIpv6") {
	case "true":
		m.setText(to[1], "ipv6")
	case "false":
		m.setText(to[1], "ipv4")
	}
	for _, s := range to[2:4] {
		if ip := m.textOf(s); ip != "" {
			m.addTo(to[4], ip)
		}
	}
}

// hives are the roots of the registry, by both of their names.
func hive(root string) string {
	switch root {
	case "HKEY_CLASSES_ROOT", "HKCR":
		return "HKCR"
	case "HKEY_CURRENT_CONFIG", "HKCC":
		return "HKCC"
	case "HKEY_CURRENT_USER", "HKCU":
		return "HKCU"
	case "HKEY_DYN_DATA", "HKDD":
		return "HKDD"
	case "HKEY_LOCAL_MACHINE", "HKLM":
		return "HKLM"
	case "HKEY_PERFORMANCE_DATA", "HKPD":
		return "HKPD"
	case "HKEY_USERS", "HKU":
		return "HKU"
	}
	return ""
}

func registry(m *Mapper, r *Record, to []slot) {
	path := r.Get("TargetObject")
	if isNothing(path) {
		return
	}
	m.setText(to[0], path)
	root, key, _ := strings.Cut(path, `\`)
	if h := hive(root); h != "" {
		m.setText(to[1], h)
		m.setText(to[2], key)
	}
	m.setText(to[3], baseName(path))
	details := r.Get("Details")
	if isNothing(details) {
		return
	}
	typ, data := m.registryData(details)
	m.setText(to[4], typ)
	from := len(m.list)
	m.list = append(m.list, data)
	m.setList(to[5], from)
}

// registryData reads the data of a value as Sysmon renders it. The names of the
// types are those that Elastic's pipeline gives.
func (m *Mapper) registryData(details string) (typ, data string) {
	if hex, ok := within(details, "DWORD (", ")"); ok && len(hex) == 10 {
		if n, ok := parseNumber(hex); ok {
			return "SZ_DWORD", m.decimal(uint64(n))
		}
	}
	if hex, ok := within(details, "QWORD (", ")"); ok && len(hex) == 21 && hex[10] == '-' {
		high, ok1 := parseNumber(hex[:10])
		low, ok2 := parseNumber(hex[11:])
		if ok1 && ok2 {
			// Elastic's pipeline shifts by 8 where 32 were right; numbers above
			// 32 bits would differ from its.
			return "SZ_QWORD", m.decimal(uint64(high)<<8 + uint64(low))
		}
	}
	if details == "Binary Data" {
		return "REG_BINARY", details
	}
	return "REG_SZ", details
}

// within gives what stands between a prefix, of any case, and a suffix.
func within(s, prefix, suffix string) (string, bool) {
	if len(s) < len(prefix)+len(suffix) || !strings.EqualFold(s[:len(prefix)], prefix) || !strings.HasSuffix(s, suffix) {
		return "", false
	}
	return s[len(prefix) : len(s)-len(suffix)], true
}

// dns reads the results of a query: "type:  5 a.example;::ffff:192.0.2.1;".
func dns(m *Mapper, r *Record, to []slot) {
	m.setText(to[0], "dns")
	if status := r.Get("QueryStatus"); !isNothing(status) {
		m.setText(to[1], dnsStatus(status))
	}
	results := r.Get("QueryResults")
	if isNothing(results) {
		return
	}
	answers, from := len(m.text), len(m.list)
	for results != "" {
		var one string
		one, results, _ = strings.Cut(results, ";")
		if one = strings.TrimPrefix(one, "::ffff:"); isAddress(one) {
			m.list = append(m.list, one)
		}
	}
	m.setList(to[3], from)
	last := len(m.list)
	for results = r.Get("QueryResults"); results != ""; {
		var one string
		one, results, _ = strings.Cut(results, ";")
		if rest, ok := strings.CutPrefix(one, "type:"); ok {
			number, data, _ := strings.Cut(strings.TrimSpace(rest), " ")
			data = strings.TrimSpace(data)
			m.answer(answers, recordType(number), data)
			if data != "" {
				m.addTo(to[5], data)
			}
		}
	}
	for i := from; i < last; i++ {
		m.addTo(to[4], m.list[i])
		m.answer(answers, addressType(m.list[i]), m.list[i])
	}
	if len(m.text) > answers {
		m.text = append(m.text, ']')
		m.setRaw(to[2], view(m.text[answers:]))
	}
}

// answer appends an answer to the list that starts in m.text at start.
func (m *Mapper) answer(start int, typ, data string) {
	if len(m.text) == start {
		m.text = append(m.text, '[')
	} else {
		m.text = append(m.text, ',')
	}
	m.text = appendString(append(m.text, `{"type":`...), typ)
	if data != "" {
		m.text = appendString(append(m.text, `,"data":`...), data)
	}
	m.text = append(m.text, '}')
}

// addressType gives the type of the record that holds an address.
func addressType(ip string) string {
	if strings.Contains(ip, ":") {
		return "AAAA"
	}
	return "A"
}

func isAddress(s string) bool {
	return s != "" && strings.Trim(s, "0123456789abcdefABCDEF.:") == "" && strings.ContainsAny(s, ".:")
}

// recordType names the type of a DNS record.
func recordType(number string) string {
	switch number {
	case "1":
		return "A"
	case "2":
		return "NS"
	case "5":
		return "CNAME"
	case "6":
		return "SOA"
	case "12":
		return "PTR"
	case "15":
		return "MX"
	case "16":
		return "TXT"
	case "28":
		return "AAAA"
	case "33":
		return "SRV"
	case "65":
		return "HTTPS"
	case "255":
		return "ANY"
	}
	return "TYPE" + number
}

// dnsStatus names the common results of queries; others stay numbers.
func dnsStatus(status string) string {
	n, err := strconv.ParseUint(status, 10, 32)
	if err != nil || bits.Len64(n) > 32 {
		return status
	}
	switch n {
	case 0:
		return "SUCCESS"
	case 5:
		return "ERROR_ACCESS_DENIED"
	case 123:
		return "ERROR_INVALID_NAME"
	case 1214:
		return "ERROR_INVALID_NETNAME"
	case 1223:
		return "ERROR_CANCELLED"
	case 1460:
		return "ERROR_TIMEOUT"
	case 9001:
		return "DNS_ERROR_RCODE_FORMAT_ERROR"
	case 9002:
		return "DNS_ERROR_RCODE_SERVER_FAILURE"
	case 9003:
		return "DNS_ERROR_RCODE_NAME_ERROR"
	case 9004:
		return "DNS_ERROR_RCODE_NOT_IMPLEMENTED"
	case 9005:
		return "DNS_ERROR_RCODE_REFUSED"
	case 9501:
		return "DNS_INFO_NO_RECORDS"
	case 9502:
		return "DNS_ERROR_BAD_PACKET"
	case 9701:
		return "DNS_ERROR_RECORD_DOES_NOT_EXIST"
	case 9852:
		return "DNS_ERROR_NO_DNS_SERVERS"
	case 10054:
		return "WSAECONNRESET"
	case 10060:
		return "WSAETIMEDOUT"
	}
	return status
}
