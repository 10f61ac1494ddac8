package windows

import (
	"strconv"
	"strings"
)

// Dumps: documents that keep the structure of the record.

// evtxDump reads {"Event":{"System":{…},"EventData":{…}}}.
func (p *Parser) evtxDump(r *Record) {
	for {
		name, ok := p.j.member()
		if !ok {
			return
		}
		if name != "Event" || !p.j.enter('{') {
			p.j.skip()
			continue
		}
		for {
			name, ok := p.j.member()
			if !ok {
				break
			}
			switch name {
			case "System":
				p.dumpSystem(r)
			case "EventData":
				p.dumpData(r)
			case "UserData":
				p.dumpUserData(r)
			default:
				p.j.skip()
			}
		}
	}
}

func (p *Parser) dumpData(r *Record) {
	if p.j.peek() == '{' {
		p.items(r)
		return
	}
	if s := p.text(); s != "" {
		p.param(r, s)
	}
}

// dumpUserData reads the one element that UserData holds.
func (p *Parser) dumpUserData(r *Record) {
	if !p.j.enter('{') {
		p.j.skip()
		return
	}
	for {
		name, ok := p.j.member()
		if !ok {
			return
		}
		if strings.HasPrefix(name, "#") || strings.HasSuffix(name, "_attributes") || r.UserDataName != "" {
			p.j.skip()
			continue
		}
		r.UserDataName = name
		p.items(r)
	}
}

func (p *Parser) dumpSystem(r *Record) {
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
		case "EventID":
			n, _ := parseNumber(p.inner())
			r.EventID = uint32(n)
		case "Version":
			r.Version = p.uint32()
		case "Level":
			r.Level = p.uint32()
		case "Task":
			r.Task = p.uint32()
		case "Opcode":
			r.Opcode = p.uint32()
		case "Keywords":
			p.keywords(r)
		case "EventRecordID":
			r.RecordID = uint64(p.j.number())
		case "Channel":
			r.Channel = p.text()
		case "Computer":
			r.Computer = p.text()
		default:
			p.attributes(r, strings.TrimSuffix(name, "_attributes"))
		}
	}
}

// attributes reads the elements of System that have only attributes:
// {"#attributes":{…}}, or the attributes themselves where evtx_dump keeps them apart.
func (p *Parser) attributes(r *Record, element string) {
	if p.depth >= maxDepth || !p.j.enter('{') {
		p.j.skip()
		return
	}
	p.depth++
	defer func() { p.depth-- }()
	for {
		name, ok := p.j.member()
		if !ok {
			return
		}
		if name == "#attributes" && p.j.peek() == '{' {
			p.attributes(r, element)
			continue
		}
		p.attribute(r, element, name, p.text())
	}
}

func (p *Parser) attribute(r *Record, element, name, value string) {
	switch element + "." + name {
	case "Provider.Name":
		r.Provider = value
	case "Provider.Guid":
		r.ProviderGUID = value
	case "TimeCreated.SystemTime":
		setTime(r, value)
	case "Correlation.ActivityID":
		r.ActivityID = value
	case "Correlation.RelatedActivityID":
		r.RelatedID = value
	case "Execution.ProcessID":
		n, _ := parseNumber(value)
		r.ProcessID = uint32(n)
	case "Execution.ThreadID":
		n, _ := parseNumber(value)
		r.ThreadID = uint32(n)
	case "Security.UserID":
		r.UserID = value
	}
}

