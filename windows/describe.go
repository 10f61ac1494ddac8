package windows

import (
	"strconv"
	"strings"
)

// Describe: what the codes in items of audit records mean.

// describe reads items that any audit record may have.
func describe(m *Mapper, r *Record, to []slot) {
	for i := range r.Data {
		switch s := r.Data[i].Value; r.Data[i].Name {
		case "LogonType":
			m.setText(to[0], logonType(s))
		case "FailureReason":
			m.setText(to[1], failureReason(s))
		case "ServiceType":
			m.setText(to[2], serviceType(s))
		}
	}
}

func logonType(s string) string {
	names := [...]string{2: "Interactive", 3: "Network", 4: "Batch", 5: "Service", 7: "Unlock", 8: "NetworkCleartext",
		9: "NewCredentials", 10: "RemoteInteractive", 11: "CachedInteractive"}
	n, ok := parseNumber(s)
	if !ok || n < 0 || n >= int64(len(names)) {
		return ""
	}
	return names[n]
}

// failureReason gives the message that a code such as %%2313 stands for.
func failureReason(s string) string {
	switch strings.TrimPrefix(s, "%%") {
	case "2304":
		return "An Error occured during Logon."
	case "2305":
		return "The specified user account has expired."
	case "2306":
		return "The NetLogon component is not active."
	case "2307":
		return "Account locked out."
	case "2308":
		return "The user has not been granted the requested logon type at this machine."
	case "2309":
		return "The specified account's password has expired."
	case "2310":
		return "Account currently disabled."
	case "2311":
		return "Account logon time restriction violation."
	case "2312":
		return "User not allowed to logon at this computer."
	case "2313":
		return "Unknown user name or bad password."
	case "2314":
		return "Domain sid inconsistent."
	case "2315":
		return "Smartcard logon is required and was not used."
	}
	return ""
}

func serviceType(s string) string {
	switch s {
	case "0x1":
		return "Kernel Driver"
	case "0x2":
		return "File System Driver"
	case "0x8":
		return "Recognizer Driver"
	case "0x10":
		return "Win32 Own Process"
	case "0x20":
		return "Win32 Share Process"
	case "0x110":
		return "Interactive Own Process"
	case "0x120":
		return "Interactive Share Process"
	}
	return ""
}

// bit is a flag with a name.
type bit struct {
	flag int64
	name string
}

var accessBits = [...]bit{
	{0x1, "Create Child"}, {0x2, "Delete Child"}, {0x4, "List Contents"}, {0x8, "SELF"}, {0x10, "Read Property"},
	{0x20, "Write Property"}, {0x40, "Delete Treee"}, {0x80, "List Object"}, {0x100, "Control Access"},
	{0x10000, "DELETE"}, {0x20000, "READ_CONTROL"}, {0x40000, "WRITE_DAC"}, {0x80000, "WRITE_OWNER"},
	{0x100000, "SYNCHRONIZE"}, {0xF00000, "STANDARD_RIGHTS_REQUIRED"}, {0x1F0000, "STANDARD_RIGHTS_ALL"},
	{0xFFFF, "SPECIFIC_RIGHTS_ALL"}, {0x1000000, "ADS_RIGHT_ACCESS_SYSTEM_SECURITY"}, {0x10000000, "ADS_RIGHT_GENERIC_ALL"},
	{0x20000000, "ADS_RIGHT_GENERIC_EXECUTE"}, {0x40000000, "ADS_RIGHT_GENERIC_WRITE"}, {0x80000000, "ADS_RIGHT_GENERIC_READ"},
}

var controlBits = [...]bit{
	{0x1, "SCRIPT"}, {0x2, "ACCOUNTDISABLE"}, {0x8, "HOMEDIR_REQUIRED"}, {0x10, "LOCKOUT"}, {0x20, "PASSWD_NOTREQD"},
	{0x40, "PASSWD_CANT_CHANGE"}, {0x80, "ENCRYPTED_TEXT_PWD_ALLOWED"}, {0x100, "TEMP_DUPLICATE_ACCOUNT"},
	{0x200, "NORMAL_ACCOUNT"}, {0x800, "INTERDOMAIN_TRUST_ACCOUNT"}, {0x1000, "WORKSTATION_TRUST_ACCOUNT"},
	{0x2000, "SERVER_TRUST_ACCOUNT"}, {0x10000, "DONT_EXPIRE_PASSWORD"}, {0x20000, "MNS_LOGON_ACCOUNT"},
	{0x40000, "SMARTCARD_REQUIRED"}, {0x80000, "TRUSTED_FOR_DELEGATION"}, {0x100000, "NOT_DELEGATED"},
	{0x200000, "USE_DES_KEY_ONLY"}, {0x400000, "DONT_REQ_PREAUTH"}, {0x800000, "PASSWORD_EXPIRED"},
	{0x1000000, "TRUSTED_TO_AUTH_FOR_DELEGATION"}, {0x4000000, "PARTIAL_SECRETS_ACCOUNT"},
}

var ticketBits = [...]bit{
	{0x40000000, "Forwardable"}, {0x20000000, "Forwarded"}, {0x10000000, "Proxiable"}, {0x8000000, "Proxy"},
	{0x4000000, "Allow-postdate"}, {0x2000000, "Postdated"}, {0x1000000, "Invalid"}, {0x800000, "Renewable"},
	{0x400000, "Initial"}, {0x200000, "Pre-authent"}, {0x100000, "Opt-hardware-auth"}, {0x80000, "Transited-policy-checked"},
	{0x40000, "Ok-as-delegate"}, {0x20000, "Request-anonymous"}, {0x10000, "Name-canonicalize"},
	{0x20, "Disable-transited-check"}, {0x10, "Renewable-ok"}, {0x8, "Enc-tkt-in-skey"}, {0x2, "Renew"}, {0x1, "Validate"},
}

