package evtx

import "fmt"

// Reason says why a record could not be read.
type Reason uint8

const (
	readable Reason = iota
	// Missing records are named by their chunk, and nowhere to be found in it.
	Missing
	// Cut records lay behind the end of a truncated file.
	Cut
	// BadXML is binary XML that follows no rule of its format.
	BadXML
	// BadTemplate is a reference to a template that is not there or is damaged.
	BadTemplate
	// BadValues are values that do not fit into their record.
	BadValues
	// TooDeep is nesting beyond every use.
	TooDeep
	// TooMuch is a record that would unfold to more than a record can hold.
	TooMuch
	reasons
)

var reasonTexts = [reasons]string{
	Missing: "missing", Cut: "cut off", BadXML: "bad binary XML", BadTemplate: "bad template",
	BadValues: "bad values", TooDeep: "nested too deeply", TooMuch: "unfolds to too much",
}

func (r Reason) String() string {
	if r > readable && r < reasons {
		return reasonTexts[r]
	}
	return fmt.Sprintf("reason %d", uint8(r))
}

// Reasons lists all reasons for loss.
func Reasons() []Reason {
	return []Reason{Missing, Cut, BadXML, BadTemplate, BadValues, TooDeep, TooMuch}
}

// Loss is one record that is there and could not be read.
type Loss struct {
	RecordID uint64
	Offset   int64 // of the record in the file
	Reason   Reason
}

func (l Loss) Error() string {
	return fmt.Sprintf("record %d at offset %d: %s", l.RecordID, l.Offset, l.Reason)
}

// Stats count what was read and what was lost.
type Stats struct {
	Chunks    int   // that hold or should hold records, the damaged ones included
	Empty     int   // chunks that hold nothing, and were never used as far as can be seen
	Damaged   int   // chunks with a wrong checksum, without a header, or cut
	Records   int64 // read
	Recovered int64 // of those, from damaged chunks
	// LeftOver counts records from before a log was cleared or went round, which are not
	// among the others, and LeftOverLost those that cannot be read whole any more.
	LeftOver, LeftOverLost int64
	// Lost counts records by reason. In a damaged chunk without a header what is
	// missing is known from the numbers of the records around.
	Lost [reasons]int64
}

// Add adds other to s.
func (s *Stats) Add(other Stats) {
	s.Chunks += other.Chunks
	s.Empty += other.Empty
	s.Damaged += other.Damaged
	s.Records += other.Records
	s.Recovered += other.Recovered
	s.LeftOver += other.LeftOver
	s.LeftOverLost += other.LeftOverLost
	for r, n := range other.Lost {
		s.Lost[r] += n
	}
}

// LostRecords is the number of records lost for any reason.
func (s *Stats) LostRecords() int64 {
	var n int64
	for _, lost := range s.Lost {
		n += lost
	}
	return n
}
