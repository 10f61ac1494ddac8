package report

// A layer for ATT&CK Navigator, in format 4.5: techniques with the number of
// alerts as their score.

import (
	"encoding/json"
	"io"
	"strings"

	"github.com/shrike-project/shrike/alert"
)

type navigator struct {
	w      io.Writer
	matrix matrix
}

func newNavigator(w io.Writer) *navigator { return &navigator{w, matrix{}} }

func (n *navigator) Write(a *alert.Alert) error {
	n.matrix.add(a.Rule)
	return nil
}

type layerTechnique struct {
	ID      string `json:"techniqueID"`
	Tactic  string `json:"tactic,omitempty"`
	Score   int64  `json:"score"`
	Comment string `json:"comment"`
	Enabled bool   `json:"enabled"`
	Show    bool   `json:"showSubtechniques"`
}

type layerVersions struct {
	Layer     string `json:"layer"`
	Navigator string `json:"navigator"`
}

type layerGradient struct {
	Colors []string `json:"colors"`
	Min    int64    `json:"minValue"`
	Max    int64    `json:"maxValue"`
}

type layer struct {
	Name        string           `json:"name"`
	Versions    layerVersions    `json:"versions"`
	Domain      string           `json:"domain"`
	Description string           `json:"description"`
	Sorting     int              `json:"sorting"` // 3: by score, the highest first
	HideOthers  bool             `json:"hideDisabled"`
	Techniques  []layerTechnique `json:"techniques"`
	Gradient    layerGradient    `json:"gradient"`
}

func (n *navigator) Close(sum Summary) error {
	l := layer{
		Name: "Shrike alerts", Versions: layerVersions{"4.5", "5.1.0"}, Domain: "enterprise-attack",
		Description: "Alerts by technique; " + sum.sentence(), Sorting: 3, Techniques: []layerTechnique{},
		Gradient: layerGradient{Colors: []string{"#ffe8a3", "#f2994a", "#c0392b"}, Max: 1},
	}
	for _, c := range n.matrix.cells() {
		l.Gradient.Max = max(l.Gradient.Max, c.Count)
		l.Techniques = append(l.Techniques, layerTechnique{
			ID: c.ID, Tactic: strings.ReplaceAll(strings.ToLower(c.Tactic), " ", "-"), Score: c.Count, Enabled: true, Show: c.sub(),
			Comment: clean(strings.Join(c.ruleNames(), "; ")),
		})
	}
	return writeJSON(n.w, l)
}

// writeJSON writes a value as indented JSON.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
