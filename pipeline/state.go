package pipeline

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/s2"

	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/event"
)

// State is where a Live is: how far it has judged its source, since when each rule,
// and the unfinished matches of the rules that need several events.
type State struct {
	// Position is the sequence of the last batch that was judged; 0: none.
	Position uint64 `json:"position"`
	// Newest is the time of the newest event that was judged, "" if none had one.
	Newest string `json:"newest,omitempty"`
	// Rules tell since when each rule is judged, by rule id.
	Rules map[string]RuleSince `json:"rules"`
	// Holes are the stretches of the source that were gone before they were judged.
	Holes []Hole `json:"holes,omitempty"`
	// Suppressing are the groups of alerts that are open.
	Suppressing windows `json:"suppressing,omitempty"`

	newest   reach            // as Newest
	of       *detect.Detector // whose rules Rules are
	snapshot []byte
}

// RuleSince tells since when a rule is judged without a break.
type RuleSince struct {
	// Position is the first batch it judged, and At when that was.
	Position uint64    `json:"position"`
	At       time.Time `json:"at"`
	// Newest is the time of the newest event before that batch, "" if there was none:
	// events older than that were mostly not judged by this rule.
	Newest string `json:"newest,omitempty"`
	// Query tells whether the rule is still the same.
	Query string `json:"query"`
}

// Hole is a stretch of batches that nobody judged, both ends included.
type Hole struct {
	From    uint64    `json:"from"`
	To      uint64    `json:"to"`
	Noticed time.Time `json:"noticed"`
}

// ErrState is in every error of a state that cannot be read.
var ErrState = errors.New("the stored state of detection cannot be read")

const (
	stateMagic = "shrike live 2\n"
	stateEnd   = "the end\n"
)

// frozenState is a state that is yet to be written.
type frozenState struct {
	head     []byte
	snapshot *detect.Snapshot
	replay   uint64 // the batch that a later run begins at
}

// freeze takes the state as it is now, with the snapshot of its stream.
func (s *State) freeze(snapshot *detect.Snapshot) (*frozenState, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return &frozenState{append(append([]byte(stateMagic), text...), '\n'), snapshot, s.Position + 1}, nil
}

// writeTo writes the state as ReadState reads it.
func (f *frozenState) writeTo(w io.Writer) error {
	if _, err := w.Write(f.head); err != nil {
		return err
	}
	enc := s2.NewWriter(w, s2.WriterConcurrency(1), s2.WriterBlockSize(256<<10))
	if _, err := f.snapshot.WriteTo(enc); err != nil {
		return err
	}
	if err := enc.Close(); err != nil {
		return err
	}
	_, err := io.WriteString(w, stateEnd)
	return err
}

// ReadState reads a state that was stored. Every error is an ErrState.
func ReadState(b []byte) (*State, error) {
	rest, ok := bytes.CutPrefix(b, []byte(stateMagic))
	text, packed, whole := bytes.Cut(rest, []byte("\n"))
	if !ok || !whole {
		return nil, fmt.Errorf("%w: it does not begin as one of this version", ErrState)
	}
	packed, whole = bytes.CutSuffix(packed, []byte(stateEnd))
	if !whole {
		return nil, fmt.Errorf("%w: it is cut short", ErrState)
	}
	s := &State{}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrState, err)
	}
	s.newest.time, s.newest.known = event.ParseTime(s.Newest)
	var err error
	if s.snapshot, err = io.ReadAll(s2.NewReader(bytes.NewReader(packed))); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrState, err)
	}
	return s, nil
}

// mostHoles bounds the holes that are kept, the last ones.
const mostHoles = 1000

// reach notes the time of an event.
func (s *State) reach(t event.Time) {
	s.newest.to(t)
	s.Newest = s.newest.time.String()
}

// next notes that the batch of a sequence comes next, and whether batches before it
// are missing.
func (s *State) next(sequence uint64, now time.Time) {
	if s.Position > 0 && sequence > s.Position+1 {
		s.Holes = append(s.Holes, Hole{From: s.Position + 1, To: sequence - 1, Noticed: now})
		s.Holes = s.Holes[max(0, len(s.Holes)-mostHoles):]
	}
	s.Position = sequence
}

// begin notes the rules that judge the batch of a sequence and those after it.
func (s *State) begin(d *detect.Detector, sequence uint64, now time.Time) {
	rules := map[string]RuleSince{}
	for _, r := range d.Rules() {
		sum := sha256.Sum256([]byte(r.EQL.String()))
		query := hex.EncodeToString(sum[:8])
		since, known := s.Rules[r.RuleID]
		if !known || since.Query != query {
			since = RuleSince{Position: sequence, At: now, Newest: s.Newest, Query: query}
		}
		rules[r.RuleID] = since
	}
	s.Rules, s.of = rules, d
}

// copy gives a state that does not change with this one.
func (s *State) copy() *State {
	c := *s
	c.Holes = append([]Hole(nil), s.Holes...)
	c.snapshot, c.Suppressing = nil, nil
	return &c
}
