package alert

import (
	"strings"

	"github.com/shrike-project/shrike/event"
)

// reason writes the sentence Kibana shows for an alert.
func reason(doc *event.Node, severity, name string) string {
	get := func(field string) string {
		s := strings.Join(texts(lookup(doc, field)), ", ")
		if s == "-" {
			return ""
		}
		return s
	}
	var b strings.Builder
	part := func(before, field, after string) {
		if s := get(field); s != "" {
			b.WriteString(before + s + after)
		}
	}
	part(" process ", "process.name", ",")
	part(" parent process ", "process.parent.name", ",")
	part(" file ", "file.name", ",")
	for _, end := range []string{"source", "destination"} {
		if get(end+".ip") != "" {
			part(" "+end+" ", end+".ip", "")
			part(":", end+".port", ",")
		}
	}
	with := ""
	if b.Len() > 0 {
		with = " with"
	}
	middle := b.String()
	b.Reset()
	part("", "event.category", " ")
	b.WriteString("event" + with + middle)
	part(" by ", "user.name", "")
	part(" on ", "host.name", "")
	b.WriteString(" created " + severity + " alert " + name + ".")
	return b.String()
}
