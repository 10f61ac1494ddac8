package pipeline

import "github.com/shrike-project/shrike/event"

// Range is a stretch of time: from Since on, and before Until; nil is no bound.
type Range struct{ Since, Until *event.Time }

func (r Range) bounded() bool { return r.Since != nil || r.Until != nil }

func (r Range) holds(t event.Time) bool {
	return (r.Since == nil || t.Compare(*r.Since) >= 0) && (r.Until == nil || t.Compare(*r.Until) < 0)
}
