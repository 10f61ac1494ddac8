package rule

import "time"

// ExceptionList is a container of exception items.
type ExceptionList struct {
	ID, ListID, Type, Name, NamespaceType string
	OSTypes                               []string
	Params                                map[string]any // everything the export says
}

// ExceptionItem says which events are harmless: those for which all its entries
// hold.
type ExceptionItem struct {
	ID, ItemID, ListID, Name, NamespaceType string
	OSTypes                                 []string
	Expires                                 time.Time // zero: never
	Entries                                 []Entry
	Params                                  map[string]any // everything the export says
}

// Entry is one condition of an exception item.
type Entry struct {
	Field    string
	Operator string // included or excluded
	Type     string // match, match_any, wildcard, exists, list, nested
	Values   []string
	List     ValueList // of type list
	Entries  []Entry   // of type nested
}

// ValueList refers to a list of values.
type ValueList struct{ ID, Type string }

func ignore(string, string, string, string, bool) {}

func readList(doc map[string]any) ExceptionList {
	f := newReader("", doc, ignore)
	return ExceptionList{
		ID: f.str("id"), ListID: f.str("list_id"), Type: f.str("type"), Name: f.str("name"),
		NamespaceType: f.str("namespace_type"), OSTypes: f.strs("os_types"), Params: doc,
	}
}

func readItem(doc map[string]any) ExceptionItem {
	f := newReader("", doc, ignore)
	item := ExceptionItem{
		ID: f.str("id"), ItemID: f.str("item_id"), ListID: f.str("list_id"), Name: f.str("name"),
		NamespaceType: f.str("namespace_type"), OSTypes: f.strs("os_types"), Params: doc,
	}
	item.Expires, _ = time.Parse(time.RFC3339, f.str("expire_time"))
	for _, e := range f.objects("entries") {
		item.Entries = append(item.Entries, readEntry(e))
	}
	return item
}

func readEntry(f *reader) Entry {
	e := Entry{Field: f.str("field"), Operator: f.str("operator"), Type: f.str("type")}
	if _, many := f.values["value"].([]any); many {
		e.Values = f.strs("value")
	} else if v := f.text("value"); v != "" {
		e.Values = []string{v}
	}
	list := f.object("list")
	e.List = ValueList{ID: list.str("id"), Type: list.str("type")}
	for _, inner := range f.objects("entries") {
		e.Entries = append(e.Entries, readEntry(inner))
	}
	return e
}
