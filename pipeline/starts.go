package pipeline

import (
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/rule"
)

// Starts of processes that two logs report: Sysmon and the Security log both tell
// of one, and rules that ask for neither in particular would alert twice. The events
// stay two; their second report names the first in shrike.same_start.

// startFields reads which start an event reports. It belongs to one worker.
type startFields struct {
	decoder            *event.Decoder
	ev                 event.Event
	entity, same, code event.Field
}

// start is the start of a process that an event reports; the zero value: of none
// that can be reported twice.
type start struct {
	id    string // the entity id of its first report
	again bool   // the event is the second one
}

func newStartFields() *startFields {
	set := event.NewFieldSet(nil)
	s := &startFields{entity: set.Add("process.entity_id"), same: set.Add("shrike.same_start"), code: set.Add("event.code")}
	s.decoder = event.NewDecoder(set, "")
	return s
}

// of reads the start from the document of an event.
func (s *startFields) of(doc []byte) start {
	if s.decoder.Decode(doc, &s.ev) != nil {
		return start{} // it was decoded before: bytes after the object
	}
	text := func(f event.Field) string {
		for _, v := range s.ev.Values(f) {
			return v.Clone().Text()
		}
		return ""
	}
	if id := text(s.same); id != "" {
		return start{id, true}
	}
	if code := text(s.code); code == "1" || code == "4688" {
		return start{id: text(s.entity)}
	}
	return start{}
}

// starts remembers which rule alerted on which start.
type starts struct {
	alerted map[ruleStart]bool // whether by a second report
}

type ruleStart struct {
	rule  *rule.Rule
	start string
}

// twice reports whether a rule alerted on the other report of the same start before.
func (s *starts) twice(r *rule.Rule, st start) bool {
	if st.id == "" {
		return false
	}
	if s.alerted == nil || len(s.alerted) >= mostIDs {
		s.alerted = map[ruleStart]bool{}
	}
	key := ruleStart{r, st.id}
	again, seen := s.alerted[key]
	s.alerted[key] = again || st.again
	return seen && again != st.again
}
