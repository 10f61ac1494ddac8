package coverage

import (
	"strings"
	"sync"

	"github.com/shrike-project/shrike/rule"
)

// Mark is what is to be known of the alerts of a rule on the events of a source that
// does not cover it in full.
type Mark struct {
	Source string `json:"source"`
	Result
}

// maxMarkLacks bounds the tests that a mark lists.
const maxMarkLacks = 20

// Marker tells what is to be known of alerts, by the events they are about. It is safe
// for use by many goroutines.
type Marker struct {
	opt   Options
	known []*Source

	mu    sync.Mutex
	rules map[*rule.Rule]*Rule // nil for one that is not judged
	marks map[markKey]*Mark
}

// markKey is a rule and the names of sources.
type markKey struct {
	rule    *rule.Rule
	sources string
}

// NewMarker makes a Marker.
func NewMarker(opt Options) *Marker {
	return &Marker{opt: opt, known: Known(), rules: map[*rule.Rule]*Rule{}, marks: map[markKey]*Mark{}}
}

// Source gives the known source of an event by its fields, nil if there is none.
func (m *Marker) Source(field func(name string) []string) *Source {
	return Recognise(m.known, first(field("event.provider")), first(field("event.dataset")))
}

// Mark gives what is to be known of an alert of a rule on some events, nil for
// nothing: the events of a sequence may come from several sources. Where the source of
// one is not known, nothing is said.
func (m *Marker) Mark(r *rule.Rule, events ...func(name string) []string) *Mark {
	var sources []*Source
	for _, field := range events {
		s := m.Source(field)
		if s == nil {
			return nil
		}
		sources = addSource(sources, s)
	}
	if len(sources) == 0 {
		return nil
	}
	names := make([]string, len(sources))
	for i, s := range sources {
		names[i] = s.Name
	}
	key := markKey{r, strings.Join(names, ", ")}
	m.mu.Lock()
	defer m.mu.Unlock()
	mark, ok := m.marks[key]
	if !ok {
		mark = m.judge(r, Join(key.sources, sources...))
		m.marks[key] = mark
	}
	return mark
}

// addSource adds a source to a list in the order of the names.
func addSource(list []*Source, s *Source) []*Source {
	at := 0
	for ; at < len(list) && list[at].Name <= s.Name; at++ {
		if list[at] == s {
			return list
		}
	}
	list = append(list, nil)
	copy(list[at+1:], list[at:])
	list[at] = s
	return list
}

// judge makes a mark; nil for a rule that is covered in full. An alert shows that its
// rule is about the events, whatever the tables say.
func (m *Marker) judge(r *rule.Rule, s *Source) *Mark {
	compiled := m.compiled(r)
	if compiled == nil {
		return nil
	}
	res := compiled.on(s.Kinds) // index patterns let it see them
	if res.Status != Degraded {
		return nil
	}
	res.Lacks = res.Lacks[:min(len(res.Lacks), maxMarkLacks)]
	return &Mark{s.Name, res}
}

func (m *Marker) compiled(r *rule.Rule) *Rule {
	c, ok := m.rules[r]
	if !ok {
		c = Compile(r, m.opt)
		m.rules[r] = c
	}
	return c
}

// Count counts rules by what a source makes of them.
func (m *Marker) Count(rules []*rule.Rule, s *Source) Counts {
	m.mu.Lock()
	defer m.mu.Unlock()
	var c Counts
	for _, r := range rules {
		if compiled := m.compiled(r); compiled != nil {
			c.Add(compiled.On(s))
		}
	}
	return c
}
