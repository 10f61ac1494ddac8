package bulk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/shrike-project/shrike/event"
)

// item is one operation of a bulk request, and its answer.
type item struct {
	op     string // create, index, update or delete
	index  string
	id     string // "": the client gave none
	status int
	kind   string // of the error; "": it is accepted
	reason string
}

// bulk answers _bulk.
func (h *Handler) bulk(w http.ResponseWriter, r *http.Request, op operation) *failure {
	b := h.bodies.Get().(*body)
	defer h.free(b)
	release, f := h.read(b, r)
	if f != nil {
		return f
	}
	defer release()
	if f := h.parse(b, op.index); f != nil {
		return f
	}
	h.parsed(b)
	if f := h.accept(r.Context(), b.docs, accepted(b.items)); f != nil {
		return f
	}
	h.countRefused(b.items)
	only := newFilter(r.URL.Query().Get("filter_path"))
	answer, filtered := h.itemsAnswer(b, only)
	if !filtered && only != nil {
		answer = only.apply(answer)
	}
	h.write(w, r, http.StatusOK, answer)
	return nil
}

func accepted(items []item) (n int) {
	for i := range items {
		if items[i].kind == "" {
			n++
		}
	}
	return n
}

func (h *Handler) countRefused(items []item) {
	for i := range items {
		if items[i].kind != "" {
			h.stats.refuse(items[i].kind, 1)
		}
	}
}

// parse reads the lines of a bulk body into items and documents. A line that names no
// operation makes all of it worthless, for nobody knows what follows.
func (h *Handler) parse(b *body, index string) *failure {
	b.items = b.items[:0]
	b.makeRoom()
	rest := b.text
	if len(bytes.TrimSpace(rest)) == 0 {
		return h.refused(http.StatusBadRequest, "parse_exception", "request body is required")
	}
	for n := 1; len(rest) > 0; n++ {
		var line []byte
		if line, rest = cutLine(rest); len(line) == 0 {
			continue
		}
		it := item{index: index}
		if err := readAction(line, &it); err != nil {
			return h.refused(http.StatusBadRequest, "illegal_argument_exception", fmt.Sprintf("Malformed action/metadata line [%d], %s", n, err))
		}
		var doc []byte
		if it.op != "delete" {
			if doc, rest = cutLine(rest); len(doc) == 0 && len(rest) == 0 {
				return h.refused(http.StatusBadRequest, "illegal_argument_exception", "The bulk request must be terminated by a newline [\\n]: a document is missing")
			}
			n++
		}
		h.judge(&it, doc)
		if it.kind == "" {
			b.docs = AppendHit(b.docs, it.index, it.id, doc)
		}
		b.items = append(b.items, it)
	}
	return nil
}

func cutLine(text []byte) (line, rest []byte) {
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		line, rest = text[:i], text[i+1:]
	} else {
		line = text
	}
	return bytes.TrimSpace(line), rest
}

// judge tells whether the document of an item can be taken.
func (h *Handler) judge(it *item, doc []byte) {
	switch {
	case it.op == "update" || it.op == "delete":
		it.refuse(http.StatusBadRequest, "illegal_argument_exception", "events cannot be changed or deleted: only [create] and [index] are supported, not ["+it.op+"]")
	case it.index == "":
		it.refuse(http.StatusBadRequest, "action_request_validation_exception", "Validation Failed: 1: index is missing;")
	case !soundName(it.index):
		it.refuse(http.StatusBadRequest, "invalid_index_name_exception", "Invalid index name ["+shown(it.index)+"]")
	case len(it.id) > 512:
		it.refuse(http.StatusBadRequest, "illegal_argument_exception", "id is too long, must be no longer than 512 bytes")
	case int64(len(doc)) > h.cfg.MaxDocumentBytes:
		it.refuse(http.StatusRequestEntityTooLarge, "document_parsing_exception", fmt.Sprintf("the document is larger than %d bytes", h.cfg.MaxDocumentBytes))
	default:
		if err := event.Valid(doc); err != nil {
			it.refuse(http.StatusBadRequest, "document_parsing_exception", fmt.Sprintf("[1:%d] failed to parse: %s", err.Offset+1, err.Error()))
			return
		}
		it.status = http.StatusCreated
	}
}

func (it *item) refuse(status int, kind, reason string) {
	it.status, it.kind, it.reason = status, kind, reason
}

// soundName holds the name of an index to Elasticsearch's own bounds.
func soundName(name string) bool {
	if len(name) > 255 || name == "." || name == ".." || name[0] == '-' || name[0] == '+' || name[0] == '_' {
		return false
	}
	for i := range len(name) {
		switch b := name[i]; {
		case b <= ' ' || b == 0x7f || b == '\\' || b == '/' || b == '*' || b == '?' || b == '"' || b == '<' || b == '>' || b == '|' || b == ',' || b == '#':
			return false
		}
	}
	return true
}

