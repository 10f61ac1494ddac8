package windows

// Tables: what the records of a provider become is written down as data, one file
// per provider. A table says for each kind of record (a provider and an event
// number) what the event is, and for each of its items which field it fills and
// how its text is read. compile turns the tables into what a Mapper follows, and
// Profiles reads from the same tables which fields a source can supply.

// source is a provider of records, as Elastic's integrations see it.
type source struct {
	name      string   // of its profile
	providers []string // provider names
	channel   string   // where the name of the provider is not enough
	module    string
	dataset   string
	nothing   func(string) bool // values that stand for nothing; they are dropped

	// vocabulary says what an item of that name means in every kind of record of
	// the source that does not say otherwise.
	vocabulary []move
	kinds      []kind
	other      kind     // records of numbers that are not in kinds
	finish     []finish // after those of the kind
}

// kind is what a record of one number becomes.
type kind struct {
	id       uint32
	category []string
	types    []string
	action   string // event.action
	outcome  string // event.outcome, where it does not follow from the record
	task     string // the name of the task, for logs that do not render it

	// items are the items of the newest version of the record in their order. The
	// names say which fields the kind can supply, and they name the values of
	// exports that only number them.
	items  string
	moves  []move // before those of the vocabulary
	finish []finish
}

// move takes an item of a record into the event.
type move struct {
	item string
	how  reading
	to   string // the field, or the object that the reading fills
	keep bool   // the item also stays in winlog.event_data
}

// finish computes fields once all items are moved.
type finish struct {
	to  []string // the fields it may set; run gets them in this order
	run func(m *Mapper, r *Record, to []slot)
}

// reading says how the text of an item is read, and which fields it fills.
type reading uint8

const (
	asText      reading = iota
	asNumber            // decimal or 0x…
	asFlag              // true or false
	asIP                // an address, without the prefix of IPv4 in IPv6
	asProcess           // a path: the field, and name beside it
	asProgram           // the same, of the Security log: a name without a backslash is one too
	asFile              // a path: the field, and name, directory and extension beside it
	asCommand           // a command line: the field, and args and args_count beside it, as Windows splits it
	asQuoted            // a command line: the field, and args with their quotes, as 4688 has it
	asHashes            // NAME=hex,…: to.hash.*, to.pe.imphash and related.hash
	asAccount           // DOMAIN\name: to.domain, to.name and related.user
	asUser              // a name: the field and related.user
	asUserShort         // the same of name@domain
	asList              // words: a list in winlog.event_data
	asMember            // one more member of a list
	asHost              // a name: the field and related.hosts
	asNamed             // stays in winlog.event_data, under the name to
	asDropped           // leaves the event
)

// hashNames are the hashes that Sysmon can be told to compute, in the order in
// which Elastic's pipeline lists them.
var hashNames = [...]string{"sha256", "sha1", "md5", "imphash"}

// fields gives the fields that a move may fill, the field itself first.
func (mv move) fields() []string {
	object := parent(mv.to)
	switch mv.how {
	case asProcess, asProgram:
		return []string{mv.to, object + ".name"}
	case asFile:
		return []string{mv.to, object + ".name", object + ".directory", object + ".extension"}
	case asCommand:
		return []string{mv.to, object + ".args", object + ".args_count"}
	case asQuoted:
		return []string{mv.to, object + ".args"}
	case asHashes:
		return []string{mv.to + ".hash.sha256", mv.to + ".hash.sha1", mv.to + ".hash.md5", mv.to + ".pe.imphash", "related.hash"}
	case asAccount:
		return []string{mv.to + ".domain", mv.to + ".name", "related.user"}
	case asUser, asUserShort:
		return []string{mv.to, "related.user"}
	case asHost:
		return []string{mv.to, "related.hosts"}
	case asNamed, asDropped, asList:
		return nil
	}
	return []string{mv.to}
}

// fieldCount gives the number of fields that a move may fill.
func (how reading) fieldCount() int {
	switch how {
	case asNamed, asDropped, asList:
		return 0
	case asProcess, asProgram, asQuoted, asUser, asUserShort, asHost:
		return 2
	case asFile:
		return 4
	case asCommand, asAccount:
		return 3
	case asHashes:
		return len(hashNames) + 1
	}
	return 1
}

// kept gives the name under which winlog.event_data has the item of a move, "" if
// it has not.
func (mv move) kept() string {
	switch {
	case mv.how == asNamed:
		return mv.to
	case mv.keep || mv.how == asList:
		return mv.item
	}
	return ""
}

// sources are all providers with a table. A record is looked up by its provider.
func sources() []source {
	return []source{sysmon(), security(), powershell(), powershellClassic(), system(), eventlog(), defender()}
}

func isEmpty(s string) bool { return s == "" }

// isNothing reports whether a text stands for no value.
func isNothing(s string) bool {
	return s == "" || s == "-" || s == "{00000000-0000-0000-0000-000000000000}"
}
