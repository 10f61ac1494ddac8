package predicate

// The prefilter looks at the bytes of a document before it is decoded.
//
// Where few conditions are asked, each of them often needs some text: slack.exe as
// the name of a process, say. A document whose bytes hold none of these texts, which
// are the witnesses, fulfils no condition. JSON can write a character in other ways
// than as itself, and case folding reaches beyond ASCII; so witnesses are made of
// characters that have one other spelling only, \uXXXX, and a document that holds
// "\u" or a byte beyond ASCII is never passed over. Numbers are no witnesses: JSON
// writes one number in many ways.
//
// Candidates are found by three bytes of each witness, 64 places at a time: two tables
// for each of the three bytes tell by its low and high four bits which of eight
// buckets of witnesses have it there (the algorithm is known as Teddy).

import (
	"math/bits"
	"slices"
	"strings"
)

// Prefilter tells which documents no condition of a Network can hold for. It belongs
// to one goroutine.
type Prefilter struct {
	witnesses []witness
	tables    teddyTables
	byFirst   [256][]int // witnesses by the first of their three bytes, folded
	tail      [3 * 64]byte
}

// witness is a text of ASCII, without regard to case.
type witness struct {
	text []byte // in lower case
	key  int    // where in it the three bytes are that are looked for
}

const (
	// maxWitnesses bounds what is worth looking for, leastWitness how short it may be.
	maxWitnesses = 32
	leastWitness = 4
)

// teddyTables hold, for each of three bytes, which buckets have it by its low and its
// high four bits.
type teddyTables [3][2][16]byte

// NewPrefilter makes a prefilter for all conditions of the Network; nil if there is
// none: some condition needs no text, they need too many different ones, or the
// processor lacks the instructions.
func (n *Network) NewPrefilter() *Prefilter {
	if teddy == nil || len(n.conditions) == 0 {
		return nil
	}
	var texts []string
	for i := range n.conditions {
		list := n.witnesses(n.conditions[i])
		if list == nil {
			return nil
		}
		texts = append(texts, list...)
	}
	slices.Sort(texts)
	texts = slices.Compact(texts)
	if len(texts) > maxWitnesses {
		return nil
	}
	p := &Prefilter{}
	for i, s := range texts {
		w := witness{text: []byte(s), key: rarest(s)}
		p.witnesses = append(p.witnesses, w)
		key := [3]byte(w.text[w.key:])
		p.byFirst[key[0]] = append(p.byFirst[key[0]], i)
		p.tables.add(i%literalBuckets, key)
	}
	p.tables.addSpecials()
	return p
}

// witnesses gives the texts one of which every document holds that the condition holds
// for; nil if there are none that are worth looking for.
func (n *Network) witnesses(condition *node) []string {
	var best []string
	for _, need := range condition.needs() {
		if slices.Contains(n.dividing, need.fields[0]) {
			continue // a text that nearly every document holds
		}
		list, ok := n.texts(need.test)
		if ok && (best == nil || shortest(list)*len(best) > shortest(best)*len(list)) {
			best = list
		}
	}
	return best
}

func shortest(list []string) int {
	least := 1 << 10
	for _, s := range list {
		least = min(least, len(s))
	}
	return least
}

// texts gives the texts one of which stands in every document that a test holds for.
func (n *Network) texts(test *node) (list []string, ok bool) {
	switch test.kind {
	case atomic:
		a := n.indexes[test.index].atoms[test.atom]
		for i := range a.alternatives {
			w := a.alternatives[i].witness()
			if len(w) < leastWitness {
				return nil, false
			}
			list = append(list, w)
		}
		return list, a.alternatives != nil
	case any:
		for _, e := range test.list {
			more, ok := n.texts(e)
			if !ok {
				return nil, false
			}
			list = append(list, more...)
		}
		return list, true
	case all:
		for _, e := range test.list {
			more, found := n.texts(e)
			if found && (!ok || len(more) < len(list)) {
				list, ok = more, true
			}
		}
	}
	return list, ok
}

