package coverage

import (
	"fmt"
	"strings"
)

// Counts counts rules by what a source makes of them.
type Counts struct {
	Full          int `json:"full"`
	Degraded      int `json:"degraded"`
	NotApplicable int `json:"not_applicable"`
	// Blind, Noisy and PartlyBlind are of those degraded; a rule may be both of the
	// latter. OtherIndex are of those not applicable: their index patterns alone are in
	// the way.
	Blind       int `json:"blind"`
	Noisy       int `json:"noisy"`
	PartlyBlind int `json:"partly_blind"`
	OtherIndex  int `json:"other_index"`
}

// Add counts a rule.
func (c *Counts) Add(r Result) {
	count := func(n *int, yes bool) {
		if yes {
			*n++
		}
	}
	count(&c.Full, r.Status == Full)
	count(&c.Degraded, r.Status == Degraded)
	count(&c.NotApplicable, r.Status == NotApplicable)
	count(&c.Blind, r.Blind)
	count(&c.Noisy, r.Noisy)
	count(&c.PartlyBlind, r.PartlyBlind)
	count(&c.OtherIndex, r.WithoutIndex != "")
}

// String gives the counts in words.
func (c Counts) String() string {
	s := fmt.Sprintf("%d full, %d degraded", c.Full, c.Degraded)
	if c.Degraded > 0 {
		var parts []string
		for _, p := range []struct {
			n    int
			what string
		}{{c.Noisy, "noisy"}, {c.Blind, "blind"}, {c.PartlyBlind, "partly blind"}} {
			if p.n > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
			}
		}
		s += " (" + strings.Join(parts, ", ") + ")"
	}
	s += fmt.Sprintf(", %d not applicable", c.NotApplicable)
	if c.OtherIndex > 0 {
		s += fmt.Sprintf(" (%d by their index patterns alone)", c.OtherIndex)
	}
	return s
}