// getWinEvent reads the objects that Get-WinEvent gives. Their data have no names.
func (p *Parser) getWinEvent(r *Record) {
	for {
		name, ok := p.j.member()
		if !ok {
			break
		}
		switch name {
		case "Id":
			r.EventID = p.uint32()
		case "Version":
			r.Version = p.uint32()
		case "Level":
			r.Level = p.uint32()
		case "LevelDisplayName":
			r.LevelName = p.text()
		case "Task":
			r.Task = p.uint32()
		case "TaskDisplayName":
			r.TaskName = p.text()
		case "Opcode":
			r.Opcode = p.uint32()
		case "OpcodeDisplayName":
			r.OpcodeName = p.text()
		case "Keywords":
			p.keywords(r)
		case "KeywordsDisplayNames":
			p.keywordNames(r)
		case "RecordId":
			r.RecordID = uint64(p.j.number())
		case "ProviderName":
			r.Provider = p.text()
		case "ProviderId":
			r.ProviderGUID = p.text()
		case "LogName":
			r.Channel = p.text()
		case "ProcessId":
			r.ProcessID = p.uint32()
		case "ThreadId":
			r.ThreadID = p.uint32()
		case "MachineName":
			r.Computer = p.text()
		case "UserId":
			p.sid(r)
		case "TimeCreated":
			p.created(r)
		case "ActivityId":
			r.ActivityID = p.text()
		case "RelatedActivityId":
			r.RelatedID = p.text()
		case "Message":
			r.Message = p.text()
		case "Properties":
			p.properties(r)
		default:
			p.j.skip()
		}
	}
	p.nameItems(r)
}

// keywordNames reads a list, which ConvertTo-Json writes as text where it is too
// deep for it.
func (p *Parser) keywordNames(r *Record) {
	if p.j.peek() == '[' {
		p.keywords(r)
		return
	}
	if s := p.text(); s != "" && !strings.HasPrefix(s, "{") {
		r.KeywordSet = append(r.KeywordSet, s)
	}
}

func (p *Parser) sid(r *Record) {
	if p.j.peek() == '{' {
		p.within("Value", func() { r.UserID = p.text() })
		return
	}
	r.UserID = p.text()
}

// created reads a time, which is an object where a script added to it.
func (p *Parser) created(r *Record) {
	if p.j.peek() == '{' {
		p.within("value", func() { setTime(r, p.text()) })
		return
	}
	setTime(r, p.text())
}

// properties reads the list of values, which are objects or, where ConvertTo-Json
// was not told to go deep enough, texts without use.
func (p *Parser) properties(r *Record) {
	if !p.j.enter('[') {
		p.j.skip()
		return
	}
	for p.j.element() {
		if p.j.peek() != '{' {
			p.j.skip()
			continue
		}
		n := len(r.Data)
		p.within("Value", func() { r.Data = append(r.Data, Item{"", p.property()}) })
		if len(r.Data) == n && !p.j.bad {
			r.Data = append(r.Data, Item{})
		}
	}
}

// property reads a value: an SID is an object with the value in it.
func (p *Parser) property() string {
	if p.j.peek() != '{' {
		return p.text()
	}
	var s string
	p.within("Value", func() { s = p.text() })
	return s
}

// nameItems names the values of a record that only numbers them: by the lines of
// its message, as Sysmon's are, else by the tables.
func (p *Parser) nameItems(r *Record) {
	if r.Provider == "Microsoft-Windows-Sysmon" && messageItems(r) {
		return
	}
	names := p.itemNames(r)
	if missing := len(names) - len(r.Data); missing == 1 && names[0] == "RuleName" {
		names = names[1:] // before Sysmon 8
	}
	for i := range r.Data {
		if i < len(names) {
			r.Data[i].Name = names[i]
			continue
		}
		r.Data[i].Name = "param" + strconv.Itoa(i+1)
	}
}

// messageItems reads "Name: value" lines.
func messageItems(r *Record) bool {
	_, text, ok := strings.Cut(r.Message, "\n")
	if !ok {
		return false
	}
	r.Data = r.Data[:0]
	for text != "" {
		var one string
		one, text, _ = strings.Cut(text, "\n")
		name, value, ok := strings.Cut(strings.TrimRight(one, "\r"), ":")
		if ok && name != "" && !strings.Contains(name, " ") {
			r.Data = append(r.Data, Item{name, strings.TrimPrefix(value, " ")})
		}
	}
	return len(r.Data) > 0
}

// itemNames gives the names of the items of a record in their order, as far as the
// tables know them.
func (p *Parser) itemNames(r *Record) []string {
	if p.names == nil {
		p.names = map[kindName][]string{}
		for _, src := range sources() {
			for _, provider := range src.providers {
				for _, k := range src.kinds {
					p.names[kindName{provider, k.id}] = strings.Fields(k.items)
				}
			}
		}
	}
	return p.names[kindName{r.Provider, r.EventID}]
}
