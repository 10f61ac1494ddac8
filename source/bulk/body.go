package bulk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"

	kgzip "github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// body is the memory for one request. It is used again.
type body struct {
	text   []byte // what came; nil once it is parsed
	docs   []byte // what goes to the journal
	answer []byte
	items  []item
	gzip   *kgzip.Reader
	zstd   *zstd.Decoder
}

// mostKept is how large the memory of a body may be to be used again.
const mostKept = 16 << 20

func (h *Handler) free(b *body) {
	h.parsed(b)
	if cap(b.docs) <= mostKept && cap(b.answer) <= mostKept {
		h.bodies.Put(b)
	}
}

// makeRoom makes docs large enough for the documents of the text, which are a little
// longer than it where the index is not in it: growing step by step would take twice the
// memory.
func (b *body) makeRoom() {
	if b.docs = b.docs[:0]; cap(b.docs) < len(b.text) {
		b.docs = make([]byte, 0, len(b.text)+len(b.text)/16)
	}
}

// parsed gives back the memory of a text that nobody needs any more. Most requests wait
// for the journal, and should not hold their events twice meanwhile.
func (h *Handler) parsed(b *body) {
	if text := b.text; text != nil && cap(text) <= mostKept {
		h.texts.Put(&text)
	}
	b.text = nil
}

// contentTypes are those of bodies with JSON.
var contentTypes = map[string]bool{
	"application/json": true, "application/x-ndjson": true, "application/ndjson": true,
	"application/vnd.elasticsearch+json": true, "application/vnd.elasticsearch+x-ndjson": true,
}

// read reads the body of a request into b.text. Its share of the memory for all bodies
// is taken before and given back by the function that is returned.
func (h *Handler) read(b *body, r *http.Request) (release func(), f *failure) {
	if kind := r.Header.Get("Content-Type"); kind != "" && !strings.HasPrefix(r.URL.Path, "/v1/") {
		if media, _, err := mime.ParseMediaType(kind); err != nil || !contentTypes[media] {
			return nil, h.refused(http.StatusNotAcceptable, "media_type_header_exception", "Content-Type header ["+shown(kind)+"] is not supported")
		}
	}
	if r.ContentLength > h.cfg.MaxBodyBytes {
		return nil, h.tooLarge()
	}
	// An unknown length is taken for a moderate one; what a body turns out to be larger
	// is taken while it is read.
	share := &share{h: h}
	if !share.await(r.Context(), max(r.ContentLength, 64<<10)) {
		h.stats.refuse("memory", 1)
		return nil, &failure{http.StatusTooManyRequests, "circuit_breaking_exception", "too many requests are under way", 1e9}
	}
	if err := b.readAll(h, r, share); err != nil {
		share.release()
		return nil, h.unreadable(err)
	}
	return share.release, nil
}

func (h *Handler) refused(status int, kind, reason string) *failure {
	h.stats.refuse(kind, 1)
	return &failure{status, kind, reason, 0}
}

func (h *Handler) tooLarge() *failure {
	return h.refused(http.StatusRequestEntityTooLarge, "content_too_long_exception", fmt.Sprintf("the body is larger than %d bytes, compressed or not", h.cfg.MaxBodyBytes))
}

var (
	errTooLarge = errors.New("the body is too large")
	errMemory   = errors.New("there is no memory for the body")
	errEncoding = errors.New("the encoding is not supported")
)

// unreadable tells why a body could not be read.
func (h *Handler) unreadable(err error) *failure {
	switch {
	case errors.Is(err, errTooLarge):
		return h.tooLarge()
	case errors.Is(err, errMemory):
		h.stats.refuse("memory", 1)
		return &failure{http.StatusTooManyRequests, "circuit_breaking_exception", "too many requests are under way", 1e9}
	case errors.Is(err, errEncoding):
		return h.refused(http.StatusUnsupportedMediaType, "illegal_argument_exception", err.Error())
	default:
		return h.refused(http.StatusBadRequest, "parse_exception", "the body cannot be read: "+shown(err.Error()))
	}
}

// share is the part that a body has of the memory for all of them.
type share struct {
	h     *Handler
	taken int64
}

// mostWaiting is how long a body waits for memory, unread, before its client is told to
// come again.
const mostWaiting = 2 * time.Second

// await takes the first part, and waits for it. One body may be larger than all may be
// together: then it is alone.
func (s *share) await(ctx context.Context, n int64) bool {
	n = min(n, s.h.cfg.MaxMemoryBytes)
	if !s.h.memory.TryAcquire(n) {
		ctx, cancel := context.WithTimeout(ctx, mostWaiting)
		defer cancel()
		if s.h.memory.Acquire(ctx, n) != nil {
			return false
		}
	}
	s.taken = n
	return true
}

// grow takes more, if it is there.
func (s *share) grow(to int64) bool {
	if to = min(to, s.h.cfg.MaxMemoryBytes); to <= s.taken {
		return true
	}
	if !s.h.memory.TryAcquire(to - s.taken) {
		return false
	}
	s.taken = to
	return true
}

func (s *share) release() { s.h.memory.Release(s.taken) }

// limited reads no more than so many bytes of what came over the network.
type limited struct {
	in   io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if l.left <= 0 {
		if n, err := l.in.Read(make([]byte, 1)); n > 0 || err == nil {
			return 0, errTooLarge
		}
		return 0, io.EOF
	}
	n, err := l.in.Read(p[:min(int64(len(p)), l.left)])
	l.left -= int64(n)
	return n, err
}

// readAll reads and decompresses a body.
func (b *body) readAll(h *Handler, r *http.Request, s *share) error {
	in, err := b.decompressor(&limited{r.Body, h.cfg.MaxBodyBytes}, r.Header.Get("Content-Encoding"))
	if err != nil {
		return err
	}
	if text, ok := h.texts.Get().(*[]byte); ok {
		b.text = (*text)[:0]
	}
	if b.text == nil || r.ContentLength > int64(cap(b.text)) {
		b.text = make([]byte, 0, min(h.cfg.MaxBodyBytes, max(r.ContentLength, 4<<10))+512)
	}
	for {
		if len(b.text) == cap(b.text) {
			b.text = append(b.text, 0)[:len(b.text)]
		}
		n, err := in.Read(b.text[len(b.text):cap(b.text)])
		b.text = b.text[:len(b.text)+n]
		if int64(len(b.text)) > h.cfg.MaxBodyBytes {
			return errTooLarge
		}
		if !s.grow(int64(len(b.text))) {
			return errMemory
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// decompressor gives the reader of a body in an encoding.
func (b *body) decompressor(in io.Reader, encoding string) (io.Reader, error) {
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity":
		return in, nil
	case "gzip", "x-gzip":
		if b.gzip == nil {
			z, err := kgzip.NewReader(in)
			if err != nil {
				return nil, err
			}
			b.gzip = z
			return z, nil
		}
		if err := b.gzip.Reset(in); err != nil {
			return nil, err
		}
		return b.gzip, nil
	case "zstd":
		if b.zstd == nil {
			z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(8<<20), zstd.WithDecoderLowmem(true))
			if err != nil {
				return nil, err
			}
			b.zstd = z
			return z, nil
		}
		if err := b.zstd.Reset(in); err != nil {
			return nil, err
		}
		return b.zstd, nil
	}
	return nil, fmt.Errorf("%w: Content-Encoding [%s]; use gzip or zstd", errEncoding, shown(encoding))
}
