package rule

import (
	"time"

	"github.com/shrike-project/shrike/eql"
)

// Form is the form of the file a rule was read from.
type Form string

// The forms of rule files.
const (
	TOML   Form = "toml"
	NDJSON Form = "ndjson"
	Page   Form = "page"
)

// Rule is one detection rule. It does not change after it is loaded.
type Rule struct {
	// RuleID is the stable identity across versions and systems. ObjectID is the
	// identity of the saved object in one Kibana space; where the file has none
	// it is derived from RuleID.
	RuleID, ObjectID string
	Name             string
	Description      string
	Type             string // eql, query, threshold, …
	Language         string // eql, kuery, lucene, esql
	Query            string
	Version          int
	Revision         int
	Enabled          bool
	Immutable        bool

	Severity  string // low, medium, high, critical
	RiskScore float64

	Author         []string
	License        string
	Tags           []string
	References     []string
	FalsePositives []string
	Note           string // the investigation guide, Markdown
	Setup          string // Markdown
	Threat         []Threat

	Interval   time.Duration // time between runs
	From, To   string        // the window of a run, as date math
	LookBack   time.Duration // how far back From reaches
	MaxSignals int           // most alerts of a run

	Index      []string // index patterns; none: the default ones
	DataViewID string
	Filters    []any

	TimestampOverride                 string
	TimestampOverrideFallbackDisabled bool
	TimestampField                    string
	EventCategoryOverride             string
	TiebreakerField                   string

	BuildingBlockType   string
	SeverityMapping     []SeverityMapping
	RiskScoreMapping    []RiskScoreMapping
	RuleNameOverride    string
	ExceptionsList      []ListRef
	AlertSuppression    *Suppression
	InvestigationFields []string
	TimelineID          string
	TimelineTitle       string
	RelatedIntegrations []Integration

	// Params is the rule as Kibana's API would show it, with everything the file
	// says. Its values are those of encoding/json, but integers are int64.
	Params map[string]any
	// Metadata is the [metadata] table of a TOML file.
	Metadata map[string]any

	// File and Form tell where the rule was read; Line is that of its first byte.
	File string
	Form Form
	Line int

	// EQL is the parsed query of a rule whose language is eql, nil if broken.
	EQL *eql.Query
	// Blocked says why the rule cannot run, or is empty.
	Blocked string
	// Problems are what is wrong with the rule itself.
	Problems []Problem
}

// Deprecated reports whether the rule's authors have withdrawn it.
func (r *Rule) Deprecated() bool { return r.Metadata["maturity"] == "deprecated" }

// Broken reports whether the rule has a problem that is an error.
func (r *Rule) Broken() bool {
	for _, p := range r.Problems {
		if !p.Warning {
			return true
		}
	}
	return false
}

// SeverityMapping raises the severity where a field has a value.
type SeverityMapping struct {
	Field, Operator, Value, Severity string
}

// RiskScoreMapping takes the risk score from a field.
type RiskScoreMapping struct {
	Field, Operator, Value string
	RiskScore              float64
}

// ListRef refers to an exception list.
type ListRef struct {
	ID, ListID, Type, NamespaceType string
}

// Suppression groups alerts by the values of fields.
type Suppression struct {
	GroupBy []string
	// Duration is how long a group stays open; 0: one run.
	Duration time.Duration
	// MissingFields is "suppress" or "doNotSuppress".
	MissingFields string
}

// Integration names a package that supplies a rule's data.
type Integration struct {
	Package, Version, Integration string
}

// Severities lists the severities from the least to the greatest.
var Severities = []string{"low", "medium", "high", "critical"}

// SeverityRank gives the place of a severity in Severities, -1 if it is none.
func SeverityRank(s string) int {
	for i, name := range Severities {
		if name == s {
			return i
		}
	}
	return -1
}
