package windows

import (
	"errors"
	"fmt"
	"strings"

	"github.com/shrike-project/shrike/event"
)

// Parser reads JSON documents into records. It reuses its memory and belongs to one
// goroutine.
type Parser struct {
	j     jsonReader
	times times
	// What the keys of a flat document said about its collector.
	nxlog, azure bool
	category     string // NXLog's Category, the rendered task
	ownType      string // EventTypeOrignal: the EventType that the collector overwrote

	depth int                   // of objects within objects of items
	names map[kindName][]string // made when a document first asks for it
}

// kindName is a kind of record.
type kindName struct {
	provider string
	id       uint32
}

// times are the times of a flat document.
type times struct{ event, created, received, collected, generated string }

// ErrFormat is the error of a document that is not of the format it was read as.
var ErrFormat = errors.New("not a record of a Windows event log")

// Parse reads a document of a format into r, whose earlier content is lost. The
// record's texts are valid until the next Parse, or until the document changes.
// With Native it recognises the format itself.
func (p *Parser) Parse(doc []byte, f Format, r *Record) error {
	if f == Native {
		f = Recognise(doc)
	}
	r.Reset()
	*p = Parser{j: jsonReader{doc: doc, text: p.j.text[:0]}, names: p.names}
	if !p.j.enter('{') {
		return fmt.Errorf("%w: no object", ErrFormat)
	}
	switch f {
	case Flat, Azure:
		p.flat(r)
	case Winlogbeat6:
		p.winlogbeat6(r)
	case Winlogbeat:
		p.winlogbeat(r)
	case EvtxDump:
		p.evtxDump(r)
	case GetWinEvent:
		p.getWinEvent(r)
	case EvtxExport:
		p.evtxExport(r)
	default:
		return fmt.Errorf("%w: its shape is unknown", ErrFormat)
	}
	if p.j.bad {
		return fmt.Errorf("%w: invalid JSON at byte %d", ErrFormat, p.j.i)
	}
	p.settle(r)
	if r.EventID == 0 && r.Channel == "" && r.Provider == "" {
		return fmt.Errorf("%w: it has no event number, channel or provider", ErrFormat)
	}
	r.Raw = doc
	return nil
}

// settle makes records of all formats alike.
func (p *Parser) settle(r *Record) {
	r.Channel = channelName(r.Channel)
	if r.Provider == "" {
		r.Provider = providerOf(r)
	}
	if r.Channel == "" && r.Provider == "Microsoft-Windows-Sysmon" {
		r.Channel = "Microsoft-Windows-Sysmon/Operational"
	}
	r.ProviderGUID, r.ActivityID, r.RelatedID = p.braced(r.ProviderGUID), p.braced(r.ActivityID), p.braced(r.RelatedID)
	for i := range r.Data {
		d := &r.Data[i]
		if strings.HasSuffix(d.Name, "Guid") || strings.HasSuffix(d.Name, "GUID") {
			d.Value = p.braced(d.Value)
		}
	}
	if r.Provider == "Microsoft-Windows-Sysmon" {
		restoreProcessID(r)
	}
}

// channelName gives the spelling that Windows itself has.
func channelName(channel string) string {
	for _, name := range [...]string{"Security", "System", "Application", "Windows PowerShell"} {
		if strings.EqualFold(channel, name) {
			return name
		}
	}
	return channel
}

// providerOf guesses the provider of a record that does not name it.
func providerOf(r *Record) string {
	switch {
	case strings.HasPrefix(r.Channel, "Microsoft-Windows-Sysmon"):
		return "Microsoft-Windows-Sysmon"
	case r.Channel == "Security" && (r.EventID == 1100 || r.EventID == 1102 || r.EventID == 1104 || r.EventID == 1105):
		return "Microsoft-Windows-Eventlog"
	case r.Channel == "Security":
		return "Microsoft-Windows-Security-Auditing"
	case strings.HasSuffix(r.Channel, "/Operational"):
		return strings.TrimSuffix(r.Channel, "/Operational")
	case r.Channel == "Windows PowerShell":
		return "PowerShell"
	case r.Channel == "" && r.Get("UtcTime") != "":
		return "Microsoft-Windows-Sysmon"
	}
	return ""
}

