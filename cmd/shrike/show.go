package main

// Rules as readable pages.

import (
	"fmt"
	"strings"

	"charm.land/glamour/v2"

	"github.com/shrike-project/shrike/rule"
)

func (p *program) showRules(set *rule.Set, asJSON bool) error {
	if asJSON {
		list := []any{}
		for _, r := range set.Rules {
			list = append(list, map[string]any{"file": r.File, "form": r.Form, "blocked": r.Blocked, "metadata": r.Metadata, "rule": r.Params})
		}
		if err := p.writeJSON(list); err != nil {
			return err
		}
		return setStatus(set)
	}
	for _, r := range set.Rules {
		text, err := p.renderMarkdown(rulePage(r))
		if err != nil {
			return failure(err)
		}
		if _, err := fmt.Fprintln(p.text, text); err != nil {
			return failure(err)
		}
	}
	p.reportProblems(set, false)
	return setStatus(set)
}

// renderMarkdown draws Markdown for the terminal; elsewhere it stays Markdown.
func (p *program) renderMarkdown(text string) (string, error) {
	if !p.tty {
		return text, nil
	}
	r, err := glamour.NewTermRenderer(glamour.WithStandardStyle("dark"), glamour.WithWordWrap(min(p.width, 110)))
	if err != nil {
		return "", fmt.Errorf("render page: %w", err)
	}
	return r.Render(text)
}

// rulePage writes a rule as Markdown.
func rulePage(r *rule.Rule) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s\n\n", oneLine(r.Name), strings.TrimSpace(safeText(r.Description)))
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "* **%s**: %s\n", name, oneLine(value))
		}
	}
	row("Severity", fmt.Sprintf("%s, risk score %g", r.Severity, r.RiskScore))
	row("Type", r.Type+" ("+r.Language+")")
	if r.Blocked != "" {
		row("Runs", "no: "+r.Blocked)
	}
	row("Schedule", fmt.Sprintf("every %s, from %s to %s, at most %d alerts a run", durationText(r.Interval), r.From, r.To, r.MaxSignals))
	row("Indices", strings.Join(r.Index, ", "))
	row("Data view", r.DataViewID)
	row("Timestamp override", r.TimestampOverride)
	row("Event category override", r.EventCategoryOverride)
	row("Tags", strings.Join(r.Tags, ", "))
	row("Version", fmt.Sprint(r.Version))
	row("Authors", strings.Join(r.Author, ", "))
	row("License", r.License)
	row("Rule id", r.RuleID)
	row("File", r.File)
	b.WriteString("\n## Query\n\n```\n" + strings.TrimSpace(safeText(r.Query)) + "\n```\n")
	writeThreat(&b, r.Threat)
	writeList(&b, "Look at these fields first", r.InvestigationFields)
	section(&b, "Investigation guide", r.Note)
	writeList(&b, "False positives", r.FalsePositives)
	section(&b, "Setup", r.Setup)
	writeList(&b, "References", r.References)
	return b.String()
}

// section writes a part of a rule that is Markdown itself, below a heading.
func section(b *strings.Builder, title, text string) {
	if text = strings.TrimSpace(safeText(text)); text == "" {
		return
	}
	text = strings.TrimSpace(strings.TrimPrefix(text, "## "+title))
	fmt.Fprintf(b, "\n## %s\n\n%s\n", title, text)
}

func writeList(b *strings.Builder, title string, list []string) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "\n## %s\n\n", title)
	for _, s := range list {
		fmt.Fprintf(b, "* %s\n", oneLine(s))
	}
}

// writeThreat writes the ATT&CK tree.
func writeThreat(b *strings.Builder, threats []rule.Threat) {
	if len(threats) == 0 {
		return
	}
	b.WriteString("\n## ATT&CK\n\n")
	for _, t := range threats {
		fmt.Fprintf(b, "* %s (%s)\n", oneLine(t.Tactic.Name), oneLine(t.Tactic.ID))
		for _, tech := range t.Techniques {
			fmt.Fprintf(b, "    * %s (%s)\n", oneLine(tech.Name), oneLine(tech.ID))
			for _, sub := range tech.Subtechniques {
				fmt.Fprintf(b, "        * %s (%s)\n", oneLine(sub.Name), oneLine(sub.ID))
			}
		}
	}
}

func oneLine(s string) string { return strings.Join(strings.Fields(safeText(s)), " ") }

// safeText takes out what would move a terminal's cursor, but keeps line ends.
func safeText(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\r\n", "\n"), "\n")
	for i, l := range lines {
		lines[i] = printable(strings.ReplaceAll(l, "\t", "    "))
	}
	return strings.Join(lines, "\n")
}