// readAction reads the line that says what is done with the next one.
func readAction(line []byte, it *item) error {
	if quick(line, it) {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(line))
	var action map[string]struct {
		Index *string `json:"_index"`
		ID    any     `json:"_id"`
	}
	dec.UseNumber()
	if err := dec.Decode(&action); err != nil {
		return fmt.Errorf("it is no JSON object as {\"create\":{}}")
	}
	if len(action) != 1 || dec.More() {
		return fmt.Errorf("expected one operation, found %d", len(action))
	}
	for op, meta := range action {
		switch op {
		case "create", "index", "update", "delete":
			it.op = op
		default:
			return fmt.Errorf("expected field [create], [delete], [index] or [update] but found [%s]", shown(op))
		}
		if meta.Index != nil {
			it.index = *meta.Index
		}
		switch id := meta.ID.(type) {
		case nil:
		case string:
			it.id = id
		case json.Number:
			it.id = id.String()
		default:
			return fmt.Errorf("_id is no text")
		}
	}
	return nil
}

// quick reads the lines that nearly all clients write: {"create":{}} and
// {"create":{"_index":"name"}}, without white space or escapes.
func quick(line []byte, it *item) bool {
	rest, ok := bytes.CutPrefix(line, []byte(`{"create":{`))
	op := "create"
	if !ok {
		op = "index"
		if rest, ok = bytes.CutPrefix(line, []byte(`{"index":{`)); !ok {
			return false
		}
	}
	index := it.index
	if !bytes.Equal(rest, []byte("}}")) {
		if rest, ok = bytes.CutPrefix(rest, []byte(`"_index":"`)); !ok {
			return false
		}
		if rest, ok = bytes.CutSuffix(rest, []byte(`"}}`)); !ok || bytes.ContainsAny(rest, "\"\\") {
			return false
		}
		if string(rest) != index {
			index = string(rest)
		}
	}
	it.op, it.index = op, index
	return true
}

// AppendHit writes a document as the hit of a search for it, and a line end. Id may be
// "".
func AppendHit(dst []byte, index, id string, doc []byte) []byte {
	dst = appendText(append(dst, `{"_index":`...), index)
	if id != "" {
		dst = appendText(append(dst, `,"_id":`...), id)
	}
	dst = append(append(dst, `,"_source":`...), doc...)
	return append(dst, "}\n"...)
}

func appendText(dst []byte, text string) []byte { return event.AppendQuoted(dst, text) }

// itemsAnswer writes the answer to a bulk request, and tells whether it is filtered
// already.
func (h *Handler) itemsAnswer(b *body, f *filter) (answer []byte, filtered bool) {
	failed := "false"
	if accepted(b.items) < len(b.items) {
		failed = "true"
	}
	if f != nil && f.of("items") == none && f.of("errors") == whole && f.of("took") == none {
		b.answer = append(append(append(b.answer[:0], `{"errors":`...), failed...), '}')
		return b.answer, true
	}
	if f != nil && failed == "false" && f.of("errors") == whole && f.of("took") == none && f.onlyStatus() {
		return b.statuses(), true
	}
	out := append(b.answer[:0], `{"errors":`...)
	out = append(append(out, failed...), `,"took":1,"items":[`...)
	for i := range b.items {
		it := &b.items[i]
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, `{"`...), it.op...), `":`...)
		out = append(it.append(out), '}')
	}
	b.answer = append(out, "]}"...)
	return b.answer, false
}

// onlyStatus tells whether of an item without an error nothing but its status is
// wanted, as most shippers ask.
func (f *filter) onlyStatus() bool {
	for _, op := range []string{"create", "index"} {
		for _, field := range []string{"_index", "_id", "_version", "result", "_shards", "_seq_no", "_primary_term"} {
			if f.of("items", op, field) != none {
				return false
			}
		}
		if f.of("items", op, "status") != whole {
			return false
		}
	}
	return true
}

// statuses writes the answer of items that are all accepted, with their status alone.
func (b *body) statuses() []byte {
	out := append(b.answer[:0], `{"errors":false,"items":[`...)
	for i := range b.items {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(append(out, `{"`...), b.items[i].op...), `":{"status":201}}`...)
	}
	b.answer = append(out, "]}"...)
	return b.answer
}

// append writes the answer to one item.
func (it *item) append(out []byte) []byte {
	out = appendText(append(out, `{"_index":`...), it.index)
	if it.id != "" {
		out = appendText(append(out, `,"_id":`...), it.id)
	} else if it.kind == "" {
		out = appendText(append(out, `,"_id":`...), newID())
	}
	if it.kind != "" {
		out = appendText(append(out, `,"error":{"type":`...), it.kind)
		out = appendText(append(out, `,"reason":`...), it.reason)
		out = append(out, '}')
	} else {
		out = append(out, `,"_version":1,"result":"created","_shards":{"total":1,"successful":1,"failed":0},"_seq_no":0,"_primary_term":1`...)
	}
	out = append(out, `,"status":`...)
	return append(strconv.AppendInt(out, int64(it.status), 10), '}')
}
