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
	if id := s.text("shrike.same_start"); id != "" {
		return Start{id, true}
	}
	if code := s.text("event.code"); code == "1" || code == "4688" {
		return Start{ID: s.text("process.entity_id")}
	}
	return Start{}
}

// text gives the first value of a field, in memory of its own; "" if there is none.
func (s *source) text(field string) string {
	if list := texts(lookup(&s.root, field)); len(list) > 0 {
		return strings.Clone(list[0])
	}
	return ""
}
