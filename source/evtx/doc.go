// Package evtx reads Windows event logs in their binary form.
//
//	file ─File→ chunks ─Decoder→ records ─program→ *windows.Record
//	              64 KB each        │          ▲
//	                                └ templates ┘ compiled once, kept by content
//
// A log is a header of 4 KB and chunks of 64 KB. A chunk refers to nothing outside
// itself, so chunks are decoded in any order and by several workers: one File is
// shared, each worker has a Decoder and a buffer of its own.
//
//	f, err := evtx.Open(r, size)
//	d := evtx.NewDecoder()
//	for i := range f.Chunks() {
//		c, err := f.Chunk(i, buf)
//		err = d.Decode(c, func(rec *windows.Record) error { … })
//	}
//
// # Templates
//
// A record is binary XML, nearly always "this template with these values". A
// template is walked once: what it says about each value (this one is the event's
// id, that one the data item "Image") becomes a flat program, and reading a record
// is reading values in the program's order. The same template is laid out
// differently in each chunk, since names already in the chunk are referred to; a
// Decoder therefore keeps programs under the template's GUID with the bytes they
// were made of, and takes one only where those bytes and all names agree. A record
// that is written out instead goes the same way with a program that is not kept.
//
// # What is read
//
// System is spread over the record's fields. The children of EventData become its
// data; children without a name are param1, param2, … by their position. Of
// UserData, the children of its one element; what lies deeper is named by its
// path (Parent.Child), attributes likewise. A value that is a list gives one item
// an element, as Windows writes the element repeatedly. A value that is missing
// gives an empty item, so that positions hold. RenderingInfo, which forwarded logs
// have, fills the rendered texts.
//
// # Damage
//
// The header of a file says little that is true while a log is written, so chunks
// are found by the file's size. A chunk whose two checksums hold is read up to the
// end it names; what lies behind is left over from the chunk's former life and is
// reported only on demand (Decoder.LeftOver). In any other chunk records are found one by one: what carries the
// record's signature and a size that is repeated at its end counts as a record,
// between bad places the next one is looked for. Where the header is damaged, too, the
// end is taken from the last record it names, and record numbers must go on as they
// did. What could not be read is counted by reason (Stats), with number and place for
// whoever asks (Decoder.Report).
//
// # Memory
//
// A record and its texts belong to the Decoder and hold until the callback
// returns, names of data items made of values or of high positions among them; other
// names hold as long as anyone has them. A File holds twelve bytes a chunk. A Decoder holds the texts of one
// record and compiled templates up to a fixed number of bytes. A record may take a
// bounded number of steps and bytes of text, and a template of names, so that none
// can blow up.
//
// # Invariants
//
//   - No bytes make a Decoder panic, run on, or read outside the chunk.
//   - Decode allocates nothing for a record whose templates it knows.
//   - A Decoder gives the same records whatever it decoded before.
//
// # Sources
//
// The layout follows public descriptions: Microsoft's [MS-EVEN6], section BinXml,
// for the tokens and value types, and Joachim Metz's description of the file format
// in the documentation of libevtx. The notation of values is that of Windows' own
// XML, see windows.Item.
//
// The package is part of the program, not of its promised interface.
package evtx
