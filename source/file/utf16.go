package file

import (
	"bufio"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// utf16Reader turns UTF-16 with a byte order mark into UTF-8.
type utf16Reader struct {
	in      *bufio.Reader
	little  bool
	started bool
	pending []byte
}

func (u *utf16Reader) Read(p []byte) (int, error) {
	for len(u.pending) == 0 {
		if err := u.decode(); err != nil {
			return 0, err
		}
	}
	n := copy(p, u.pending)
	u.pending = u.pending[n:]
	return n, nil
}

func (u *utf16Reader) unit() (rune, error) {
	var b [2]byte
	if _, err := io.ReadFull(u.in, b[:]); err != nil {
		return 0, io.EOF
	}
	if u.little {
		return rune(b[0]) | rune(b[1])<<8, nil
	}
	return rune(b[1]) | rune(b[0])<<8, nil
}

func (u *utf16Reader) decode() error {
	if !u.started {
		bom, err := u.in.Peek(2)
		if err != nil {
			return io.EOF
		}
		u.little, u.started = bom[0] == 0xff, true
		_, _ = u.in.Discard(2)
	}
	u.pending = make([]byte, 0, 4096)
	for len(u.pending) < 4000 {
		r, err := u.unit()
		if err != nil {
			if len(u.pending) > 0 {
				return nil
			}
			return err
		}
		if utf16.IsSurrogate(r) {
			low, err := u.unit()
			if err != nil {
				low = 0
			}
			r = utf16.DecodeRune(r, low)
		}
		u.pending = utf8.AppendRune(u.pending, r)
	}
	return nil
}
