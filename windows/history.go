package windows

import (
	"slices"
	"strconv"
	"strings"

	"github.com/shrike-project/shrike/event"
)

// History remembers the processes of hosts from the records of their starts, and
// completes later records from them: who the parent was, and the ancestors before
// it. It also notices the start that Sysmon and the Security log both report.
//
// Records should come in the order of their time for each host; hosts may mix. Where
// they do not, what is not known yet is left out, and no process gets a parent that
// started after it. A History belongs to one goroutine. What it adds to a record stays valid.
//
// # One start, reported twice
//
// The second report of a start gets the entity id of the first (unless it has one
// of its own) and names it in Lineage.Start, which the event carries as
// shrike.same_start. Both reports stay events, since rules ask for the one or the
// other; alerts of one rule whose events have the same process.entity_id or
// shrike.same_start are about one thing.
type History struct {
	limit int
	hosts map[string]uint32
	// byPID holds the processes of a pid by the time of their start: pids are used
	// again, and one log may be read after the other.
	byPID map[pidKey][]*process
	byID  map[string]*process
	// ring holds the processes in the order in which they came, to forget the
	// oldest of more than limit.
	ring []*process
	next int
}

type pidKey struct {
	host uint32
	pid  uint32
}

// process is what a History remembers of a process.
type process struct {
	key        pidKey
	id         string // entity id
	alias      string // the entity id under which the other log knows it
	executable string
	command    string
	directory  string
	ancestry   []string // entity ids, the parent first
	started    event.Time
	by         reporter
	both       bool // both logs reported the start
	ended      bool
}

// reporter is the log that reported a start.
type reporter uint8

const (
	nobody reporter = iota
	bySysmon
	bySecurity
)

// maxAncestry bounds process.Ext.ancestry, as Elastic's agent does.
const maxAncestry = 20

// maxSamePID bounds the processes of one pid that are told apart; the oldest go.
const maxSamePID = 32

// sameStart is how far apart the two reports of one start may be, in seconds.
const sameStart = 5

// NewHistory makes a History that remembers up to limit processes; 0 stands for
// 100,000.
func NewHistory(limit int) *History {
	if limit <= 0 {
		limit = 100_000
	}
	return &History{limit: limit, hosts: map[string]uint32{}, byPID: map[pidKey][]*process{}, byID: map[string]*process{}}
}

// Complete adds to a record what earlier records say, and remembers what it says
// itself.
func (h *History) Complete(r *Record) {
	switch r.Provider {
	case "Microsoft-Windows-Sysmon":
		switch r.EventID {
		case 1:
			h.sysmonStart(r)
		case 5:
			h.sysmonEnd(r)
		}
	case "Microsoft-Windows-Security-Auditing":
		switch r.EventID {
		case 4688:
			h.securityStart(r)
		case 4689:
			h.securityEnd(r)
		}
	}
}

func (h *History) sysmonStart(r *Record) {
	id := r.Get("ProcessGuid")
	if isNothing(id) {
		return
	}
	p := h.start(r, bySysmon, number(r, "ProcessId"), id, r.Get("Image"))
	p.command, p.directory = strings.Clone(r.Get("CommandLine")), strings.Clone(r.Get("CurrentDirectory"))
	parent := h.byID[r.Get("ParentProcessGuid")]
	if parent == nil {
		parent = h.running(r, p.key.host, number(r, "ParentProcessId"), r.Get("ParentImage"))
	}
	if parent == nil {
		if id := r.Get("ParentProcessGuid"); !isNothing(id) {
			p.ancestry = []string{strings.Clone(id)}
		}
	}
	h.descend(r, p, parent)
}

func (h *History) securityStart(r *Record) {
	pid := number(r, "NewProcessId")
	if pid == 0 {
		return
	}
	p := h.start(r, bySecurity, pid, "", r.Get("NewProcessName"))
	if p.command == "" {
		p.command = strings.Clone(r.Get("CommandLine"))
	}
	h.descend(r, p, h.running(r, p.key.host, number(r, "ProcessId"), r.Get("ParentProcessName")))
}

// start remembers a start, or finds the report of it that came before. id is the
// entity id that the record has, if any.
func (h *History) start(r *Record, by reporter, pid uint32, id, executable string) *process {
	key := pidKey{h.host(r.Computer), pid}
	if p := h.reported(key, by, r, executable); p != nil {
		p.both = true
		r.Lineage.Start = p.id
		if id != "" && id != p.id {
			p.alias = strings.Clone(id)
			h.byID[p.alias] = p
		} else {
			r.Lineage.EntityID = p.id
		}
		return p
	}
	when := r.Time
	if id == "" {
		id = entityID(r.Computer, pid, when)
		r.Lineage.EntityID = id
	}
	p := &process{key: key, id: strings.Clone(id), executable: strings.Clone(executable), started: when, by: by}
	h.remember(p)
	return p
}

// reported gives the process whose start the other log told of before.
func (h *History) reported(key pidKey, by reporter, r *Record, executable string) *process {
	list := h.byPID[key]
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].reportedBy(by, r, executable) {
			return list[i]
		}
	}
	return nil
}

