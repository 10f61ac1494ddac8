package alert

import (
	"strings"

	"github.com/shrike-project/shrike/event"
)

// reason writes the sentence Kibana shows for an alert.
func reason(doc *event.Node, severity, name string) string {
	get := func(field string) string {
		if s := allTexts(lookup(doc, field)); s != "-" {
			return s
		}
		return ""
	}
	part := func(dst []byte, before, field, after string) []byte {
		if s := get(field); s != "" {
			dst = append(append(append(dst, before...), s...), after...)
		}
		return dst
	}
	var room [256]byte
	with := part(room[:0], " process ", "process.name", ",")
	with = part(with, " parent process ", "process.parent.name", ",")
	with = part(with, " file ", "file.name", ",")
	for _, end := range []string{"source", "destination"} {
		if ip := get(end + ".ip"); ip != "" {
			with = append(append(append(with, ' '), end...), ' ')
			with = part(append(with, ip...), ":", end+".port", ",")
		}
	}
	var b strings.Builder
	b.Grow(len(with) + len(name) + 160)
	if category := get("event.category"); category != "" {
		b.WriteString(category)
		b.WriteByte(' ')
	}
	b.WriteString("event")
	if len(with) > 0 {
		b.WriteString(" with")
		b.Write(with)
	}
	for _, of := range [][2]string{{" by ", "user.name"}, {" on ", "host.name"}} {
		if s := get(of[1]); s != "" {
			b.WriteString(of[0])
			b.WriteString(s)
		}
	}
	for _, s := range []string{" created ", severity, " alert ", name, "."} {
		b.WriteString(s)
	}
	return b.String()
}
