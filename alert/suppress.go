package alert

// Suppression: alerts of a rule that belong to one group, by the values of some fields,
// are one alert for a while, which counts the others.

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/shrike-project/shrike/event"
)

// Suppression is the group of an alert whose rule asks for suppression.
type Suppression struct {
	// Instance is kibana.alert.instance.id: equal for alerts of one group.
	Instance string
	// Terms are the fields of the group with their values.
	Terms []Term
	// Window is how long the first alert stands for those that follow.
	Window time.Duration
}

// Term is a field with its values, sorted; none: it is missing.
type Term struct {
	Field  string
	Values []string
}

// Suppression gives the group of the alert. It gives nil where the rule asks for none, the
// alert has no time, or a field is missing and the rule wants those alone.
func (a *Alert) Suppression() *Suppression {
	want := a.Rule.AlertSuppression
	if want == nil || len(want.GroupBy) == 0 || !a.Timed {
		return nil
	}
	s := &Suppression{Window: want.Duration}
	if s.Window <= 0 { // a run of the rule, which live detection does not have
		s.Window = a.Rule.Interval
	}
	for _, field := range want.GroupBy {
		values := slices.Clone(a.Field(field))
		if len(values) == 0 && want.MissingFields == "doNotSuppress" {
			return nil
		}
		slices.Sort(values)
		s.Terms = append(s.Terms, Term{field, values})
	}
	key, err := json.Marshal([]any{a.Rule.ObjectID, s.Terms})
	if err != nil {
		panic(err) // texts
	}
	s.Instance = hash(key)
	return s
}

// Suppress has the document tell of the group, of how many alerts the alert stands for
// beside itself, and when the first and the last of them were.
func (a *Alert) Suppress(s *Suppression, others int64, start, end event.Time) {
	doc := a.Document()
	var terms []any
	for _, t := range s.Terms {
		var value any // null where it is missing
		if len(t.Values) > 0 {
			list := []any{}
			for _, v := range t.Values {
				list = append(list, v)
			}
			value = list
		}
		terms = append(terms, map[string]any{"field": t.Field, "value": value})
	}
	doc["kibana.alert.instance.id"] = s.Instance
	doc[suppressionTerms] = terms
	setSuppressed(doc, others, start, end)
	a.SetDocument(doc)
}

// Suppressed is an alert that another one of its group stands for.
type Suppressed struct {
	Of, ID string
	At     event.Time
}

// The fields of suppression.
const (
	suppressionTerms = "kibana.alert.suppression.terms"
	suppressionCount = "kibana.alert.suppression.docs_count"
	suppressionStart = "kibana.alert.suppression.start"
	suppressionEnd   = "kibana.alert.suppression.end"
)

func setSuppressed(doc map[string]any, others int64, start, end event.Time) {
	doc[suppressionCount], doc[suppressionStart], doc[suppressionEnd] = float64(others), start.String(), end.String()
}

// Suppress has the document of an alert that was kept count others of its group.
func (k *Kept) Suppress(others int64, start, end event.Time) {
	doc := event.Document(k.Document)
	setSuppressed(doc, others, start, end)
	k.Document = appendValue(nil, doc)
}
