package file

// Archives and compression, recognised by their first bytes.

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"

	kgzip "github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zip"
	"github.com/klauspost/compress/zstd"
)

// maxWindow is how far back a zstd file may refer: what "zstd --long" writes.
const maxWindow = 128 << 20

// unpacked is a compressed stream as it is read.
type unpacked struct {
	io.Reader
	close func()
}

// unpacker unpacks a compressed stream; it gives none if it is not compressed.
func unpacker(head []byte, in io.Reader) (*unpacked, error) {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := kgzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("read gzip: %w", readError(err))
		}
		return &unpacked{z, func() { _ = z.Close() }}, nil
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, fmt.Errorf("read zstd: %w", err)
		}
		return &unpacked{z, z.Close}, nil
	}
	return nil, nil
}

// unreadable names what is recognised and cannot be read, "" of all else.
func unreadable(head []byte) string {
	for magic, what := range map[string]string{
		"7z\xbc\xaf\x27\x1c": "a 7z archive", "Rar!\x1a\x07": "a RAR archive", "\xfd7zXZ\x00": "an xz file", "BZh": "a bzip2 file", "MSCF\x00\x00\x00\x00": "a cabinet file",
	} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return what
		}
	}
	return ""
}

// archive gives what opens the archive that begins with head; nil: it is none.
func (v *visit) archive(head []byte) func(*member, *bufio.Reader) (container, error) {
	switch {
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")), bytes.HasPrefix(head, []byte("PK\x07\x08PK")):
		return v.openZip
	case isTar(head):
		return func(m *member, in *bufio.Reader) (container, error) {
			return &tarFile{v: v, m: m, in: tar.NewReader(in)}, nil
		}
	}
	return nil
}

// isTar tells by the checksum of its first header whether a file is a tar archive;
// old ones have no other mark.
func isTar(head []byte) bool {
	const size, from, to = 512, 148, 156
	if len(head) < size || head[0] == 0 {
		return false
	}
	var want int64
	if _, err := fmt.Sscanf(strings.Trim(string(head[from:to]), " \x00"), "%o", &want); err != nil {
		return false
	}
	sum := int64(' ') * (to - from)
	for i, c := range head[:size] {
		if i < from || i >= to {
			sum += int64(c)
		}
	}
	return sum == want
}

// inside names a member of an archive. The name in the archive is foreign: it is
// shown, never used.
func inside(archive, name string) string {
	const most = 1000
	if len(name) > most {
		name = name[:most] + "…"
	}
	return archive + "!/" + strings.ToValidUTF8(name, "\uFFFD")
}

type tarFile struct {
	v  *visit
	m  *member
	in *tar.Reader
}

func (t *tarFile) name() string { return t.m.name }

func (t *tarFile) close() { t.m.end() }

func (t *tarFile) next() (*member, error) {
	for {
		h, err := t.in.Next()
		if err != nil {
			return nil, err
		}
		if err := t.v.budget.entry(1); err != nil {
			return nil, err
		}
		name := inside(t.m.name, h.Name)
		switch {
		case h.Typeflag == tar.TypeDir:
		case h.Typeflag != tar.TypeReg && h.Typeflag != tar.TypeGNUSparse:
			t.v.s.skip(name, skipIrregular)
		default:
			// A sparse entry is larger than its bytes in the archive.
			return &member{name: name, in: t.v.budget.reader(t.in), layers: t.m.layers}, nil
		}
	}
}

type zipFile struct {
	v    *visit
	m    *member
	list []*zip.File
}

// directoryBytes is how large the list of a zip archive's entries may be, for each
// entry it may have.
const directoryBytes = 200

func (v *visit) openZip(m *member, in *bufio.Reader) (container, error) {
	at, size, err := v.readerAt(m, in)
	if err != nil {
		return nil, err
	}
	// Opening reads the whole list of entries into memory.
	bounded := &boundedAt{at: at, left: int64(v.budget.limits.Entries)*directoryBytes + 1<<20, limited: true}
	z, err := zip.NewReader(bounded, size)
	if bounded.left < 0 {
		err = v.budget.entry(v.budget.limits.Entries + 1)
	}
	if err != nil {
		return nil, fmt.Errorf("read zip: %w", readError(err))
	}
	bounded.limited = false
	if err := v.budget.entry(len(z.File)); err != nil {
		return nil, err
	}
	z.RegisterDecompressor(zstd.ZipMethodWinZip, zstd.ZipDecompressor(zstd.WithDecoderMaxWindow(maxWindow)))
	return &zipFile{v, m, z.File}, nil
}

func (z *zipFile) name() string { return z.m.name }

func (z *zipFile) close() { z.m.end() }

func (z *zipFile) next() (*member, error) {
	for len(z.list) > 0 {
		f := z.list[0]
		z.list = z.list[1:]
		name := inside(z.m.name, f.Name)
		switch {
		case strings.HasSuffix(f.Name, "/"):
			continue
		case !f.Mode().IsRegular():
			z.v.s.skip(name, skipIrregular)
			continue
		case f.Flags&1 != 0:
			z.v.fail(name, errEncrypted)
			continue
		}
		in, err := f.Open()
		if err != nil {
			z.v.fail(name, readError(err))
			continue
		}
		return &member{name: name, in: z.v.budget.reader(in), layers: z.m.layers, close: []func(){func() { _ = in.Close() }}}, nil
	}
	return nil, io.EOF
}

var errEncrypted = errors.New("it is encrypted; unpack it with its password first")

// boundedAt fails once more than left bytes were read, while it is limited.
type boundedAt struct {
	at      io.ReaderAt
	left    int64
	limited bool
}

func (b *boundedAt) ReadAt(p []byte, off int64) (int, error) {
	if b.limited {
		if b.left -= int64(len(p)); b.left < 0 {
			return 0, ErrLimit
		}
	}
	return b.at.ReadAt(p, off)
}

// readError says what an error of reading means for the file.
func readError(err error) error {
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the compressed file is cut short: %w", err)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.Is(err, zstd.ErrMagicMismatch),
		errors.Is(err, zip.ErrFormat), errors.Is(err, zip.ErrChecksum), errors.Is(err, tar.ErrHeader):
		return fmt.Errorf("the compressed file is damaged: %w", err)
	case errors.Is(err, zip.ErrAlgorithm):
		return errors.New("it is compressed in a way that cannot be read; unpack it first")
	}
	return err
}