// reportedBy reports whether a record tells of the start of p, which the other log
// told of before.
func (p *process) reportedBy(by reporter, r *Record, executable string) bool {
	if p.by == by || p.both || !strings.EqualFold(baseName(p.executable), baseName(executable)) {
		return false
	}
	apart := r.Time.Sec - p.started.Sec
	return apart >= -sameStart && apart <= sameStart
}

// descend gives a process its parent, and the record what the parent is.
func (h *History) descend(r *Record, p, parent *process) {
	l := &r.Lineage
	if parent != nil && parent != p {
		if len(p.ancestry) == 0 {
			n := min(len(parent.ancestry), maxAncestry-1)
			p.ancestry = append(append(make([]string, 0, n+1), parent.id), parent.ancestry[:n]...)
		}
		l.ParentID, l.ParentExecutable = parent.id, parent.executable
		l.ParentCommandLine, l.ParentDirectory = parent.command, parent.directory
	}
	l.Ancestry = p.ancestry
	if l.ParentID == "" && len(p.ancestry) > 0 {
		l.ParentID = p.ancestry[0]
	}
}

func (h *History) sysmonEnd(r *Record) {
	if p := h.byID[r.Get("ProcessGuid")]; p != nil {
		h.end(r, p)
	}
}

func (h *History) securityEnd(r *Record) {
	if p := h.running(r, h.host(r.Computer), number(r, "ProcessId"), r.Get("ProcessName")); p != nil {
		r.Lineage.EntityID = p.id
		h.end(r, p)
	}
}

func (h *History) end(r *Record, p *process) {
	p.ended = true
	l := &r.Lineage
	l.Ancestry = p.ancestry
	if len(p.ancestry) == 0 {
		return
	}
	l.ParentID = p.ancestry[0]
	if parent := h.byID[l.ParentID]; parent != nil {
		l.ParentExecutable, l.ParentCommandLine, l.ParentDirectory = parent.executable, parent.command, parent.directory
	}
}

// running gives the process that had a pid at the time of a record, if it can be the
// one of that path. A parent may have ended before its child is reported, and both
// logs may report an end, so one that ended is still it.
func (h *History) running(r *Record, host, pid uint32, executable string) *process {
	list := h.byPID[pidKey{host, pid}]
	i := len(list) - 1
	for ; i >= 0 && r.Timed && list[i].started.Sec > r.Time.Sec+1; i-- { // it started later
	}
	if i < 0 || executable != "" && !strings.EqualFold(baseName(list[i].executable), baseName(executable)) {
		return nil
	}
	return list[i]
}

// remember takes a process in, in the place of an older one of its pid, and forgets
// the oldest of too many.
func (h *History) remember(p *process) {
	if len(h.ring) < h.limit {
		h.ring = append(h.ring, p)
	} else {
		h.forget(h.ring[h.next])
		h.ring[h.next] = p
		h.next = (h.next + 1) % h.limit
	}
	if p.key.pid != 0 {
		h.byPID[p.key] = insert(h.byPID[p.key], p)
	}
	h.byID[p.id] = p
}

// insert puts a process into a list by the time of its start.
func insert(list []*process, p *process) []*process {
	i := len(list)
	for i > 0 && p.started.Compare(list[i-1].started) < 0 {
		i--
	}
	if list = slices.Insert(list, i, p); len(list) > maxSamePID {
		list = slices.Delete(list, 0, 1)
	}
	return list
}

func (h *History) forget(p *process) {
	if list := h.byPID[p.key]; len(list) > 1 {
		h.byPID[p.key] = slices.DeleteFunc(list, func(q *process) bool { return q == p })
	} else if len(list) == 1 && list[0] == p {
		delete(h.byPID, p.key)
	}
	for _, id := range [...]string{p.id, p.alias} {
		if h.byID[id] == p {
			delete(h.byID, id)
		}
	}
}

// host gives the number of a host. Names are as many as an attacker cares to
// invent: when there are too many, the History starts anew.
func (h *History) host(name string) uint32 {
	if n, ok := h.hosts[name]; ok {
		return n
	}
	if len(h.hosts) >= h.limit {
		*h = *NewHistory(h.limit)
	}
	n, lower := uint32(len(h.hosts)+1), strings.ToLower(name)
	if known, ok := h.hosts[lower]; ok {
		n = known
	}
	h.hosts[strings.Clone(name)], h.hosts[strings.Clone(lower)] = n, n
	return n
}

func number(r *Record, item string) uint32 {
	n, _ := parseNumber(r.Get(item))
	return uint32(n)
}

// entityID makes an entity id from what does not repeat: host, pid and time.
func entityID(host string, pid uint32, t event.Time) string {
	id := make([]byte, 0, len(host)+32)
	id = append(append(id, host...), '-')
	id = strconv.AppendUint(id, uint64(pid), 10)
	id = append(id, '-')
	id = strconv.AppendInt(id, t.Sec, 10)
	id = append(id, '.')
	for unit := int32(1e8); unit >= 100; unit /= 10 {
		id = append(id, byte('0'+t.Nsec/unit%10))
	}
	return string(id)
}
