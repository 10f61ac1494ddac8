package eqltest

// The events of a script: fields and values to JSON.

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/shrike-project/shrike/event"
)

// assignment is "field=value".
type assignment struct {
	field string
	value any
}

// eventJSON makes the document of an event line: "json {…}", or an offset, a
// category and fields. It also gives the time of the event after Epoch.
func eventJSON(line string, defaults []assignment) ([]byte, time.Duration, error) {
	if text, ok := strings.CutPrefix(line, "json "); ok {
		if !json.Valid([]byte(text)) {
			return nil, 0, fmt.Errorf("the document is not valid JSON")
		}
		return []byte(text), timeOf([]byte(text)), nil
	}
	offset, rest, _ := strings.Cut(line, " ")
	d, err := time.ParseDuration(offset)
	if err != nil {
		return nil, 0, fmt.Errorf("an event begins with its time, such as 50s, or with json; found %q", offset)
	}
	category, rest, _ := strings.Cut(strings.TrimSpace(rest), " ")
	if category == "" || strings.Contains(category, "=") {
		return nil, 0, fmt.Errorf("an event has a category behind its time, or \"-\" for none; found %q", category)
	}
	list, err := parseAssignments(rest)
	if err != nil {
		return nil, 0, err
	}
	doc := map[string]any{"@timestamp": Epoch.Add(d).Format("2006-01-02T15:04:05.999999999Z07:00")}
	if category != "-" {
		doc["event.category"] = category
	}
	for _, a := range append(append([]assignment(nil), defaults...), list...) {
		if a.value == nil {
			delete(doc, a.field)
		} else {
			doc[a.field] = a.value
		}
	}
	text, err := json.Marshal(doc)
	return text, timeOf(text), err
}

// timeOf gives the time of a document after Epoch.
func timeOf(doc []byte) time.Duration {
	var ev event.Event
	if event.NewDecoder(event.NewFieldSet(nil), "").Decode(doc, &ev) != nil {
		return 0
	}
	when, ok := ev.Time()
	if !ok {
		return 0
	}
	return when.Std().Sub(Epoch)
}

// parseAssignments reads "field=value field=value …".
func parseAssignments(s string) ([]assignment, error) {
	var list []assignment
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		field, rest, ok := strings.Cut(s, "=")
		if !ok || field == "" || strings.ContainsAny(field, " \t\"'[]") {
			return nil, fmt.Errorf("expected field=value, found %q", s)
		}
		value, rest, err := parseValue(rest)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", field, err)
		}
		if rest != "" && rest[0] != ' ' && rest[0] != '\t' {
			return nil, fmt.Errorf("%s: expected a blank behind the value, found %q", field, rest)
		}
		list = append(list, assignment{field, value})
		s = rest
	}
	return list, nil
}

// parseValue reads a value: a list in brackets, text in double quotes with JSON's
// escapes, text in single quotes as it is, or a word.
func parseValue(s string) (value any, rest string, err error) {
	switch {
	case s == "" || s[0] == ' ':
		return nil, "", fmt.Errorf("the value is missing; write \"\" for empty text and null for none")
	case s[0] == '[':
		return parseList(s[1:])
	case s[0] == '"':
		dec := json.NewDecoder(strings.NewReader(s))
		var text string
		if err := dec.Decode(&text); err != nil {
			return nil, "", fmt.Errorf("the text in double quotes is not valid: %w", err)
		}
		return text, s[dec.InputOffset():], nil
	case s[0] == '\'':
		n := strings.IndexByte(s[1:], '\'')
		if n < 0 {
			return nil, "", fmt.Errorf("the closing single quote is missing")
		}
		return s[1 : 1+n], s[n+2:], nil
	}
	n := strings.IndexAny(s, " \t,]")
	if n < 0 {
		n = len(s)
	}
	return word(s[:n]), s[n:], nil
}

// word gives true, false, null and numbers their JSON meaning; all else is text.
func word(s string) any {
	switch s {
	case "true":
		return true
	case "false":
		return false
	case "null":
		return nil
	}
	var n json.Number
	if json.Unmarshal([]byte(s), &n) == nil && s[0] != '"' {
		return n
	}
	return s
}

func parseList(s string) (any, string, error) {
	list := []any{}
	for {
		s = strings.TrimLeft(s, " \t")
		if strings.HasPrefix(s, "]") {
			return list, s[1:], nil
		}
		value, rest, err := parseValue(s)
		if err != nil {
			return nil, "", err
		}
		list = append(list, value)
		rest = strings.TrimLeft(rest, " \t")
		switch {
		case strings.HasPrefix(rest, ","):
			s = rest[1:]
		case strings.HasPrefix(rest, "]"):
			s = rest
		default:
			return nil, "", fmt.Errorf("the list does not end: expected \",\" or \"]\"")
		}
	}
}
