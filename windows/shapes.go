package windows

import (
	"slices"
	"strings"

	"github.com/shrike-project/shrike/event"
)

// Shapes: how each format names what a record consists of.

// flat reads documents whose data stand beside the number and the channel.
func (p *Parser) flat(r *Record) {
	for {
		name, ok := p.j.member()
		if !ok {
			break
		}
		if !p.flatSystem(r, name) && !p.flatCollector(name) && !p.flatData(r, name) {
			if p.j.peek() == 'n' {
				p.j.skip() // null
				continue
			}
			p.add(r, name, p.text())
		}
	}
	if p.nxlog {
		p.dropCollected(r)
	}
	if p.azure {
		r.Data = slices.DeleteFunc(r.Data, func(d Item) bool {
			switch d.Name {
			case "Account", "AccountType", "Process", "SubjectAccount", "TargetAccount", "Activity", "Type":
				return true
			}
			return false
		})
	}
	p.flatTime(r)
}

// flatSystem reads what a record has beside its data.
func (p *Parser) flatSystem(r *Record, name string) bool {
	switch name {
	case "EventID", "EventId":
		r.EventID = p.uint32()
	case "SourceName", "Provider", "EventSourceName":
		r.Provider = p.text()
	case "ProviderGuid":
		r.ProviderGUID = p.text()
	case "Channel":
		r.Channel = p.text()
	case "Hostname", "Computer":
		r.Computer = p.text()
	case "Level", "EventLevel":
		r.Level = p.uint32()
	case "EventLevelName":
		r.LevelName = p.text()
	case "Keywords":
		p.keywords(r)
	case "Task":
		r.Task = p.uint32()
	case "OpcodeValue":
		r.Opcode = p.uint32()
	case "Opcode":
		p.opcode(r)
	case "Version":
		r.Version = p.uint32()
	case "RecordNumber", "EventRecordID", "EventRecordId":
		r.RecordID = uint64(p.j.number())
	case "ExecutionProcessID", "SystemProcessId":
		r.ProcessID = p.uint32()
	case "ThreadID", "SystemThreadId":
		r.ThreadID = p.uint32()
	case "UserID", "SystemUserId":
		r.UserID = p.text()
	case "ActivityID":
		r.ActivityID = p.text()
	case "Message":
		r.Message = p.text()
	default:
		return false
	}
	return true
}

func (p *Parser) opcode(r *Record) {
	if s := p.text(); s != "" && (s[0] < '0' || s[0] > '9') {
		r.OpcodeName = s
	} else if n, ok := parseNumber(s); ok {
		r.Opcode = uint32(n)
	}
}

// flatCollector reads what the collector added.
func (p *Parser) flatCollector(name string) bool {
	switch name {
	case "EventTime":
		p.times.event = p.text()
	case "TimeCreated":
		p.times.created = p.text()
	case "EventReceivedTime":
		p.times.received = p.text()
	case "@timestamp":
		p.times.collected = p.text()
	case "TimeGenerated":
		p.azure, p.times.generated = true, p.text()
	case "SourceModuleType":
		p.nxlog = true
		p.j.skip()
	case "Category":
		p.category = p.text()
	case "EventTypeOrignal":
		p.ownType = p.text()
	case "SourceModuleName", "@version", "@metadata", "tags", "host", "port", "Severity", "SeverityValue", "ERROR_EVT_UNRESOLVED",
		"TenantId", "SourceSystem", "SourceComputerId", "EventOriginId", "MG", "TimeCollected", "ManagementGroupName", "_ResourceId":
		p.j.skip()
	default:
		return false
	}
	return true
}

// flatData reads data that stand in a text of their own, as Azure's rows have them.
func (p *Parser) flatData(r *Record, name string) bool {
	if name != "EventData" && name != "UserData" {
		return false
	}
	switch p.j.peek() {
	case '{':
		p.items(r)
		return true
	case '"':
	default:
		return false
	}
	s := strings.TrimSpace(p.text())
	switch {
	case strings.HasPrefix(s, "{"):
		outer := p.j
		p.j = jsonReader{doc: []byte(s), text: outer.text}
		p.items(r)
		outer.text, outer.bad = p.j.text, outer.bad || p.j.bad
		p.j = outer
	case strings.HasPrefix(s, "<"):
		p.xml(r, s)
	case s != "":
		p.add(r, name, s)
	}
	return true
}

