package windows

import "github.com/shrike-project/shrike/event"

// Record is one record of a Windows event log, whatever form it came in. Its texts
// may share memory with the bytes they were read from: whoever makes records says
// for how long they are valid.
type Record struct {
	Provider     string // System/Provider@Name
	ProviderGUID string // with braces, as the log writes it
	Channel      string
	Computer     string
	EventID      uint32
	Version      uint32
	Level        uint32
	Task         uint32
	Opcode       uint32
	Keywords     uint64
	RecordID     uint64
	Time         event.Time // TimeCreated, 100 ns precise
	Timed        bool       // whether Time is known
	ProcessID    uint32     // of the process that wrote the record
	ThreadID     uint32
	UserID       string // SID of the account that wrote the record
	ActivityID   string // with braces
	RelatedID    string // RelatedActivityID, with braces

	// Data is the record's own data in its order: that of EventData, else of
	// UserData, whose element is named UserDataName.
	Data         []Item
	UserDataName string

	// What only some JSON shapes have, else empty.
	Message    string   // the rendered text
	Raw        []byte   // the JSON document the record was read from
	TaskName   string   // the task's name as rendered
	OpcodeName string   // the opcode's name as rendered
	LevelName  string   // the level's name as rendered
	KeywordSet []string // the names of the keywords as rendered
	UserName   string   // the account of UserID
	UserDomain string
	UserType   string // the kind of that account, such as "User"

	// LeftOver marks a record from the unused part of a log: from before the log was cleared
	// or went round.
	LeftOver bool

	// Lineage is what a History knows of the process that the record is about.
	Lineage Lineage
}

// Item is one named value. Values are written as Windows writes them: numbers in
// decimal, "0x…" where the template says hexadecimal, GUIDs with braces, SIDs as
// S-1-…, times in RFC 3339. Items that the log does not name are param1, param2, …
// in their order.
type Item struct{ Name, Value string }

// Get gives the value of the item of that name, "" if there is none.
func (r *Record) Get(name string) string {
	for i := range r.Data {
		if r.Data[i].Name == name {
			return r.Data[i].Value
		}
	}
	return ""
}

// Reset empties the record, and keeps the memory of its data for the next one.
func (r *Record) Reset() {
	*r = Record{Data: r.Data[:0], KeywordSet: r.KeywordSet[:0]}
}
