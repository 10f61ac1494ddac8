package pipeline

import (
	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/rule"
)

// starts remembers which rule alerted on which start of a process; see alert.Start.
type starts struct {
	alerted map[ruleStart]bool // whether by a second report
}

type ruleStart struct {
	rule *rule.Rule
	id   string
}

// twice reports whether a rule alerted on the other report of the same start before.
func (s *starts) twice(r *rule.Rule, st alert.Start) bool {
	if st.ID == "" {
		return false
	}
	if s.alerted == nil || len(s.alerted) >= mostIDs {
		s.alerted = map[ruleStart]bool{}
	}
	key := ruleStart{r, st.ID}
	again, seen := s.alerted[key]
	s.alerted[key] = again || st.Again
	return seen && again != st.Again
}
