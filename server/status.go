package server

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/pipeline"
	"github.com/shrike-project/shrike/source/nats"
	"github.com/shrike-project/shrike/store"
	"github.com/shrike-project/shrike/web"
)

// Status is how a server stands.
type Status struct {
	Version string    `json:"version"`
	Started time.Time `json:"started"`
	Now     time.Time `json:"now"`
	// Position is the last block of the journal that was judged, Newest the time of the
	// newest event.
	Position uint64 `json:"position"`
	// Leads tells that this process judges events; of several that share journal and store
	// one does.
	Leads  bool   `json:"leads"`
	Newest string `json:"newest,omitempty"`
	// Lag is the number of blocks that wait to be judged.
	Lag       uint64                           `json:"lag"`
	Journal   JournalStatus                    `json:"journal"`
	Holes     []pipeline.Hole                  `json:"holes"`
	Refused   map[string]int64                 `json:"refused"`
	Ingest    ingest                           `json:"ingest"`
	Inputs    []InputStatus                    `json:"inputs"`
	Rules     RuleCounts                       `json:"rules"`
	Sequences SequenceStatus                   `json:"sequences"`
	Alerts    []store.Count                    `json:"alerts"`
	Sinks     map[string]pipeline.DeliverStats `json:"sinks"`
	Outbox    map[string]store.Depth           `json:"outbox"`
	// Backfill is the last one that ended.
	Backfill *BackfillResult `json:"backfill,omitempty"`
	// Failing is why the store takes no alerts; "" if it does.
	Failing string `json:"failing,omitempty"`
}

type ingest struct {
	Requests int64            `json:"requests"`
	Events   int64            `json:"events"`
	Bytes    int64            `json:"bytes"`
	Refused  map[string]int64 `json:"refused"`
}

// JournalStatus is how the journal stands.
type JournalStatus struct {
	First   uint64 `json:"first"`
	Last    uint64 `json:"last"`
	Bytes   int64  `json:"bytes"`
	Damaged int64  `json:"damaged"`
}

// RuleCounts counts rules.
type RuleCounts struct {
	Running  int       `json:"running"`
	Skipped  int       `json:"skipped"`
	Problems int       `json:"problems"`
	Kept     []string  `json:"kept,omitempty"`
	Loaded   time.Time `json:"loaded"`
}

// SequenceStatus counts what rules that need several events hold.
type SequenceStatus struct {
	Keys    int    `json:"keys"`
	Pending int    `json:"pending"`
	Expired uint64 `json:"expired"`
	Evicted uint64 `json:"evicted"`
	Untimed uint64 `json:"untimed"`
	Late    uint64 `json:"late"`
	// Waiting are events whose turn has not come, Hurried those that were judged early.
	Waiting  int    `json:"waiting"`
	Hurried  uint64 `json:"hurried"`
	Repeated uint64 `json:"repeated"`
}

// Status tells how the server stands.
func (s *Server) Status(ctx context.Context) (any, error) {
	st := Status{Version: s.opt.Version, Started: s.started.UTC(), Now: time.Now().UTC(), Holes: []pipeline.Hole{}}
	st.Position, st.Backfill, st.Leads = s.position.Load(), s.filled.Load(), s.lease.Load() != nil
	b := s.bulk.Stats()
	st.Ingest = ingest{b.Requests, b.Events, b.Bytes, b.Refused}
	l := s.rules.Load()
	st.Rules = RuleCounts{len(l.Detector.Rules()), len(l.Detector.Skipped()), problems(l), l.Kept, l.At.UTC()}
	st.Inputs = s.inputStatus()
	st.Sinks = map[string]pipeline.DeliverStats{}
	for _, o := range s.sinks {
		st.Sinks[o.name] = o.deliverer.Stats()
	}
	if live := s.live.Load().Status(); live != nil {
		st.Newest, st.Refused = live.State.Newest, live.Refused
		st.Holes = append(st.Holes, live.State.Holes...)
		st.Sequences = sequenceStatus(live)
	}
	if err := s.failing.Load(); err != nil {
		st.Failing = (*err).Error()
	}
	j, err := s.journal.Stats(ctx)
	if err != nil {
		return nil, err
	}
	st.Journal = JournalStatus{j.First, j.Last, j.Bytes, j.Damaged}
	st.Lag = lag(j, st.Position)
	if st.Alerts, err = s.store.Counts(ctx); err != nil {
		return nil, err
	}
	st.Outbox, err = s.store.Depths(ctx)
	return st, err
}

