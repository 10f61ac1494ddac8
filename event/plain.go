package event

// The plain walk over a document: byte by byte, with a reason and a place for
// whatever is wrong. It says which documents are events; the fast walk hands it
// every document that is out of the ordinary.

func (d *Decoder) fail(reason Reason, i int) (int, error) {
	if i >= len(d.doc) {
		return 0, &Error{Reason: Truncated, Offset: len(d.doc)}
	}
	return 0, &Error{Reason: reason, Offset: i}
}

// object walks the object that begins at i and gives the offset behind it.
func (d *Decoder) object(i int, n *pathNode) (int, error) {
	if d.depth++; d.depth > MaxDepth {
		return d.fail(TooDeep, i)
	}
	defer func() { d.depth-- }()
	i = skipSpace(d.doc, i+1)
	if i < len(d.doc) && d.doc[i] == '}' {
		return i + 1, nil
	}
	for {
		if i >= len(d.doc) || d.doc[i] != '"' {
			return d.fail(InvalidJSON, i)
		}
		end, escaped := skipString(d.doc, i)
		if end < 0 {
			return d.fail(Truncated, len(d.doc))
		}
		key := d.doc[i+1 : end-1]
		if escaped {
			key = appendUnescaped(nil, key)
		}
		i = skipSpace(d.doc, end)
		if i >= len(d.doc) || d.doc[i] != ':' {
			return d.fail(InvalidJSON, i)
		}
		i = skipSpace(d.doc, i+1)
		var err error
		if next := n.find(key); next != nil {
			i, err = d.value(i, next)
		} else {
			i, err = d.skip(i)
		}
		if err != nil {
			return 0, err
		}
		var done bool
		if i, done, err = d.comma(i, '}'); err != nil || done {
			return i, err
		}
	}
}

// array walks the array that begins at i: each element is a value of the path.
func (d *Decoder) array(i int, n *pathNode) (int, error) {
	if d.depth++; d.depth > MaxDepth {
		return d.fail(TooDeep, i)
	}
	defer func() { d.depth-- }()
	i = skipSpace(d.doc, i+1)
	if i < len(d.doc) && d.doc[i] == ']' {
		return i + 1, nil
	}
	for {
		var err error
		if i, err = d.value(i, n); err != nil {
			return 0, err
		}
		var done bool
		if i, done, err = d.comma(i, ']'); err != nil || done {
			return i, err
		}
	}
}

// comma passes what follows an element: a comma, or the closing bracket, after
// which the object or array is done.
func (d *Decoder) comma(i int, closing byte) (next int, done bool, err error) {
	i = skipSpace(d.doc, i)
	if i < len(d.doc) {
		switch d.doc[i] {
		case ',':
			return skipSpace(d.doc, i+1), false, nil
		case closing:
			return i + 1, true, nil
		}
	}
	_, err = d.fail(InvalidJSON, i)
	return 0, false, err
}

// value reads the value at i, which lies at a wanted path or above one.
func (d *Decoder) value(i int, n *pathNode) (int, error) {
	if i >= len(d.doc) {
		return d.fail(Truncated, i)
	}
	switch d.doc[i] {
	case '{':
		return d.nested(i, n)
	case '[':
		return d.array(i, n)
	case '"':
		end, _ := skipString(d.doc, i)
		if end < 0 {
			return d.fail(Truncated, len(d.doc))
		}
		if n.wanted() {
			d.take(n, i, end, stringSpan)
		}
		return end, nil
	}
	end := skipScalar(d.doc, i)
	tok, ok := parseScalar(d.doc[i:end])
	if !ok {
		return d.fail(InvalidJSON, i)
	}
	if tok.kind != Null && n.wanted() {
		d.take(n, i, end, wordSpan)
	}
	return end, nil
}

// nested walks an object below a wanted path. The source of a search hit takes
// the place of the document.
func (d *Decoder) nested(i int, n *pathNode) (int, error) {
	if n.meta != metaSource {
		if n.children == nil {
			return d.skip(i)
		}
		return d.object(i, n)
	}
	end, err := d.object(i, d.root)
	if err == nil {
		d.ev.Source = d.doc[i:end]
	}
	return end, err
}

// skip passes a value nobody wants: it balances brackets and strings.
func (d *Decoder) skip(i int) (int, error) {
	if i >= len(d.doc) {
		return d.fail(Truncated, i)
	}
	depth := 0
	for i < len(d.doc) {
		switch c := d.doc[i]; c {
		case '{', '[':
			if depth++; depth+d.depth > MaxDepth {
				return d.fail(TooDeep, i)
			}
			i++
		case '}', ']':
			if depth--; depth < 0 {
				return d.fail(InvalidJSON, i)
			}
			i++
		case '"':
			end, _ := skipString(d.doc, i)
			if end < 0 {
				return d.fail(Truncated, len(d.doc))
			}
			i = end
		default:
			if depth > 0 {
				i++
				continue
			}
			end := skipScalar(d.doc, i)
			if end == i {
				return d.fail(InvalidJSON, i)
			}
			return end, nil
		}
		if depth == 0 {
			return i, nil
		}
	}
	return d.fail(Truncated, i)
}

// take notes the scalar from start to end as one of a path.
func (d *Decoder) take(n *pathNode, start, end int, kind spanKind) {
	sp := span{start: uint32(start), end: uint32(end), path: int32(n.place), kind: kind}
	if n.place >= 0 {
		d.ev.add(sp.path, sp.start, sp.end, kind, len(n.picky) > 0 && d.ev.doubts(sp, n.picky))
	}
	if n.meta == metaNone {
		return
	}
	d.ev.tokens(sp, func(t token) bool {
		switch n.meta {
		case metaIndex:
			d.ev.Index = t.text
		case metaID:
			d.ev.ID = t.text
		}
		return true
	})
}