// addFlags adds the names of the flags in s to winlog.event_data, as a list.
func (m *Mapper) addFlags(name, s string, bits []bit) bool {
	mask, ok := parseNumber(s)
	if !ok {
		return false
	}
	from := len(m.list)
	for _, b := range bits {
		if mask&b.flag == b.flag {
			m.list = append(m.list, b.name)
		}
	}
	if from == len(m.list) {
		return false
	}
	m.data = append(m.data, datum{name: name, from: from, to: len(m.list), isList: true})
	return true
}

func accessMask(m *Mapper, r *Record, to []slot) {
	m.addFlags("AccessMaskDescription", strings.TrimSpace(r.Get("AccessMask")), accessBits[:])
}

func ticket(m *Mapper, r *Record, to []slot) {
	m.addFlags("TicketOptionsDescription", r.Get("TicketOptions"), ticketBits[:])
	var name string
	switch n, _ := parseNumber(r.Get("TicketEncryptionType")); n {
	case 1:
		name = "DES-CBC-CRC"
	case 3:
		name = "DES-CBC-MD5"
	case 0x11:
		name = "AES128-CTS-HMAC-SHA1-96"
	case 0x12:
		name = "AES256-CTS-HMAC-SHA1-96"
	case 0x17:
		name = "RC4-HMAC"
	case 0x18:
		name = "RC4-HMAC-EXP"
	case 0xffffffff:
		name = "FAIL"
	default:
		return
	}
	m.data = append(m.data, datum{name: "TicketEncryptionTypeDescription", text: name})
}

// accountControl lists the flags of an account, and the changes to them.
func accountControl(m *Mapper, r *Record, to []slot) {
	if !m.addFlags("NewUACList", r.Get("NewUacValue"), controlBits[:]) {
		return
	}
	for i := range m.data {
		if d := &m.data[i]; d.name == "UserAccountControl" && d.text != "-" {
			from := len(m.list)
			for _, word := range strings.Split(d.text, "%%") {
				if word = strings.TrimSpace(word); word != "" {
					m.list = append(m.list, word)
				}
			}
			d.from, d.to, d.isList = from, len(m.list), true
		}
	}
}

// member says who joined or left a group.
func member(m *Mapper, r *Record, to []slot) {
	name := r.Get("MemberName")
	if isNothing(name) {
		return
	}
	parts := strings.Split(name, ",")
	m.setText(to[0], afterEquals(parts[0], "CN"))
	if len(parts) >= 4 {
		m.setText(to[1], afterEquals(parts[3], "DC"))
	}
	if name = m.textOf(to[0]); name != "" {
		m.addTo(to[2], name)
	}
	for i := range 3 {
		m.setText(to[6+i], m.textOf(to[3+i]))
	}
}

// afterEquals takes the attribute off a part of a distinguished name.
func afterEquals(part, attribute string) string {
	if name, value, ok := strings.Cut(part, "="); ok && strings.EqualFold(name, attribute) {
		return value
	}
	return part
}

func relatedSource(m *Mapper, r *Record, to []slot) {
	if ip := m.textOf(to[0]); ip != "" {
		m.addTo(to[1], ip)
	}
}

// share says which file of a share was used.
func share(m *Mapper, r *Record, to []slot) {
	name, directory := r.Get("RelativeTargetName"), r.Get("ShareLocalPath")
	if !isNothing(directory) {
		m.setText(to[1], directory)
	}
	if isNothing(name) {
		return
	}
	m.setText(to[0], name)
	if !isNothing(directory) {
		m.setText(to[2], m.join(directory, name))
	}
	if shareName := r.Get("ShareName"); !isNothing(shareName) {
		m.setText(to[3], m.join(shareName, name))
	}
	if dot := strings.LastIndexByte(name, '.'); dot >= 0 {
		m.setText(to[4], name[dot+1:])
	}
}

// join joins two texts by a backslash.
func (m *Mapper) join(a, b string) string {
	start := len(m.text)
	m.text = append(append(append(m.text, a...), '\\'), b...)
	return view(m.text[start:])
}

// filtered reads a connection that the filtering platform let through, or not.
func filtered(m *Mapper, r *Record, to []slot) {
	switch r.Get("Direction") {
	case "%%14592", "Inbound":
		m.setText(to[0], "ingress")
	case "%%14593", "Outbound":
		m.setText(to[0], "egress")
	}
	if ip := m.textOf(to[4]); ip != "" {
		m.setText(to[1], map[bool]string{true: "ipv6", false: "ipv4"}[strings.Contains(ip, ":")])
	}
	protocol := r.Get("Protocol")
	if _, err := strconv.ParseUint(protocol, 10, 8); err == nil {
		m.setText(to[3], protocol)
	}
	switch protocol {
	case "1":
		m.setText(to[2], "icmp")
	case "6":
		m.setText(to[2], "tcp")
	case "17":
		m.setText(to[2], "udp")
	case "58":
		m.setText(to[2], "ipv6-icmp")
	}
	for _, s := range to[4:6] {
		if ip := m.textOf(s); ip != "" {
			m.addTo(to[6], ip)
		}
	}
}
