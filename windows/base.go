package windows

import (
	"strconv"
	"strings"
)

// Base: what every record has, whatever it is about.

// baseFields are the fields of the base. Those above agentFields are what Elastic's
// pipelines give; the others are what the agent that ships the records adds.
var baseFields = []string{
	bTimestamp: "@timestamp", bVersion: "ecs.version", bKind: "event.kind", bCode: "event.code",
	bProvider: "event.provider", bModule: "event.module", bAction: "event.action",
	bCategory: "event.category", bTypes: "event.type", bOutcome: "event.outcome",
	bHostName: "host.name", bLevel: "log.level", bMessage: "message", bUserID: "user.id",
	bChannel: "winlog.channel", bComputer: "winlog.computer_name", bEventID: "winlog.event_id",
	bKeywords: "winlog.keywords", bOpcode: "winlog.opcode", bPID: "winlog.process.pid",
	bThread: "winlog.process.thread.id", bGUID: "winlog.provider_guid", bProviderName: "winlog.provider_name",
	bRecord: "winlog.record_id", bTask: "winlog.task", bVersionNumber: "winlog.version",
	bActivity: "winlog.activity_id", bRelated: "winlog.related_activity_id",
	bSID: "winlog.user.identifier", bUser: "winlog.user.name", bDomain: "winlog.user.domain", bUserType: "winlog.user.type",
	bData: "winlog.event_data", bUserData: "winlog.user_data",

	bDataset: "event.dataset", bStreamType: "data_stream.type", bStreamDataset: "data_stream.dataset",
	bStreamNamespace: "data_stream.namespace", bHostID: "host.id", bOSType: "host.os.type", bOSFamily: "host.os.family",

	bLeftOver: "shrike.left_over", // the reader says so
}

const (
	bTimestamp = iota
	bVersion
	bKind
	bCode
	bProvider
	bModule
	bAction
	bCategory
	bTypes
	bOutcome
	bHostName
	bLevel
	bMessage
	bUserID
	bChannel
	bComputer
	bEventID
	bKeywords
	bOpcode
	bPID
	bThread
	bGUID
	bProviderName
	bRecord
	bTask
	bVersionNumber
	bActivity
	bRelated
	bSID
	bUser
	bDomain
	bUserType
	bData
	bUserData
	bDataset
	bStreamType
	bStreamDataset
	bStreamNamespace
	bHostID
	bOSType
	bOSFamily
	bLeftOver
)

// ecsVersion is the version of the Elastic Common Schema that the documents follow.
const ecsVersion = "8.17.0"

// base fills what every record has. It gives the name that event.action had before
// Elastic's pipelines renamed it, where that differs: the name of the task. Rules
// that were written for the older collector ask for it, so the document carries it
// too, as a second value of event.action.
func (m *Mapper) base(r *Record, src *compiledSource, k *compiledKind) (older string) {
	b := m.schema.base
	if r.Timed && !m.has(b[bTimestamp]) {
		start := len(m.text)
		m.text = m.clock.append(append(m.text, '"'), r.Time)
		m.text = append(m.text, '"')
		m.setRaw(b[bTimestamp], view(m.text[start:]))
	}
	code := m.decimal(uint64(r.EventID))
	task := taskName(r, k)
	m.setText(b[bVersion], ecsVersion)
	m.setText(b[bKind], "event")
	m.setText(b[bCode], code)
	m.setText(b[bProvider], r.Provider)
	m.setText(b[bAction], k.action)
	older = task
	if !m.has(b[bAction]) {
		m.setText(b[bAction], task)
	}
	if older == m.textOf(b[bAction]) {
		older = ""
	}
	m.setRaw(b[bCategory], k.category)
	m.setRaw(b[bTypes], k.types)
	m.setText(b[bOutcome], k.outcome)
	m.setText(b[bOutcome], outcome(r))
	m.setText(b[bLevel], levelName(r))
	m.setText(b[bMessage], r.Message)
	m.host(r, src)
	m.winlog(r, code, task)
	return older
}

