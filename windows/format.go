package windows

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// Format is a shape in which JSON holds records of Windows event logs.
type Format uint8

// The shapes. Native is every document that is no such record: it is an event
// already, or something else.
const (
	Native Format = iota
	Flat
	Winlogbeat6
	Winlogbeat
	Azure
	EvtxDump
	GetWinEvent
	EvtxExport
)

var formats = [...]struct{ name, about string }{
	Native:      {"ecs", "documents as Elastic's agents write them; they are left as they are"},
	Flat:        {"flat", "a record's number, channel and data side by side (NXLog, Security-Datasets)"},
	Winlogbeat6: {"winlogbeat6", "event_id, log_name and event_data at the top"},
	Winlogbeat:  {"winlogbeat", "winlog.* as the collector hands it in, before the ingest pipeline"},
	Azure:       {"azure", "rows of a Log Analytics table, EventData as XML or JSON text"},
	EvtxDump:    {"evtx_dump", "Event.System and Event.EventData, as evtx_dump writes them"},
	GetWinEvent: {"get-winevent", "Get-WinEvent | ConvertTo-Json"},
	EvtxExport:  {"evtxexport", "record_id, event_id, provider and data"},
}

// String gives the name of a format.
func (f Format) String() string {
	if int(f) < len(formats) {
		return formats[f].name
	}
	return fmt.Sprintf("Format(%d)", uint8(f))
}

// About says in a few words what the documents of a format look like.
func (f Format) About() string { return formats[f].about }

// Formats lists all formats.
func Formats() []Format {
	out := make([]Format, len(formats))
	for i := range out {
		out[i] = Format(i)
	}
	return out
}

// FormatOf gives the format of a name.
func FormatOf(name string) (Format, bool) {
	i := slices.IndexFunc(formats[:], func(f struct{ name, about string }) bool { return strings.EqualFold(f.name, name) })
	return Format(max(i, 0)), i >= 0
}

// maxKeys bounds the members that Recognise looks at.
const maxKeys = 64

// Recognise tells the format of a document from the names of its members. It looks
// only as far as it must: most events are recognised by their first two or three.
func Recognise(doc []byte) Format {
	j := jsonReader{doc: doc}
	if !j.enter('{') {
		return Native
	}
	found := Native
	for range maxKeys {
		name, ok := keyAt(&j)
		if !ok {
			break
		}
		f, sure := tell(name, &j)
		if sure {
			return f
		}
		if f == Flat {
			found = f
		}
		if j.skip(); j.bad {
			break
		}
	}
	return found
}

// keyAt goes to the next member without unescaping its name: the names that count
// have no escapes.
func keyAt(j *jsonReader) (string, bool) {
	c := j.peek()
	if c == ',' {
		j.i++
		c = j.peek()
	}
	if c != '"' {
		return "", false
	}
	end, _ := stringEnd(j.doc, j.i+1)
	if end < 0 {
		return "", false
	}
	name := view(j.doc[j.i+1 : end])
	j.i = end + 1
	if j.peek() != ':' {
		return "", false
	}
	j.i++
	return name, true
}

// tell gives the format that a member speaks for, and whether it settles it.
func tell(name string, j *jsonReader) (f Format, sure bool) {
	switch name {
	case "agent", "ecs", "data_stream", "elastic", "process", "file", "registry", "dns", "network", "rule", "related",
		"_source", "_index", "kibana.alert.rule.name", "source", "destination", "event.category", "event.kind", "process.name":
		return Native, true
	case "event":
		// What the pipeline has not seen has no category yet.
		start := j.i
		j.skip()
		categorised := bytes.Contains(j.doc[start:j.i], []byte(`"category"`)) || bytes.Contains(j.doc[start:j.i], []byte(`"dataset"`))
		j.i = start
		return Native, categorised
	case "winlog":
		return Winlogbeat, j.peek() == '{' && !j.ecsFollows()
	case "event_id":
		return eventID(j), true
	case "event_data", "log_name", "record_number", "source_name":
		return Winlogbeat6, true
	case "Event":
		return EvtxDump, j.peek() == '{' && bytes.Contains(j.doc[j.i:min(len(j.doc), j.i+400)], []byte(`"System"`))
	case "EventData":
		return Azure, j.peek() == '"'
	case "TenantId", "EventOriginId", "ManagementGroupName", "TimeGenerated", "_ResourceId":
		return Azure, true
	case "EventID", "EventId", "SourceModuleType", "EventReceivedTime":
		return Flat, false
	case "Properties":
		return GetWinEvent, j.peek() == '['
	case "KeywordsDisplayNames", "ContainerLog", "MatchedQueryIds", "LevelDisplayName":
		return GetWinEvent, true
	}
	return Native, false
}

// eventID tells the two shapes with event_id apart.
func eventID(j *jsonReader) Format {
	for _, name := range [...]string{`"event_data"`, `"log_name"`, `"record_number"`, `"computer_name"`} {
		if bytes.Contains(j.doc, []byte(name)) {
			return Winlogbeat6
		}
	}
	if bytes.Contains(j.doc, []byte(`"provider"`)) && bytes.Contains(j.doc, []byte(`"data"`)) {
		return EvtxExport
	}
	return Native
}

// ecsFollows reports whether a document with winlog has been through the pipeline.
func (j *jsonReader) ecsFollows() bool {
	return bytes.Contains(j.doc, []byte(`"ecs"`)) && bytes.Contains(j.doc, []byte(`"category"`))
}
