package pipeline

// Suppression of alerts, in the order in which they are found and by the time of their
// events.

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/event"
)

// mostWindows bounds the groups that are open at the same time; beyond it those that began
// first are closed.
const mostWindows = 100_000

// windows are the groups of alerts that are open, by instance.
type windows map[string]*window

// window is a group from its first alert on.
type window struct {
	ID    string // of the first alert
	Start event.Time
	Until event.Time
}

// of gives the window that an alert belongs to, and whether the alert is its first one. An
// alert that is older than the first belongs to it, too: it came late.
func (all *windows) of(id string, at event.Time, s *alert.Suppression) (w *window, first bool) {
	if w = (*all)[s.Instance]; w != nil && at.Compare(w.Until) <= 0 {
		return w, w.ID == id
	}
	if *all == nil {
		*all = windows{}
	}
	if len(*all) >= mostWindows {
		all.close(at)
	}
	w = &window{id, at, at.Add(s.Window)}
	(*all)[s.Instance] = w
	return w, true
}

// close closes the windows that are over by a time, or else the older half.
func (all windows) close(now event.Time) {
	var starts []event.Time
	for instance, w := range all {
		if w.Until.Compare(now) < 0 {
			delete(all, instance)
			continue
		}
		starts = append(starts, w.Start)
	}
	if len(all) < mostWindows {
		return
	}
	slices.SortFunc(starts, event.Time.Compare)
	for instance, w := range all {
		if w.Start.Compare(starts[len(starts)/2]) <= 0 {
			delete(all, instance)
		}
	}
}

// savedWindow is a window as a State keeps it.
type savedWindow struct {
	ID    string    `json:"id"`
	Start time.Time `json:"start"`
	Until time.Time `json:"until"`
}

// MarshalJSON implements json.Marshaler.
func (all windows) MarshalJSON() ([]byte, error) {
	saved := map[string]savedWindow{}
	for instance, w := range all {
		saved[instance] = savedWindow{w.ID, w.Start.Std(), w.Until.Std()}
	}
	return json.Marshal(saved)
}

// UnmarshalJSON implements json.Unmarshaler.
func (all *windows) UnmarshalJSON(text []byte) error {
	var saved map[string]savedWindow
	if err := json.Unmarshal(text, &saved); err != nil {
		return err
	}
	*all = windows{}
	for instance, w := range saved {
		(*all)[instance] = &window{w.ID, event.FromTime(w.Start), event.FromTime(w.Until)}
	}
	return nil
}

// suppressor holds the alerts of a scan that stand for others until all are counted.
type suppressor struct {
	open    windows
	held    []*heldGroup
	byFirst map[string]*heldGroup // by the id of the first alert
	count   int64                 // of those that were suppressed
	// hurry has the first alert of a group given at once, without a count.
	hurry bool
}

// heldGroup is the first alert of a group, a sequence's building blocks before it, and
// how many others it stands for.
type heldGroup struct {
	alerts     []*alert.Alert
	group      *alert.Suppression
	others     int64
	start, end event.Time
}

// take takes an alert, with the building blocks of its sequence before it, and reports
// whether it keeps them.
func (s *suppressor) take(alerts []*alert.Alert) bool {
	a := alerts[len(alerts)-1]
	group := a.Suppression()
	if group == nil {
		return false
	}
	w, first := s.open.of(a.ID, a.Time, group)
	switch {
	case first && s.hurry:
		a.Suppress(group, 0, a.Time, a.Time)
		return false
	case first:
		h := &heldGroup{alerts: alerts, group: group, start: a.Time, end: a.Time}
		if s.byFirst == nil {
			s.byFirst = map[string]*heldGroup{}
		}
		s.held, s.byFirst[w.ID] = append(s.held, h), h
		return true
	}
	s.count++
	if h := s.byFirst[w.ID]; h != nil {
		h.add(a.Time)
	}
	return true
}

func (h *heldGroup) add(at event.Time) {
	h.others++
	if at.Compare(h.start) < 0 {
		h.start = at
	}
	if at.Compare(h.end) > 0 {
		h.end = at
	}
}

// emit gives all that is held, in the order of the first alerts.
func (s *suppressor) emit(emit func(*alert.Alert) error) error {
	for _, h := range s.held {
		h.alerts[len(h.alerts)-1].Suppress(h.group, h.others, h.start, h.end)
		for _, a := range h.alerts {
			if err := emit(a); err != nil {
				return err
			}
		}
	}
	s.held, s.byFirst = nil, nil
	return nil
}
