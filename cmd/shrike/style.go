package main

// How things look on a terminal. Colours are written always; the program's
// writers take them out where they are not wanted.

import (
	"strings"
	"unicode"

	"charm.land/lipgloss/v2"
)

func colored(color, s string) string {
	return lipgloss.NewStyle().Foreground(lipgloss.Color(color)).Render(s)
}

func bold(s string) string { return lipgloss.NewStyle().Bold(true).Render(s) }

func faint(s string) string { return lipgloss.NewStyle().Faint(true).Render(s) }

// The colours are those of the terminal's own palette.
const (
	red    = "1"
	green  = "2"
	yellow = "3"
	blue   = "4"
	purple = "5"
)

var severityColors = map[string]string{"low": blue, "medium": yellow, "high": red, "critical": purple}

// severityText gives a severity in its colour.
func severityText(severity, shown string) string {
	s := colored(severityColors[severity], shown)
	if severity == "critical" || severity == "high" {
		return bold(s)
	}
	return s
}

// printable makes text from events safe to print: what would move the cursor or
// change colours is shown as an escape, and it stays on one line.
func printable(s string) string {
	clean := func(r rune) bool { return unicode.IsPrint(r) || r == ' ' }
	if strings.IndexFunc(s, func(r rune) bool { return !clean(r) }) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case clean(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x80:
			const hex = "0123456789abcdef"
			b.WriteString(`\x` + string(hex[r>>4]) + string(hex[r&15]))
		default:
			b.WriteRune('\uFFFD')
		}
	}
	return b.String()
}

// fit cuts or pads text to a width in columns.
func fit(s string, width int) string {
	s = printable(s)
	if w := lipgloss.Width(s); w <= width {
		return s + strings.Repeat(" ", width-w)
	}
	return trim(s, width)
}

// trim cuts text to a width in columns.
func trim(s string, width int) string {
	if lipgloss.Width(s) <= width {
		return s
	}
	var b strings.Builder
	used := 0
	for _, r := range s {
		w := lipgloss.Width(string(r))
		if used+w > width-1 {
			break
		}
		b.WriteRune(r)
		used += w
	}
	return b.String() + "…"
}
