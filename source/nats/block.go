package nats

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/klauspost/compress/s2"
)

// A block: magic, number of documents, length and checksum of the documents as they
// were, and the documents as s2 has made them smaller.
const (
	blockMagic  = "shrike1\n"
	blockHeader = len(blockMagic) + 4 + 4 + 4
	// blockBytes is how much a block holds before it is compressed, but for one with a
	// larger document.
	blockBytes = 512 << 10
	// maxBlockBytes bounds the documents of a block that is read.
	maxBlockBytes = 256 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var errBlock = errors.New("the block is damaged")

// appendBlock writes a block of documents.
func appendBlock(dst, docs []byte, count int) []byte {
	dst = append(dst, blockMagic...)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(count))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(docs)))
	dst = binary.LittleEndian.AppendUint32(dst, crc32.Checksum(docs, castagnoli))
	at := len(dst)
	if need := at + s2.MaxEncodedLen(len(docs)); cap(dst) < need {
		dst = append(make([]byte, 0, need), dst...)
	}
	return dst[:at+len(s2.Encode(dst[at:cap(dst)], docs))]
}

// readBlock gives the documents of a block, and how many there are.
func readBlock(block, dst []byte) (docs []byte, count int, err error) {
	if len(block) < blockHeader || string(block[:len(blockMagic)]) != blockMagic {
		return nil, 0, fmt.Errorf("%w: it does not begin as one", errBlock)
	}
	head := block[len(blockMagic):]
	count = int(binary.LittleEndian.Uint32(head))
	size, sum := int(binary.LittleEndian.Uint32(head[4:])), binary.LittleEndian.Uint32(head[8:])
	packed := block[blockHeader:]
	if n, err := s2.DecodedLen(packed); err != nil || n != size || n > maxBlockBytes {
		return nil, 0, fmt.Errorf("%w: its length is not what it says", errBlock)
	}
	docs, err = s2.Decode(dst, packed)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", errBlock, err)
	}
	if crc32.Checksum(docs, castagnoli) != sum {
		return nil, 0, fmt.Errorf("%w: its checksum is another", errBlock)
	}
	return docs, count, nil
}
