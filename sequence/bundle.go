package sequence

import (
	"bytes"
	"hash/maphash"
	"strings"

	"github.com/klauspost/compress/s2"
)

const (
	// bundleBytes is how much text makes a bundle. The more, the better it packs; but
	// one record alone keeps all of its bundle.
	bundleBytes = 32 << 10
	// leastPacked is how long a text is at least that is packed.
	leastPacked = 256
)

// bundle is the documents of several records, one after another. Records wait in large
// numbers, few are looked at again, and documents that come together are much alike.
type bundle struct {
	text []byte
	size int // of the text before it was packed; 0: it is not packed
	// again, if it is set, reads a part of the text, which is not kept.
	again func(from, to int) []byte
}

// unpack gives the text. It must not be changed.
func (b *bundle) unpack() []byte {
	if b.again != nil {
		panic("records whose documents are not kept cannot be saved")
	}
	if b.size == 0 {
		return b.text
	}
	text, err := s2.Decode(nil, b.text)
	if err != nil {
		panic("a packed bundle cannot be unpacked: " + err.Error())
	}
	return text
}

// sound reports whether unpack works.
func (b *bundle) sound() bool {
	if b.size == 0 {
		return true
	}
	if n, err := s2.DecodedLen(b.text); err != nil || n != b.size {
		return false
	}
	_, err := s2.Decode(nil, b.text)
	return err == nil
}

// length is that of the text.
func (b *bundle) length() int {
	if b.size > 0 {
		return b.size
	}
	return len(b.text)
}

// Packer gives records their documents, in bundles. It belongs to one goroutine; the
// records may go to another one after Seal.
type Packer struct {
	open    *bundle
	text    []byte // of the open bundle; its memory is used again
	scratch []byte
	hit     *extra  // with an index and no more, as of most events
	later   *bundle // of the documents in within; nil: copies are kept
	within  []byte
}

// From says where the documents of records to come stand: parts of data need not be kept,
// since again reads them, until its next call. Records made like this cannot be saved, and
// their documents are read by one goroutine at a time. A nil again has copies kept.
func (p *Packer) From(data []byte, again func(from, to int) []byte) {
	p.later, p.within = nil, data
	if again != nil {
		p.later = &bundle{again: again}
	}
}

// place gives where in data a part of it stands.
func place(data, part []byte) (at int, ok bool) {
	if at = cap(data) - cap(part); len(part) == 0 || at < 0 || at+len(part) > len(data) {
		return 0, false
	}
	return at, &data[at] == &part[0]
}

// Rereads reports whether a document is one of those that are read again, and not kept.
func (p *Packer) Rereads(doc []byte) bool {
	if p.later == nil {
		return false
	}
	_, ok := place(p.within, doc)
	return ok
}

// Pack sets the hit of a record and its document to copies.
func (p *Packer) Pack(r *Record, index, id string, doc []byte) {
	switch {
	case id != "" || index == "":
		r.SetHit(strings.Clone(index), strings.Clone(id))
	default:
		if p.hit == nil || p.hit.index != index {
			p.hit = &extra{index: strings.Clone(index)}
		}
		r.extra = p.hit
	}
	if p.later != nil {
		if at, ok := place(p.within, doc); ok {
			r.bundle, r.at, r.length = p.later, uint32(at), uint32(len(doc))
			return
		}
	}
	if len(p.text)+len(doc) > bundleBytes {
		p.Seal()
	}
	if p.open == nil {
		p.open = &bundle{}
	}
	r.bundle, r.at, r.length = p.open, uint32(len(p.text)), uint32(len(doc))
	r.hash(doc)
	p.text = append(p.text, doc...)
	p.open.text = p.text
}

// Seal packs what was added since the last call.
func (p *Packer) Seal() {
	b := p.open
	if b == nil {
		return
	}
	if p.open = nil; len(p.text) < leastPacked {
		b.text = bytes.Clone(p.text)
	} else {
		if need := s2.MaxEncodedLen(len(p.text)); cap(p.scratch) < need {
			p.scratch = make([]byte, need)
		}
		b.text, b.size = bytes.Clone(s2.Encode(p.scratch[:cap(p.scratch)], p.text)), len(p.text)
	}
	if p.text = p.text[:0]; cap(p.text) > 4*bundleBytes { // a very long document
		p.text, p.scratch = nil, nil
	}
}

// noDocument is the bundle of records that were given no document.
var noDocument bundle

func (r *Record) bundled() *bundle {
	if r.bundle == nil {
		return &noDocument
	}
	return r.bundle
}

// SetDocument sets the document without copying it.
func (r *Record) SetDocument(doc []byte) {
	r.bundle, r.at, r.length = &bundle{text: doc}, 0, uint32(len(doc))
}

// Document gives the document. It must not be changed, and holds as long as what
// SetDocument was given does.
func (r *Record) Document() []byte {
	b := r.bundled()
	if b.again != nil {
		return bytes.Clone(b.again(int(r.at), int(r.at+r.length)))
	}
	doc := b.unpack()[r.at : r.at+r.length : r.at+r.length]
	if b.size == 0 && r.length != uint32(len(b.text)) {
		return bytes.Clone(doc) // the bundle is open, and its memory is used again
	}
	return doc
}

// Size is about the memory that the document takes.
func (r *Record) Size() int {
	b := r.bundled()
	if b.again != nil {
		return 0
	}
	if b.size == 0 {
		return int(r.length)
	}
	return len(b.text) * int(r.length) / b.size
}

var seed = maphash.MakeSeed()

// hash notes what the document is, where nothing else tells the event from others.
func (r *Record) hash(doc []byte) {
	if r.ID() == "" {
		r.sum = maphash.Bytes(seed, doc)
	}
}

// Sum is a hash of the document of an event that has no id, within this process. One that
// is not kept is read for it, by the goroutine that reads documents.
func (r *Record) Sum() uint64 {
	if r.sum == 0 && r.bundled().again != nil {
		var u Unpacker
		r.hash(u.Document(r))
	}
	return r.sum
}

// Length is that of the document in bytes.
func (r *Record) Length() int { return int(r.length) }

// Unpacker gives the documents of records that come one after another. The zero value
// is ready for use.
type Unpacker struct {
	of   *bundle
	text []byte
}

// Document gives the document of a record, until the next call.
func (u *Unpacker) Document(r *Record) []byte {
	if b := r.bundled(); b.again != nil {
		return b.again(int(r.at), int(r.at+r.length))
	} else if u.of != b || b.size == 0 {
		u.of, u.text = b, b.unpack()
	}
	return u.text[r.at : r.at+r.length]
}