// xml reads <Data Name="…">…</Data> elements.
func (p *Parser) xml(r *Record, s string) {
	for {
		_, rest, ok := strings.Cut(s, "<Data")
		if !ok {
			return
		}
		attributes, rest, ok := strings.Cut(rest, ">")
		if !ok {
			return
		}
		s = rest
		name := attribute(attributes)
		var value string
		if !strings.HasSuffix(attributes, "/") {
			value, s, _ = strings.Cut(rest, "</Data>")
		}
		if value = p.entities(value); name == "" {
			p.param(r, value)
		} else {
			p.add(r, name, value)
		}
	}
}

// attribute gives the Name of an element.
func attribute(s string) string {
	for _, quote := range [...]string{`"`, `'`} {
		if _, rest, ok := strings.Cut(s, "Name="+quote); ok {
			name, _, _ := strings.Cut(rest, quote)
			return name
		}
	}
	return ""
}

var entityTexts = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&quot;", `"`, "&apos;", "'", "&#xD;", "\r", "&#xA;", "\n", "&#13;", "\r", "&#10;", "\n", "&amp;", "&")

func (p *Parser) entities(s string) string {
	if !strings.Contains(s, "&") {
		return s
	}
	return entityTexts.Replace(s)
}

// dropCollected takes away what NXLog wrote beside the data under names that data
// may have too, and gives the data that it renamed their names back.
func (p *Parser) dropCollected(r *Record) {
	r.TaskName = p.category
	r.Data = slices.DeleteFunc(r.Data, func(d Item) bool {
		switch d.Name {
		case "EventType", "AccountName", "AccountType", "Domain":
			return true
		}
		return false
	})
	if p.ownType != "" {
		p.add(r, "EventType", p.ownType)
	}
}

// flatTime sets the time of a record. NXLog's EventTime is local time without a
// zone, and @timestamp when the collector got the record; EventReceivedTime is that
// in local time too, so that the two give the zone.
func (p *Parser) flatTime(r *Record) {
	if p.nxlog {
		local, ok1 := event.ParseTime(p.times.event)
		received, ok2 := event.ParseTime(p.times.received)
		collected, ok3 := event.ParseTime(p.times.collected)
		if ok1 && ok2 && ok3 {
			const quarter = 900
			apart := collected.Sec - received.Sec
			local.Sec += (apart + quarter/2*sign(apart)) / quarter * quarter
			r.Time, r.Timed = local, true
			return
		}
	}
	for _, text := range [...]string{p.times.created, p.times.event, p.times.generated, p.times.collected} {
		if text != "" && setTime(r, text) {
			return
		}
	}
	if t, ok := utcTime(r); ok {
		r.Time, r.Timed = t, true
	}
}

func sign(n int64) int64 {
	if n < 0 {
		return -1
	}
	return 1
}

// winlogbeat6 reads what winlogbeat wrote before version 7.
func (p *Parser) winlogbeat6(r *Record) {
	for {
		name, ok := p.j.member()
		if !ok {
			return
		}
		switch name {
		case "@timestamp":
			setTime(r, p.text())
		case "event_id":
			r.EventID = p.uint32()
		case "log_name":
			r.Channel = p.text()
		case "source_name":
			r.Provider = p.text()
		case "record_number":
			r.RecordID = uint64(p.j.number())
		case "process_id":
			r.ProcessID = p.uint32()
		case "thread_id":
			r.ThreadID = p.uint32()
		case "level":
			r.LevelName = p.text()
		case "message":
			r.Message = p.text()
		default:
			p.winlogMember(r, name)
		}
	}
}

// winlogMember reads the members that all versions of winlogbeat have.
func (p *Parser) winlogMember(r *Record, name string) {
	switch name {
	case "computer_name":
		r.Computer = p.text()
	case "provider_guid":
		r.ProviderGUID = p.text()
	case "activity_id":
		r.ActivityID = p.text()
	case "related_activity_id":
		r.RelatedID = p.text()
	case "opcode":
		r.OpcodeName = p.text()
	case "task":
		r.TaskName = p.text()
	case "version":
		r.Version = p.uint32()
	case "keywords":
		p.keywords(r)
	case "user":
		p.user(r)
	case "event_data":
		p.items(r)
	case "user_data":
		p.userData(r)
	default:
		p.j.skip()
	}
}

func (p *Parser) user(r *Record) {
	if !p.j.enter('{') {
		p.j.skip()
		return
	}
	for {
		name, ok := p.j.member()
		if !ok {
			return
		}
		switch s := p.text(); name {
		case "identifier":
			r.UserID = s
		case "name":
			r.UserName = s
		case "domain":
			r.UserDomain = s
		case "type":
			r.UserType = s
		}
	}
}

// userData reads winlog.user_data, whose xml_name is the name of the element.
func (p *Parser) userData(r *Record) {
	p.items(r)
	r.UserDataName = "UserData"
	for i, d := range r.Data {
		if d.Name == "xml_name" {
			r.UserDataName = d.Value
			r.Data = slices.Delete(r.Data, i, i+1)
			return
		}
	}
}

// winlogbeat reads what winlogbeat hands in from version 7 on.
func (p *Parser) winlogbeat(r *Record) {
	for {
		name, ok := p.j.member()
		if !ok {
			return
		}
		switch name {
		case "@timestamp":
			setTime(r, p.text())
		case "message":
			r.Message = p.text()
		case "log":
			p.within("level", func() { r.LevelName = p.text() })
		case "winlog":
			p.winlog(r)
		default:
			p.j.skip()
		}
	}
}

// within reads one member of an object.
func (p *Parser) within(want string, read func()) {
	if !p.j.enter('{') {
		p.j.skip()
		return
	}
	for {
		name, ok := p.j.member()
		if !ok {
			return
		}
		if name == want {
			read()
		} else {
			p.j.skip()
		}
	}
}

func (p *Parser) winlog(r *Record) {
	if !p.j.enter('{') {
		p.j.skip()
		return
	}
	for {
		name, ok := p.j.member()
		if !ok {
			return
		}
		switch name {
		case "channel":
			r.Channel = p.text()
		case "event_id":
			r.EventID = p.uint32()
		case "provider_name":
			r.Provider = p.text()
		case "record_id":
			r.RecordID = uint64(p.j.number())
		case "process":
			p.process(r)
		case "level":
			r.LevelName = p.text()
		default:
			p.winlogMember(r, name)
		}
	}
}

func (p *Parser) process(r *Record) {
	if !p.j.enter('{') {
		p.j.skip()
		return
	}
	for {
		name, ok := p.j.member()
		if !ok {
			return
		}
		switch name {
		case "pid":
			r.ProcessID = p.uint32()
		case "thread":
			p.within("id", func() { r.ThreadID = p.uint32() })
		default:
			p.j.skip()
		}
	}
}

// evtxExport reads the decoded logs of evtxexport, which pads hexadecimal numbers.
func (p *Parser) evtxExport(r *Record) {
	for {
		name, ok := p.j.member()
		if !ok {
			break
		}
		switch name {
		case "event_id":
			r.EventID = p.uint32()
		case "record_id":
			r.RecordID = uint64(p.j.number())
		case "channel":
			r.Channel = p.text()
		case "provider":
			r.Provider = p.text()
		case "computer":
			r.Computer = p.text()
		case "time":
			setTime(r, p.text())
		case "user_sid":
			r.UserID = p.text()
		case "data":
			p.items(r)
		default:
			p.j.skip()
		}
	}
	for i := range r.Data {
		d := &r.Data[i]
		if digits, ok := strings.CutPrefix(d.Value, "0x"); ok && len(digits) > 8 && digits[0] == '0' && strings.Trim(digits, "0123456789abcdefABCDEF") == "" {
			start := len(p.j.text)
			p.j.text = append(append(p.j.text, "0x"...), strings.TrimLeft(digits[:len(digits)-1], "0")...)
			p.j.text = append(p.j.text, digits[len(digits)-1])
			d.Value = view(p.j.text[start:])
		}
	}
}
