package report

// SARIF 2.1.0, for CI: rules as descriptors, alerts as results. Results are written
// as they come, and the rules behind them.

import (
	"bufio"
	"encoding/json"
	"io"
	"path/filepath"
	"strings"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/rule"
)

type sarif struct {
	w     *bufio.Writer
	n     int
	index map[*rule.Rule]int
	rules []sarifRule
}

func newSARIF(w io.Writer) *sarif {
	return &sarif{w: bufio.NewWriterSize(w, 1<<16), index: map[*rule.Rule]int{}}
}

type sarifText struct {
	Text     string `json:"text"`
	Markdown string `json:"markdown,omitempty"`
}

type sarifRule struct {
	ID         string         `json:"id"`
	Name       string         `json:"name"`
	Short      sarifText      `json:"shortDescription"`
	Full       sarifText      `json:"fullDescription"`
	Help       *sarifText     `json:"help,omitempty"`
	HelpURI    string         `json:"helpUri,omitempty"`
	Config     sarifLevel     `json:"defaultConfiguration"`
	Properties map[string]any `json:"properties"`
}

type sarifLevel struct {
	Level string `json:"level"`
}

type sarifResult struct {
	RuleID       string            `json:"ruleId"`
	RuleIndex    int               `json:"ruleIndex"`
	Level        string            `json:"level"`
	Message      sarifText         `json:"message"`
	Locations    []sarifLocation   `json:"locations"`
	Fingerprints map[string]string `json:"partialFingerprints"`
	Properties   map[string]any    `json:"properties"`
}

type sarifLocation struct {
	Physical sarifPhysical  `json:"physicalLocation"`
	Logical  []sarifLogical `json:"logicalLocations,omitempty"`
}

type sarifPhysical struct {
	Artifact struct {
		URI string `json:"uri"`
	} `json:"artifactLocation"`
	Region *sarifRegion `json:"region,omitempty"`
}

type sarifRegion struct {
	StartLine int `json:"startLine"`
}

type sarifLogical struct {
	Name string `json:"fullyQualifiedName"`
	Kind string `json:"kind"`
}

func level(severity string) string {
	switch severity {
	case "critical", "high":
		return "error"
	case "medium":
		return "warning"
	}
	return "note"
}

func (s *sarif) Write(a *alert.Alert) error {
	before := ",\n"
	if s.n == 0 {
		before = sarifHead
	}
	s.n++
	f := brief(a)
	message := f.Rule + ": " + f.Why
	if f.About != "" {
		message = f.Rule + " (" + f.About + "): " + f.Why
	}
	return s.put(before, sarifResult{
		RuleID: f.RuleID, RuleIndex: s.rule(a.Rule), Level: level(a.Severity), Message: sarifText{Text: message},
		Locations: []sarifLocation{location(a, f)}, Fingerprints: map[string]string{"shrikeAlert/v1": f.ID},
		Properties: map[string]any{"severity": f.Severity, "riskScore": f.Risk, "time": f.Time, "host": f.Host, "user": f.User, "commandLine": f.Command},
	})
}

const sarifHead = `{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{"results":[` + "\n"

func (s *sarif) put(before string, v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // texts and numbers
	}
	_, _ = s.w.WriteString(before)
	_, err = s.w.Write(text)
	return err
}

// location says from where the event was read. If that is not known it says where the
// event was logged, and if the event does not tell, where the rule is that saw it.
func location(a *alert.Alert, f facts) sarifLocation {
	var l sarifLocation
	file, line := a.File, a.Line
	if file == "" {
		file = lastEvent(a).first("log.file.path")
	}
	if file == "" {
		file, line = a.Rule.File, a.Rule.Line
	}
	l.Physical.Artifact.URI = fileURI(file)
	if line > 0 {
		l.Physical.Region = &sarifRegion{line}
	}
	for _, logical := range [...]sarifLogical{{f.Host, "host"}, {f.Process, "process"}} {
		if logical.Name != "" {
			l.Logical = append(l.Logical, logical)
		}
	}
	return l
}

// fileURI gives a path as a reference that may be relative.
func fileURI(path string) string {
	path = strings.ReplaceAll(filepath.ToSlash(path), `\`, "/")
	var b strings.Builder
	if len(path) > 1 && path[1] == ':' || strings.HasPrefix(path, "/") {
		b.WriteString("file://")
		if path[0] != '/' {
			b.WriteByte('/')
		}
	}
	for i := range len(path) {
		c := path[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("/-._~:", c) >= 0 {
			b.WriteByte(c)
			continue
		}
		const hex = "0123456789ABCDEF"
		b.WriteByte('%')
		b.WriteByte(hex[c>>4])
		b.WriteByte(hex[c&15])
	}
	return b.String()
}

func (s *sarif) rule(r *rule.Rule) int {
	if i, ok := s.index[r]; ok {
		return i
	}
	i := len(s.rules)
	s.index[r] = i
	d := sarifRule{
		ID: clean(r.RuleID), Name: clean(r.Name), Short: sarifText{Text: clean(r.Name)}, Full: sarifText{Text: clean(r.Description)},
		Config: sarifLevel{level(r.Severity)}, Properties: map[string]any{"tags": append([]string{}, r.Tags...), "security-severity": securitySeverity(r.RiskScore)},
	}
	if r.Note != "" {
		d.Help = &sarifText{Text: r.Note, Markdown: r.Note}
	}
	for _, ref := range r.References {
		if strings.HasPrefix(ref, "https://") {
			d.HelpURI = ref
			break
		}
	}
	s.rules = append(s.rules, d)
	return i
}

// securitySeverity gives a risk score on the scale from 0 to 10 that CI uses.
func securitySeverity(risk float64) string {
	text, err := json.Marshal(float64(int(risk)) / 10)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func (s *sarif) Close(sum Summary) error {
	if s.n == 0 {
		_, _ = s.w.WriteString(sarifHead)
	}
	if s.rules == nil {
		s.rules = []sarifRule{}
	}
	err := s.put("\n],\"tool\":", map[string]any{"driver": map[string]any{"name": "shrike", "version": clean(sum.Version), "rules": s.rules}})
	if err == nil {
		err = s.put(",\"invocations\":", []any{map[string]any{"executionSuccessful": !sum.Stopped, "endTimeUtc": sum.Written.UTC().Format("2006-01-02T15:04:05Z")}})
	}
	if err == nil {
		_, err = s.w.WriteString(",\"columnKind\":\"unicodeCodePoints\"}]}\n")
	}
	if err == nil {
		err = s.w.Flush()
	}
	return err
}