// braced puts braces round a GUID that has none.
func (p *Parser) braced(guid string) string {
	if len(guid) != 36 || guid[8] != '-' || guid[13] != '-' || guid[18] != '-' || guid[23] != '-' {
		return guid
	}
	start := len(p.j.text)
	p.j.text = append(append(append(p.j.text, '{'), guid...), '}')
	return view(p.j.text[start:])
}

// restoreProcessID takes the process id of a Sysmon record from its message: NXLog
// drops the item, whose name is that of a field of its own.
func restoreProcessID(r *Record) {
	if r.Message == "" || r.Get("ProcessGuid") == "" || r.Get("ProcessId") != "" {
		return
	}
	_, rest, ok := strings.Cut(r.Message, "\nProcessId: ")
	if !ok {
		return
	}
	pid, _, _ := strings.Cut(rest, "\n")
	if pid = strings.TrimSpace(pid); pid != "" && pid != "0" {
		r.Data = append(r.Data, Item{"ProcessId", pid})
	}
}

func (p *Parser) text() string { return p.j.scalar() }

func (p *Parser) uint32() uint32 { return uint32(p.j.number()) }

// add adds an item.
func (p *Parser) add(r *Record, name, value string) {
	r.Data = append(r.Data, Item{name, value})
}

// maxDepth bounds the objects within objects that are read; deeper ones are passed.
const maxDepth = 16

// items reads an object of items.
func (p *Parser) items(r *Record) {
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
		if name == "#attributes" {
			p.j.skip()
			continue
		}
		p.item(r, name)
	}
}

// item reads one item. What evtx_dump calls Data are the items without names, a
// text or a list of them.
func (p *Parser) item(r *Record, name string) {
	switch {
	case p.j.peek() == '{' && name == "Data":
		p.items(r)
	case p.j.peek() == '[' && (name == "#text" || name == "Data"):
		p.j.i++
		for p.j.element() {
			p.param(r, p.text())
		}
	case name == "#text" || name == "Data":
		p.param(r, p.text())
	case p.j.peek() == '{':
		p.add(r, name, p.inner())
	default:
		p.add(r, name, p.text())
	}
}

// param adds an item that has no name.
func (p *Parser) param(r *Record, value string) {
	names := [...]string{"param1", "param2", "param3", "param4", "param5", "param6", "param7", "param8", "param9"}
	n := len(r.Data)
	if n < len(names) {
		p.add(r, names[n], value)
		return
	}
	p.add(r, fmt.Sprintf("param%d", n+1), value)
}

// inner reads an element that may have attributes: its text, or its JSON.
func (p *Parser) inner() string {
	if p.j.peek() != '{' {
		return p.text()
	}
	start := p.j.i
	p.j.i++
	var text string
	found := false
	for {
		name, ok := p.j.member()
		if !ok {
			break
		}
		if name == "#text" && p.j.peek() != '{' && p.j.peek() != '[' {
			text, found = p.text(), true
			continue
		}
		p.j.skip()
	}
	if found || p.j.bad {
		return text
	}
	return view(p.j.doc[start:p.j.i])
}

// setTime sets the time of a record, if the text is one.
func setTime(r *Record, text string) bool {
	if ms, ok := within(text, "/Date(", ")/"); ok {
		text = ms
	}
	t, ok := event.ParseTime(text)
	if ok {
		r.Time, r.Timed = t, true
	}
	return ok
}

// keywords reads keywords: a mask, decimal, negative or hexadecimal, or names.
func (p *Parser) keywords(r *Record) {
	if p.j.enter('[') {
		for p.j.element() {
			r.KeywordSet = append(r.KeywordSet, p.text())
		}
		return
	}
	r.Keywords = mask(p.text())
}

// mask reads 64 bits.
func mask(s string) uint64 {
	negative := strings.HasPrefix(s, "-")
	base, digits := uint64(10), strings.TrimPrefix(s, "-")
	if rest, ok := strings.CutPrefix(digits, "0x"); ok {
		base, digits = 16, rest
	}
	var n uint64
	for i := 0; i < len(digits); i++ {
		d := hexDigit(digits[i])
		if d < 0 || uint64(d) >= base {
			return 0
		}
		n = n*base + uint64(d)
	}
	if negative {
		return -n
	}
	return n
}
