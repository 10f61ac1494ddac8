package report

// The digest of a scan's alerts: groups and counts, in memory of bounded size an
// alert, and their details aside.

import (
	"cmp"
	"slices"
	"strings"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/rule"
)

// maxMembers is how many alerts of a group are listed one by one.
const maxMembers = 25

// digest is what pages and notes are made of.
type digest struct {
	grouper *Grouper
	spill   *spill

	groups []*entry
	byKey  map[*Group]*entry
	texts  map[string]string // one copy of each host, user and rule name

	total      int64
	severities map[string]int64
	hosts      map[string]int64
	users      map[string]int64
	rules      map[*rule.Rule]int64
	times      histogram
	matrix     matrix
}

// entry is a group with what is shown of it.
type entry struct {
	*Group
	place          int
	severity, rule string
	source         *rule.Rule
	host, user     string
	detail         extent
	words          extent   // what a search looks at
	members        []extent // of alerts after the first
}

// member is an alert of a group that is shown on one line.
type member struct{ ID, Time, About, Command string }

func newDigest(opt Options) (*digest, error) {
	s, err := newSpill(opt.TempDir)
	if err != nil {
		return nil, err
	}
	return &digest{
		grouper: NewGrouper(opt.NoGroup), spill: s, byKey: map[*Group]*entry{}, texts: map[string]string{},
		severities: map[string]int64{}, hosts: map[string]int64{}, users: map[string]int64{}, rules: map[*rule.Rule]int64{}, matrix: matrix{},
	}, nil
}

func (d *digest) add(a *alert.Alert) error {
	d.total++
	d.rules[a.Rule]++
	d.matrix.add(a.Rule)
	if a.Timed {
		d.times.add(a.Time.Sec, rule.SeverityRank(a.Severity))
	}
	group, began := d.grouper.Add(a)
	if !began {
		return d.again(a, d.byKey[group])
	}
	f := detailed(a)
	at, err := d.spill.put(f)
	if err != nil {
		return err
	}
	e := &entry{
		Group: group, place: len(d.groups), severity: d.one(f.Severity), rule: d.one(f.Rule), source: a.Rule,
		host: d.one(f.Host), user: d.one(f.User), detail: at,
	}
	if e.words, err = d.spill.put(strings.ToLower(strings.Join([]string{f.Rule, f.Host, f.User, f.About, cut(f.Command, 160)}, " "))); err != nil {
		return err
	}
	d.groups = append(d.groups, e)
	d.byKey[group] = e
	d.count(e)
	return nil
}

// again adds an alert to a group.
func (d *digest) again(a *alert.Alert, e *entry) error {
	d.count(e)
	if len(e.members) >= maxMembers-1 {
		return nil
	}
	f := brief(a)
	at, err := d.spill.put(member{f.ID, f.Time, f.About, f.Command})
	e.members = append(e.members, at)
	return err
}

// count counts an alert of a group: host, user and severity are those of the group.
func (d *digest) count(e *entry) {
	d.severities[e.severity]++
	d.hosts[e.host]++
	d.users[e.user]++
}

// one gives the kept copy of a text that many alerts share.
func (d *digest) one(s string) string {
	if kept, ok := d.texts[s]; ok {
		return kept
	}
	d.texts[s] = s
	return s
}

// sorted gives the groups in the order they are read: the gravest first, then by
// time; what has no time comes last, in the order it came.
func (d *digest) sorted() []*entry {
	list := slices.Clone(d.groups)
	slices.SortFunc(list, func(a, b *entry) int {
		if c := cmp.Compare(rule.SeverityRank(b.severity), rule.SeverityRank(a.severity)); c != 0 {
			return c
		}
		if a.Timed != b.Timed {
			if a.Timed {
				return -1
			}
			return 1
		}
		return cmp.Or(a.First.Compare(b.First), cmp.Compare(a.place, b.place))
	})
	return list
}

// first and last give the times of the earliest and the latest alert.
func (d *digest) span() (first, last string) {
	var e, l *entry
	for _, g := range d.groups {
		if !g.Timed {
			continue
		}
		if e == nil || g.First.Compare(e.First) < 0 {
			e = g
		}
		if l == nil || g.Last.Compare(l.Last) > 0 {
			l = g
		}
	}
	if e == nil {
		return "", ""
	}
	return e.First.Std().Format(timeLayout), l.Last.Std().Format(timeLayout)
}

const timeLayout = "2006-01-02 15:04:05"

// members reads the alerts of a group after its first.
func (d *digest) members(e *entry) ([]member, error) {
	list := make([]member, len(e.members))
	for i, at := range e.members {
		if err := d.spill.get(at, &list[i]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// tally is one line of a table of counts.
type tally struct {
	Name  string
	Count int64
	Share int // of the greatest, in percent
}

// tallies gives the largest counts, and how many are not among them.
func tallies(counts map[string]int64, most int) (list []tally, more int) {
	for name, n := range counts {
		list = append(list, tally{Name: name, Count: n})
	}
	slices.SortFunc(list, func(a, b tally) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name)) })
	more = max(0, len(list)-most)
	list = list[:len(list)-more]
	for i := range list {
		if list[i].Name == "" {
			list[i].Name = "(none)"
		}
		list[i].Share = int(list[i].Count * 100 / list[0].Count)
	}
	return list, more
}

// bySeverity counts by severity, the gravest first.
func (d *digest) bySeverity() []tally {
	var list []tally
	for i := len(rule.Severities) - 1; i >= 0; i-- {
		list = append(list, tally{Name: rule.Severities[i], Count: d.severities[rule.Severities[i]]})
	}
	return list
}

// ruleList gives the rules that fired: the gravest first, then the most alerts.
func (d *digest) ruleList() []*rule.Rule {
	var list []*rule.Rule
	for r := range d.rules {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b *rule.Rule) int {
		return cmp.Or(cmp.Compare(rule.SeverityRank(b.Severity), rule.SeverityRank(a.Severity)), cmp.Compare(d.rules[b], d.rules[a]),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.RuleID, b.RuleID))
	})
	return list
}

// sortByTime sorts groups with times by their first.
func sortByTime(list []*entry) {
	slices.SortFunc(list, func(a, b *entry) int { return cmp.Or(a.First.Compare(b.First), cmp.Compare(a.place, b.place)) })
}