func lag(j nats.Stats, position uint64) uint64 {
	if j.Last <= position {
		return 0
	}
	return j.Last - max(position, j.First-1)
}

func problems(l *loadedRules) (n int) {
	for _, p := range l.Problems {
		if !p.Warning {
			n++
		}
	}
	return n
}

func sequenceStatus(live *pipeline.LiveStatus) SequenceStatus {
	out := SequenceStatus{Keys: live.Stream.Keys, Pending: live.Stream.Pending, Expired: live.Stream.Expired, Evicted: live.Stream.Evicted, Untimed: live.Stream.Untimed,
		Waiting: live.Stream.Waiting, Hurried: live.Stream.Hurried, Repeated: live.Stream.Repeated}
	for _, n := range live.Stream.Late {
		out.Late += n
	}
	return out
}

// RuleStatus is how a rule stands, in Elastic's words.
type RuleStatus struct {
	ID       string `json:"rule_id"`
	Name     string `json:"name"`
	Severity string `json:"severity,omitempty"`
	// Status is succeeded, partial failure or failed.
	Status   string   `json:"status"`
	Messages []string `json:"messages,omitempty"`
	// Since tells from when on each event was judged by it.
	Since *pipeline.RuleSince `json:"since,omitempty"`
	// Late counts events that came too late to take their place in a sequence.
	Late uint64 `json:"late,omitempty"`
}

// ruleList tells how each rule stands.
func (s *Server) ruleList(context.Context) (any, error) {
	l, live := s.rules.Load(), s.live.Load().Status()
	list := []RuleStatus{}
	for _, r := range l.Detector.Rules() {
		st := RuleStatus{ID: r.RuleID, Name: r.Name, Severity: r.Severity, Status: "succeeded"}
		if live != nil {
			if since, ok := live.State.Rules[r.RuleID]; ok {
				st.Since = &since
			}
			if st.Late = live.Stream.Late[r]; st.Late > 0 {
				st.Messages = append(st.Messages, "events came later than the lateness allows")
			}
			if len(live.State.Holes) > 0 {
				st.Messages = append(st.Messages, "events were lost before they were judged: see the holes of the status")
			}
		}
		if len(st.Messages) > 0 {
			st.Status = "partial failure"
		}
		list = append(list, st)
	}
	for _, skipped := range l.Detector.Skipped() {
		list = append(list, RuleStatus{ID: skipped.RuleID, Name: skipped.Name, Severity: skipped.Severity, Status: "failed", Messages: []string{skipped.Reason}})
	}
	texts := []string{}
	for _, p := range l.Problems {
		if !p.Warning {
			texts = append(texts, strings.TrimSpace(p.Error()+" "+p.Hint))
		}
	}
	return map[string]any{"rules": list, "problems": texts, "kept": l.Kept}, nil
}

// reloadAnswer reads the rules anew and tells what became of them.
func (s *Server) reloadAnswer(ctx context.Context) (any, error) {
	s.Reload()
	return s.ruleList(ctx)
}

// backfill answers a request for a backfill.
func (s *Server) backfill(_ context.Context, body []byte) (any, error) {
	var q BackfillRequest
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&q); err != nil {
		return nil, web.BadRequest("the body: " + err.Error())
	}
	if err := s.startBackfill(q); err != nil {
		return nil, web.BadRequest(err.Error())
	}
	return map[string]string{"started": "its result will be in the status"}, nil
}

