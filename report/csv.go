package report

// One line an alert, by RFC 4180. Spreadsheets take cells with certain beginnings
// for formulas, so those get an apostrophe.

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/rule"
)

type csvLines struct {
	w     *csv.Writer
	began bool
}

func newCSV(w io.Writer) *csvLines {
	c := csv.NewWriter(w)
	c.UseCRLF = true
	return &csvLines{w: c}
}

var csvColumns = []string{
	"time", "severity", "risk_score", "rule", "rule_id", "host", "user", "parent", "process", "command_line", "about", "why", "tactics", "techniques", "building_block", "alert_id",
}

func (c *csvLines) Write(a *alert.Alert) error {
	if err := c.begin(); err != nil {
		return err
	}
	f := brief(a)
	tactics, techniques := threatIDs(a.Rule)
	return c.row([]string{
		f.Time, f.Severity, strconv.FormatFloat(f.Risk, 'f', -1, 64), f.Rule, f.RuleID, f.Host, f.User, f.Parent, f.Process, f.Command,
		f.About, f.Why, tactics, techniques, strconv.FormatBool(a.BuildingBlock), f.ID,
	})
}

// begin writes the names of the columns, once.
func (c *csvLines) begin() error {
	if c.began {
		return nil
	}
	c.began = true
	return c.row(csvColumns)
}

func (c *csvLines) row(cells []string) error {
	out := make([]string, len(cells))
	for i, cell := range cells {
		out[i] = unformula(cell)
	}
	if err := c.w.Write(out); err != nil {
		return fmt.Errorf("write a line of csv: %w", err)
	}
	return nil
}

// unformula keeps a cell from being taken for a formula.
func unformula(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// threatIDs gives the tactics and techniques of a rule.
func threatIDs(r *rule.Rule) (tactics, techniques string) {
	var tacticIDs, techniqueIDs []string
	for _, t := range r.Threat {
		tacticIDs = append(tacticIDs, clean(t.Tactic.ID))
		for _, tech := range t.Techniques {
			techniqueIDs = append(techniqueIDs, clean(tech.ID))
			for _, sub := range tech.Subtechniques {
				techniqueIDs = append(techniqueIDs, clean(sub.ID))
			}
		}
	}
	return strings.Join(tacticIDs, " "), strings.Join(techniqueIDs, " ")
}

// Flush shows what was written so far.
func (c *csvLines) Flush() error {
	c.w.Flush()
	return c.w.Error()
}

func (c *csvLines) Close(Summary) error {
	if err := c.begin(); err != nil {
		return err
	}
	return c.Flush()
}
