package bulk

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"

	"github.com/shrike-project/shrike/event"
)

// newID makes an id for the answer to an event that came without one. It is not kept:
// the identity of such an event is its content, so that sending it again is harmless.
func newID() string {
	var b [15]byte
	binary.LittleEndian.PutUint64(b[:], rand.Uint64())
	binary.LittleEndian.PutUint64(b[7:], rand.Uint64())
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// document answers _doc and _create, which bring one event.
func (h *Handler) document(w http.ResponseWriter, r *http.Request, op operation) *failure {
	b := h.bodies.Get().(*body)
	defer h.free(b)
	release, f := h.read(b, r)
	if f != nil {
		return f
	}
	defer release()
	it := item{op: "create", index: op.index, id: op.id}
	h.judge(&it, b.text)
	if it.kind != "" {
		return h.refused(it.status, it.kind, it.reason)
	}
	doc := bytes.TrimSpace(b.text)
	if bytes.IndexByte(doc, '\n') >= 0 || bytes.IndexByte(doc, '\r') >= 0 {
		var compact bytes.Buffer
		if err := json.Compact(&compact, doc); err != nil {
			return h.refused(http.StatusBadRequest, "document_parsing_exception", "failed to parse: "+err.Error())
		}
		doc = compact.Bytes()
	}
	b.docs = AppendHit(b.docs[:0], it.index, it.id, doc)
	h.parsed(b)
	if f := h.accept(r.Context(), b.docs, 1); f != nil {
		return f
	}
	b.answer = it.append(b.answer[:0])
	h.answer(w, r, http.StatusCreated, b.answer)
	return nil
}

// mostErrors is how many faulty lines the answer to plain lines shows.
const mostErrors = 20

// lines answers /v1/events: plain events, one a line.
func (h *Handler) lines(w http.ResponseWriter, r *http.Request, _ operation) *failure {
	b := h.bodies.Get().(*body)
	defer h.free(b)
	release, f := h.read(b, r)
	if f != nil {
		return f
	}
	defer release()
	b.makeRoom()
	taken, refused := 0, 0
	var errors []byte
	rest := b.text
	for n := 1; len(rest) > 0; n++ {
		var line []byte
		if line, rest = cutLine(rest); len(line) == 0 {
			continue
		}
		err := event.Valid(line)
		if err == nil && int64(len(line)) > h.cfg.MaxDocumentBytes {
			err = &event.Error{Reason: event.TooLarge, Offset: int(h.cfg.MaxDocumentBytes)}
		}
		if err == nil {
			b.docs = append(append(b.docs, line...), '\n')
			taken++
			continue
		}
		h.stats.refuse(string(err.Reason), 1)
		if refused++; refused <= mostErrors {
			if refused > 1 {
				errors = append(errors, ',')
			}
			errors = fmt.Appendf(errors, `{"line":%d,"column":%d,"reason":`, n, err.Offset+1)
			errors = append(appendText(errors, string(err.Reason)), '}')
		}
	}
	h.parsed(b)
	if f := h.accept(r.Context(), b.docs, taken); f != nil {
		return f
	}
	status := http.StatusOK
	if taken == 0 && refused > 0 {
		status = http.StatusBadRequest
	}
	out := strconv.AppendInt(append(b.answer[:0], `{"accepted":`...), int64(taken), 10)
	out = strconv.AppendInt(append(out, `,"refused":`...), int64(refused), 10)
	b.answer = append(append(append(out, `,"errors":[`...), errors...), "]}"...)
	h.answer(w, r, status, b.answer)
	return nil
}
