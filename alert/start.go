package alert

import "strings"

// Start is the start of a process that an alert's event reports. Sysmon and the Security
// log both tell of one, and rules that ask for neither in particular alert on both events;
// the second report names the first in shrike.same_start. The zero value: the event
// reports none that can be reported twice.
type Start struct {
	// ID is the entity id of the first report.
	ID string
	// Again tells that the event is the second report.
	Again bool
}

func (s *source) start() Start {
	text := func(field string) string { return firstText(lookup(&s.root, field)) }
	if id := text("shrike.same_start"); id != "" {
		return Start{strings.Clone(id), true}
	}
	if code := text("event.code"); code == "1" || code == "4688" {
		return Start{ID: strings.Clone(text("process.entity_id"))}
	}
	return Start{}
}
