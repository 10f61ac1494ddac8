package main

// Results as JSON. Whatever the events held, the text is valid JSON and safe on a
// terminal.

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/shrike-project/shrike/event"
)

// encode writes a value as JSON on one line.
func encode(w io.Writer, v any) error { return encodeIndented(w, v, "") }

// writeJSON prints a value as indented JSON.
func (p *program) writeJSON(v any) error { return failure(encodeIndented(p.stdout, v, "  ")) }

func encodeIndented(w io.Writer, v any, indent string) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	if err := enc.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(event.EscapeControls(b.Bytes()))
	return err
}

// compact gives a document on one line. What the decoder read although it is no
// valid JSON is written as it was understood.
func compact(source []byte) json.RawMessage {
	var b bytes.Buffer
	if !utf8.Valid(source) || json.Compact(&b, source) != nil {
		b.Reset()
		if err := encode(&b, event.Document(source)); err != nil {
			panic("a document cannot be written as JSON: " + err.Error())
		}
	}
	return event.EscapeControls(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

// documents prints documents, each on one line, or as one array.
type documents struct {
	*bufio.Writer
	array bool
	n     int
}

func newDocuments(w io.Writer, array bool) *documents {
	return &documents{Writer: bufio.NewWriterSize(w, 1<<16), array: array}
}

func (d *documents) write(source []byte) error {
	before := ""
	if d.array {
		before = []string{"[", ","}[min(d.n, 1)]
	}
	d.n++
	_, err := fmt.Fprintf(d, "%s%s\n", before, compact(source))
	return err
}

// close ends the array, and flushes.
func (d *documents) close() error {
	if d.array {
		end := "]\n"
		if d.n == 0 {
			end = "[]\n"
		}
		_, _ = d.WriteString(end) // Flush gives its error
	}
	return d.Flush()
}