func (m *Mapper) host(r *Record, src *compiledSource) {
	b := m.schema.base
	dataset := src.dataset
	if dataset == "" {
		dataset = datasetOf(r.Channel)
	}
	module := src.module
	if module == "" {
		module = moduleOf(dataset)
	}
	m.setText(b[bModule], module)
	m.setText(b[bDataset], dataset)
	m.setText(b[bStreamDataset], dataset)
	m.setText(b[bStreamType], "logs")
	m.setText(b[bStreamNamespace], "default")
	// The agent's host.id is the GUID of the machine, which no record holds. Rules
	// follow a host by it, so the name stands in.
	m.setText(b[bHostID], r.Computer)
	m.setText(b[bHostName], r.Computer)
	m.setText(b[bOSType], "windows")
	m.setText(b[bOSFamily], "windows")
	if r.LeftOver {
		m.setRaw(b[bLeftOver], "true")
	}
}

func (m *Mapper) winlog(r *Record, code, task string) {
	b := m.schema.base
	m.setText(b[bChannel], r.Channel)
	m.setText(b[bComputer], r.Computer)
	m.setText(b[bEventID], code)
	m.setText(b[bProviderName], r.Provider)
	m.setText(b[bGUID], r.ProviderGUID)
	m.setText(b[bTask], task)
	m.setText(b[bOpcode], opcodeName(r))
	m.setText(b[bActivity], r.ActivityID)
	m.setText(b[bRelated], r.RelatedID)
	if r.RecordID != 0 {
		m.setText(b[bRecord], m.decimal(r.RecordID))
	}
	if r.Version != 0 || r.ProviderGUID != "" {
		m.setNumber(b[bVersionNumber], int64(r.Version))
	}
	if r.ProcessID != 0 || r.ThreadID != 0 {
		m.setNumber(b[bPID], int64(r.ProcessID))
		m.setNumber(b[bThread], int64(r.ThreadID))
	}
	m.keywords(r)
	m.account(r)
	if len(m.data) > 0 {
		to := b[bData]
		if r.UserDataName != "" {
			to = b[bUserData]
		}
		m.use(to).kind = dataValue
	}
}

func (m *Mapper) keywords(r *Record) {
	from := len(m.list)
	if len(r.KeywordSet) > 0 {
		m.list = append(m.list, r.KeywordSet...)
	} else if name := keywordName(r.Keywords); name != "" {
		m.list = append(m.list, name)
	}
	m.setList(m.schema.base[bKeywords], from)
}

// account writes the account of the process that wrote the record.
func (m *Mapper) account(r *Record) {
	b := m.schema.base
	m.setText(b[bSID], r.UserID)
	if known, ok := wellKnown(r.UserID); ok && r.UserName == "" {
		m.setText(b[bUser], known)
		m.setText(b[bDomain], "NT AUTHORITY")
		m.setText(b[bUserType], "Well Known Group")
		return
	}
	m.setText(b[bUser], r.UserName)
	m.setText(b[bDomain], r.UserDomain)
	m.setText(b[bUserType], r.UserType)
}

// decimal writes a number into the Mapper's memory.
func (m *Mapper) decimal(n uint64) string {
	start := len(m.text)
	m.text = strconv.AppendUint(m.text, n, 10)
	return view(m.text[start:])
}

// datasetOf gives the data set in which Elastic's integrations keep a channel that
// has no table.
func datasetOf(channel string) string {
	switch {
	case strings.EqualFold(channel, "Security"):
		return "system.security"
	case strings.EqualFold(channel, "System"):
		return "system.system"
	case strings.EqualFold(channel, "Application"):
		return "system.application"
	case strings.EqualFold(channel, "Windows PowerShell"):
		return "windows.powershell"
	case strings.EqualFold(channel, "Microsoft-Windows-PowerShell/Operational"):
		return "windows.powershell_operational"
	case strings.EqualFold(channel, "Microsoft-Windows-Sysmon/Operational"):
		return "windows.sysmon_operational"
	}
	return "windows.forwarded"
}

// moduleOf gives the module of a data set: that of winlogbeat for the Security log,
// else the name of the integration.
func moduleOf(dataset string) string {
	if dataset == "system.security" {
		return "security"
	}
	name, _, _ := strings.Cut(dataset, ".")
	return name
}