// measure registers the numbers that are asked for when metrics are read.
func (s *Server) measure() {
	stats := func(read func(nats.Stats) float64) func() float64 {
		return func() float64 {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
			defer cancel()
			st, err := s.journal.Stats(ctx)
			if err != nil {
				return -1
			}
			return read(st)
		}
	}
	s.metrics.gauge("journal_bytes", "What the journal takes.", stats(func(st nats.Stats) float64 { return float64(st.Bytes) }))
	s.metrics.gauge("journal_lag_blocks", "Blocks of the journal that wait to be judged.", stats(func(st nats.Stats) float64 {
		return float64(lag(st, s.position.Load()))
	}))
	live := func(read func(*pipeline.LiveStatus) float64) func() float64 {
		return func() float64 {
			if st := s.live.Load().Status(); st != nil {
				return read(st)
			}
			return 0
		}
	}
	s.metrics.gauge("sequence_keys", "Join keys that are kept.", live(func(st *pipeline.LiveStatus) float64 { return float64(st.Stream.Keys) }))
	s.metrics.gauge("sequence_pending", "Unfinished matches.", live(func(st *pipeline.LiveStatus) float64 { return float64(st.Stream.Pending) }))
	s.metrics.gauge("sequence_late_events", "Events that came too late for their place in a sequence.", live(func(st *pipeline.LiveStatus) float64 { return float64(sequenceStatus(st).Late) }))
	s.metrics.gauge("state_seconds", "For how long judging was held up by the last state of detection.", live(func(st *pipeline.LiveStatus) float64 { return st.StateTook.Seconds() }))
	s.metrics.gauge("leads", "1 if this process judges events, 0 if another one does.", func() float64 {
		if s.lease.Load() != nil {
			return 1
		}
		return 0
	})
	s.metrics.gauge("connections", "Clients that are connected.", func() float64 { open, _ := s.clients.counts(); return float64(open) })
	s.metrics.gauge("connections_dropped", "Connections that were closed because there were too many: those that had waited longest.", func() float64 {
		_, dropped := s.clients.counts()
		return float64(dropped)
	})
	s.metrics.gauge("rules_running", "Rules that run.", func() float64 { return float64(len(s.rules.Load().Detector.Rules())) })
	s.metrics.labelled("ingest_refused_total", "Events and requests that were refused.", "reason", prometheus.CounterValue, func() map[string]float64 {
		out := map[string]float64{}
		for reason, n := range s.bulk.Stats().Refused {
			out[reason] = float64(n)
		}
		return out
	})
	s.measureRules()
	s.measureInputs()
	s.metrics.labelled("outbox_waiting", "Alerts that wait to be sent.", "sink", prometheus.GaugeValue, func() map[string]float64 {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		out := map[string]float64{}
		depths, err := s.store.Depths(ctx)
		if err != nil {
			return out
		}
		for sink, d := range depths {
			out[sink] = float64(d.Waiting)
		}
		return out
	})
}

// measureRules registers what rules cost, and the events that could not be judged.
func (s *Server) measureRules() {
	spent := func(of func(detect.Spent) float64) func() map[string]float64 {
		return func() map[string]float64 {
			out := map[string]float64{}
			for id, st := range s.live.Load().Spent() {
				out[id] = of(st)
			}
			return out
		}
	}
	const sampled = " Estimated from one event in 128."
	s.metrics.labelled("rule_seconds_total", "Time that looking at a rule in full takes, for the events that have its witnesses."+sampled, "rule_id", prometheus.CounterValue, spent(func(st detect.Spent) float64 { return st.Took.Seconds() }))
	s.metrics.labelled("rule_looked_total", "Events that have the witnesses of a rule."+sampled, "rule_id", prometheus.CounterValue, spent(func(st detect.Spent) float64 { return float64(st.Looked) }))
	s.metrics.labelled("rule_hits_total", "Events that hit an event query of a rule."+sampled, "rule_id", prometheus.CounterValue, spent(func(st detect.Spent) float64 { return float64(st.Hits) }))
	s.metrics.labelled("events_skipped_total", "Documents that could not be judged, as of the last state of detection.", "reason", prometheus.CounterValue, func() map[string]float64 {
		out := map[string]float64{}
		if st := s.live.Load().Status(); st != nil {
			for reason, n := range st.Refused {
				out[reason] = float64(n)
			}
		}
		return out
	})
}

// measureInputs registers the numbers of inputs.
func (s *Server) measureInputs() {
	inputs := func(of func(InputStatus) int64) func() map[string]float64 {
		return func() map[string]float64 {
			out := map[string]float64{}
			for _, st := range s.inputStatus() {
				out[st.Name] = float64(of(st))
			}
			return out
		}
	}
	s.metrics.labelled("input_events_total", "Events that inputs took.", "input", prometheus.CounterValue, inputs(func(st InputStatus) int64 { return st.Taken }))
	s.metrics.labelled("input_refused_total", "Events of inputs that were refused.", "input", prometheus.CounterValue, inputs(func(st InputStatus) (n int64) {
		for _, refused := range st.Refused {
			n += refused
		}
		return n
	}))
}
