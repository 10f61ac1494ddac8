package alert

import (
	"bufio"
	"sync"
	"time"

	"github.com/shrike-project/shrike/coverage"
	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/rule"
)

// Alert is what a person sees of a signal. It owns its memory, together with the
// others of its rule, and does not change.
type Alert struct {
	// ID is kibana.alert.uuid.
	ID   string
	Rule *rule.Rule
	// RuleName, Severity and RiskScore are the rule's after its overrides.
	RuleName  string
	Severity  string
	RiskScore float64
	// Time is when the event happened, of a sequence its last one; Timed tells
	// whether it is known.
	Time  event.Time
	Timed bool
	// Reason is the sentence Kibana shows; Why says in one line what decided.
	Reason, Why string
	// Trace tells why the rule fired on an event. A sequence has none; see Steps.
	Trace *eql.Trace
	// Steps are the events of a sequence or sample, Keys its join keys.
	Steps []Step
	Keys  []detect.JoinKey
	// BuildingBlock marks an alert that is there for others to build on, and that
	// people see only if they ask for it: the events of a sequence, and the alerts
	// of building-block rules.
	BuildingBlock bool
	// Coverage tells which tests of the rule the source of the events never decides; nil
	// if there are none.
	Coverage *coverage.Mark
	// File is what the event was read from, and Line where in it, counted from 1; "" and 0
	// if that is not known, as it is not for sequences.
	File string
	Line int
	// Start is what the event reports of a process; nothing for sequences.
	Start Start

	text   text // the document
	fields *lateTree
}

// Step is an event of a sequence or sample.
type Step struct {
	// Query is the event query the event hit, or must not have hit.
	Query string
	// Missing marks an event that did not happen.
	Missing bool
	Time    event.Time
	Timed   bool
	Trace   *eql.Trace

	fields *lateTree // nil if the event is missing
}

// Field gives the values of a source field of the alert as text.
func (a *Alert) Field(name string) []string { return fieldTexts(a.fields, name) }

// Field gives the values of a field of the step's event as text.
func (s *Step) Field(name string) []string { return fieldTexts(s.fields, name) }

// Source gives the event as it came, nil if it is missing. It is made anew each time.
func (s *Step) Source() map[string]any {
	if s.fields == nil {
		return nil
	}
	doc, _ := s.fields.node().Value().(map[string]any)
	return doc
}

// SetSource sets the event of a step that no Builder made. The step keeps doc.
func (s *Step) SetSource(doc []byte) { s.fields = &lateTree{doc: doc} }

func fieldTexts(fields *lateTree, name string) []string {
	if fields == nil {
		return nil
	}
	return texts(lookup(fields.node(), name))
}

// lateTree is the fields of an event, read when they are first asked for. Few alerts are
// asked for them.
type lateTree struct {
	doc []byte
	of  fieldExtents // what of doc is not of the event

	once sync.Once
	root event.Node
}

func (t *lateTree) node() *event.Node {
	t.once.Do(func() {
		var r event.TreeReader
		t.root = r.Read(t.of.fields(t.doc))
	})
	return &t.root
}

// AppendJSON writes the alert document: on one line, with members in the order of
// their names, and safe on a terminal (see event.AppendQuoted).
func (a *Alert) AppendJSON(dst []byte) []byte { return a.text.append(dst) }

// WriteJSON writes to w what AppendJSON writes.
func (a *Alert) WriteJSON(w *bufio.Writer) error { return a.text.write(w) }

// Document gives the alert document as maps and lists, as event.Document reads it.
// It is made anew each time.
func (a *Alert) Document() map[string]any { return event.Document(a.AppendJSON(nil)) }

// SetDocument sets the document of an alert that no Builder made, such as one that
// was kept.
func (a *Alert) SetDocument(doc map[string]any) {
	a.text = text{own: appendValue(nil, doc)}
	a.fields = &lateTree{doc: a.text.own}
}

// Run is what alerts of one execution have in common.
type Run struct {
	// Now is the time the alerts are written.
	Now time.Time
	// UUID names the execution.
	UUID string
	// Space is Kibana's space; "" stands for "default".
	Space string
	// Manual marks an execution over past time.
	Manual bool
	// Coverage marks the alerts of a rule on some events, of which it gets functions
	// that give the values of a field; nil: no alert is marked. It is called by many
	// goroutines.
	Coverage func(r *rule.Rule, events ...func(name string) []string) *coverage.Mark
}

// Builder makes alerts. It is safe for use by one goroutine at a time.
type Builder struct {
	run    Run
	now    string
	rules  *ruleTexts
	fitter fitter
	reader event.TreeReader
	writer writer
	buf    []byte
}

// NewBuilder makes a Builder for the alerts of one execution. Types tell which
// values of a source clash with the mapping of alerts; nil stands for
// event.DefaultTypes.
func NewBuilder(run Run, types *event.Types) *Builder {
	if run.Space == "" {
		run.Space = "default"
	}
	if types == nil {
		types = event.DefaultTypes()
	}
	return &Builder{run: run, now: timestamp(run.Now), rules: &ruleTexts{run: run}, fitter: newFitter(types)}
}

// Fork makes a Builder for another goroutine, which shares with this one what is
// made once for each rule.
func (b *Builder) Fork() *Builder {
	c := *b
	c.fitter = newFitter(b.fitter.types)
	c.reader, c.writer, c.buf = event.TreeReader{}, writer{}, nil
	return &c
}

// At says that it is now another time than that of the execution's start: what is
// built from here on is written now.
func (b *Builder) At(now time.Time) { b.now = timestamp(now) }

// Build makes the alerts of a signal and hands them to emit: one for an event; for
// a sequence or sample a building block for each of its events, and then the alert
// for all of them.
func (b *Builder) Build(s *detect.Signal, emit func(*Alert)) {
	defer b.reader.Reset() // alerts hold nothing of the trees
	if s.IsSequence() {
		b.buildSequence(s, emit)
		return
	}
	src := b.source(s.Steps[0].Record)
	if src.descendsFrom(s.Rule.ObjectID) {
		return
	}
	a := newAlert(s)
	a.Start = src.start()
	a.Trace = s.Traces()[0]
	a.Coverage = b.coverage(s.Rule, src)
	a.override(&src.root)
	a.ID = b.eventAlertID(src, s.Rule.ObjectID)
	a.Why = why(a.Trace)
	a.BuildingBlock = s.Rule.BuildingBlockType != ""
	body := b.body(src)
	a.Reason = reason(&body.fields, a.Severity, a.RuleName)
	b.write(a, document{body: body, ancestors: src.ancestors, depth: src.depth + 1, first: src, blockType: s.Rule.BuildingBlockType})
	emit(a)
}

// coverage marks an alert of a rule on the events of some sources.
func (b *Builder) coverage(r *rule.Rule, events ...*source) *coverage.Mark {
	if b.run.Coverage == nil {
		return nil
	}
	fields := make([]func(string) []string, len(events))
	for i, src := range events {
		fields[i] = func(name string) []string { return texts(lookup(&src.root, name)) }
	}
	return b.run.Coverage(r, fields...)
}

func newAlert(s *detect.Signal) *Alert {
	return &Alert{Rule: s.Rule, RuleName: s.Rule.Name, Severity: s.Rule.Severity, RiskScore: s.Rule.RiskScore, Time: s.Time, Timed: s.Timed}
}

func timestamp(t time.Time) string { return event.FromTime(t).String() }
