package windows

import "strings"

// ReportsProcess reports whether a record tells of the start or end of a process: a
// History has nothing to do with others.
func (r *Record) ReportsProcess() bool {
	switch r.Provider {
	case "Microsoft-Windows-Sysmon":
		return r.EventID == 1 || r.EventID == 5
	case "Microsoft-Windows-Security-Auditing":
		return r.EventID == 4688 || r.EventID == 4689
	}
	return false
}

// CopyTo makes dst a copy of the record whose texts share no memory with it, but for
// Raw. The memory of dst's data is used again.
func (r *Record) CopyTo(dst *Record) {
	data := append(dst.Data[:0], r.Data...)
	*dst = *r
	dst.Data = data
	dst.KeywordSet = append([]string(nil), r.KeywordSet...)
	bytes := 0
	dst.texts(func(s *string) { bytes += len(*s) })
	var all strings.Builder
	all.Grow(bytes)
	dst.texts(func(s *string) { all.WriteString(*s) })
	rest := all.String()
	dst.texts(func(s *string) { *s, rest = rest[:len(*s)], rest[len(*s):] })
}

// texts visits the texts that belong to whoever made the record.
func (r *Record) texts(visit func(*string)) {
	for _, s := range [...]*string{
		&r.Provider, &r.ProviderGUID, &r.Channel, &r.Computer, &r.UserID, &r.ActivityID, &r.RelatedID, &r.UserDataName,
		&r.Message, &r.TaskName, &r.OpcodeName, &r.LevelName, &r.UserName, &r.UserDomain, &r.UserType,
	} {
		visit(s)
	}
	for i := range r.Data {
		visit(&r.Data[i].Name)
		visit(&r.Data[i].Value)
	}
	for i := range r.KeywordSet {
		visit(&r.KeywordSet[i])
	}
}