// witness gives the longest text without characters that JSON writes in several ways
// that stands in every value which matches, or "". A value that is matched as a whole
// stands between quotes.
func (a *alternative) witness() string {
	longest := ""
	for _, part := range a.parts {
		for _, piece := range strings.FieldsFunc(part, func(r rune) bool { return r == '?' || !plainRune(r) }) {
			if len(piece) > len(longest) && !numeric(piece) {
				longest = piece
			}
		}
	}
	if a.exact() && longest == a.parts[0] && longest != "true" && longest != "false" {
		longest = `"` + longest + `"`
	}
	return lower(longest)
}

// plainRune reports whether JSON writes a character as itself or as \uXXXX, and in no
// other way.
func plainRune(r rune) bool { return r >= ' ' && r < 0x7F && r != '"' && r != '\\' && r != '/' }

// numeric reports whether text can be part of a number.
func numeric(s string) bool { return strings.Trim(s, "+-.0123456789eE") == "" }

// frequent lists the characters of events, the most frequent ones first.
const frequent = "\"e:,.0toisnr1ac\\d2-l5m34p6798uhxwgfb_{}ytv[]/k jzq"

// rarest gives where the three bytes in a row begin that are the rarest ones.
func rarest(s string) int {
	best, at := -1, 0
	for i := 0; i+3 <= len(s); i++ {
		rank := 0
		for _, c := range []byte(s[i : i+3]) {
			if n := strings.IndexByte(frequent, c); n >= 0 {
				rank += n
			} else {
				rank += len(frequent)
			}
		}
		if rank > best {
			best, at = rank, i
		}
	}
	return at
}

// The buckets: six of witnesses, one of "\u", one of bytes beyond ASCII.
const literalBuckets = 6

func (t *teddyTables) add(bucket int, key [3]byte) {
	for i, c := range key {
		t.allow(bucket, i, c)
		if c >= 'a' && c <= 'z' {
			t.allow(bucket, i, c-'a'+'A')
		}
	}
}

func (t *teddyTables) allow(bucket, i int, c byte) {
	t[i][0][c&15] |= 1 << bucket
	t[i][1][c>>4] |= 1 << bucket
}

func (t *teddyTables) addSpecials() {
	t.allow(literalBuckets, 0, '\\')
	t.allow(literalBuckets, 1, 'u')
	for n := range byte(16) {
		t.allow(literalBuckets, 2, n|n<<4) // any byte
		t.allow(literalBuckets+1, 1, n|n<<4)
		t.allow(literalBuckets+1, 2, n|n<<4)
		t.allow(literalBuckets+1, 0, n|8<<4|n<<4)
	}
}

// Skips reports whether no condition can hold for a document.
func (p *Prefilter) Skips(doc []byte) bool {
	blocks := max(0, (len(doc)-2)/64)
	if p.find(doc, 0, doc, blocks) {
		return false
	}
	clear(p.tail[copy(p.tail[:], doc[64*blocks:]):])
	return !p.find(doc, 64*blocks, p.tail[:], 2)
}

// find looks through so many blocks of 64 bytes of text, which is what stands at byte
// shift of a document, for something that keeps the document from being passed over.
func (p *Prefilter) find(doc []byte, shift int, text []byte, blocks int) bool {
	for at := 0; at < blocks; at++ {
		n, mask := teddy(&text[64*at], blocks-at, &p.tables)
		at += n
		for ; mask != 0; mask &= mask - 1 {
			if i := shift + 64*at + bits.TrailingZeros64(mask); i < len(doc) && p.verify(doc, i) {
				return true
			}
		}
	}
	return false
}

// verify reports whether what begins at byte i of a document, or around it, keeps the
// document from being passed over.
func (p *Prefilter) verify(doc []byte, i int) bool {
	switch {
	case doc[i] >= 0x80:
		return true
	case doc[i] == '\\' && i+1 < len(doc) && doc[i+1] == 'u':
		return true
	}
	for _, n := range p.byFirst[fold(doc[i])] {
		w := &p.witnesses[n]
		if at := i - w.key; at >= 0 && at+len(w.text) <= len(doc) && equalFold(doc[at:at+len(w.text)], w.text) {
			return true
		}
	}
	return false
}

// equalFold compares text with a witness as long.
func equalFold(text, witness []byte) bool {
	for i, c := range witness {
		if fold(text[i]) != c {
			return false
		}
	}
	return true
}

func fold(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
