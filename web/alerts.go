package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/shrike-project/shrike/store"
)

// alertJSON is an alert of a list; that of a single one has its document and history.
type alertJSON struct {
	ID        string    `json:"id"`
	RuleID    string    `json:"rule_id"`
	RuleName  string    `json:"rule_name"`
	Severity  string    `json:"severity"`
	RiskScore float64   `json:"risk_score"`
	Tags      []string  `json:"tags"`
	Time      string    `json:"time,omitempty"`
	StoredAt  time.Time `json:"stored_at"`
	Host      string    `json:"host,omitempty"`
	User      string    `json:"user,omitempty"`
	Reason    string    `json:"reason"`
	Block     bool      `json:"building_block,omitempty"`
	store.Triage
	// Suppressed counts the alerts that this one stands for.
	Suppressed int64           `json:"suppressed,omitempty"`
	Version    int64           `json:"version"`
	Document   json.RawMessage `json:"document,omitempty"`
	History    []store.Note    `json:"history,omitempty"`
}

func toJSON(a *store.Stored) alertJSON {
	out := alertJSON{
		ID: a.ID, RuleID: a.RuleID, RuleName: a.RuleName, Severity: a.Severity, RiskScore: a.RiskScore, Tags: a.Tags, StoredAt: a.StoredAt,
		Host: a.Host, User: a.User, Reason: a.Reason, Block: a.BuildingBlock, Triage: a.Triage, Version: a.Version, Suppressed: a.Suppressed, Document: a.Document,
	}
	if a.Timed {
		out.Time = a.Time.String()
	}
	return out
}

// known are the parameters of a list of alerts.
var known = []string{"rule", "severity", "status", "host", "user", "q", "since", "until", "building_blocks", "after", "limit"}

func (a *api) alerts(_ http.ResponseWriter, r *http.Request, _ store.Key) (any, error) {
	q, err := query(r.URL.Query(), time.Now())
	if err != nil {
		return nil, err
	}
	page, err := a.cfg.Store.Alerts(r.Context(), q)
	if err != nil {
		return nil, err
	}
	list := make([]alertJSON, len(page.Alerts))
	for i := range page.Alerts {
		list[i] = toJSON(&page.Alerts[i])
	}
	return struct {
		Alerts []alertJSON `json:"alerts"`
		Next   string      `json:"next,omitempty"`
	}{list, page.Next}, nil
}

// query reads the parameters of a list of alerts. One that nobody knows is a mistake.
func query(v url.Values, now time.Time) (q store.Query, err error) {
	for name := range v {
		if !slices.Contains(known, name) {
			return q, badRequest{"unknown parameter " + name}
		}
	}
	q = store.Query{Rule: v.Get("rule"), Severity: v["severity"], Status: v["status"], Host: v.Get("host"), User: v.Get("user"), Words: v.Get("q"),
		BuildingBlock: v.Get("building_blocks") == "true", After: v.Get("after")}
	if q.Since, err = moment(v.Get("since"), now); err != nil {
		return q, err
	}
	if q.Until, err = moment(v.Get("until"), now); err != nil {
		return q, err
	}
	q.Limit, err = number(v.Get("limit"))
	return q, err
}

func (a *api) alert(_ http.ResponseWriter, r *http.Request, _ store.Key) (any, error) {
	found, notes, err := a.cfg.Store.Alert(r.Context(), r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	out := toJSON(&found)
	out.History = notes
	return out, nil
}

func (a *api) triage(_ http.ResponseWriter, r *http.Request, key store.Key) (any, error) {
	var change struct {
		Version int64 `json:"version"`
		store.Change
	}
	if err := read(r, &change); err != nil {
		return nil, err
	}
	if change.Status != nil && !slices.Contains(store.Statuses, *change.Status) {
		return nil, badRequest{"status has to be open, acknowledged or closed"}
	}
	now, version, err := a.cfg.Store.Triage(r.Context(), r.PathValue("id"), change.Version, key.Name, change.Change)
	return struct {
		store.Triage
		Version int64 `json:"version"`
	}{now, version}, err
}

func (a *api) dead(_ http.ResponseWriter, r *http.Request, _ store.Key) (any, error) {
	list, err := a.cfg.Store.Dead(r.Context(), r.PathValue("name"), 100)
	type one struct {
		ID       string `json:"id"`
		Attempts int    `json:"attempts"`
		Reason   string `json:"reason"`
	}
	out := []one{}
	for _, d := range list {
		out = append(out, one{d.Alert.ID, d.Attempts, d.Reason})
	}
	return map[string]any{"dead": out}, err
}

func (a *api) revive(_ http.ResponseWriter, r *http.Request, _ store.Key) (any, error) {
	n, err := a.cfg.Store.Revive(r.Context(), r.PathValue("name"))
	return map[string]int64{"revived": n}, err
}
