package main

// What is read: sets of rules and of events.

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/eqltest"
	"github.com/shrike-project/shrike/rule"
)

// ruleset is a folder of rules; none stands for the shipped ones.
type ruleset struct {
	Name, Dir string
	Rules     int
	Sequences int
}

func (r ruleset) flags() []string {
	if r.Dir == "" {
		return nil
	}
	return []string{"--rules", r.Dir}
}

// writeRules writes the rules of R100 and RALL, and for the live run LIVE, into folders.
func writeRules(shared string) ([]ruleset, error) {
	sets := []ruleset{{Name: "R1", Rules: 1}}
	tree, err := eqltest.OpenTree(filepath.Join(shared, "corpus", "rules.tar.gz"))
	if err != nil {
		progress("only the shipped rule is measured: %v", err)
		return sets, nil
	}
	set, err := rule.Load(tree, ".", "")
	if err != nil {
		return nil, err
	}
	runnable := detect.New(set.Rules, detect.Options{}).Rules()
	slices.SortFunc(runnable, func(a, b *rule.Rule) int { return cmp.Compare(a.RuleID, b.RuleID) })
	for _, s := range []ruleset{{Name: "R100", Rules: min(100, len(runnable))}, {Name: "RALL", Rules: len(runnable)}, {Name: "LIVE", Rules: len(runnable)}} {
		s.Dir = inData(s.Name)
		if err := os.RemoveAll(s.Dir); err != nil {
			return nil, err
		}
		if err := os.MkdirAll(s.Dir, 0o755); err != nil {
			return nil, err
		}
		for _, r := range runnable[:s.Rules] {
			if r.EQL.Event == nil {
				s.Sequences++
			}
			text, err := fs.ReadFile(tree, r.File)
			if err == nil {
				err = os.WriteFile(filepath.Join(s.Dir, path.Base(r.File)), text, 0o644)
			}
			if err != nil {
				return nil, err
			}
		}
		sets = append(sets, s)
	}
	live := &sets[len(sets)-1]
	more := liveRules()
	live.Rules, live.Sequences = live.Rules+len(more), live.Sequences+len(more)
	return sets, os.WriteFile(filepath.Join(live.Dir, "live.ndjson"), []byte(strings.Join(more, "\n")), 0o644)
}

// liveSpan is the maxspan of the rules that keep keys. Events come every ten milliseconds and
// four fifths begin a sequence with a key of its own, so that 100,000 are live.
const liveSpan = "20m"

// liveRules are sequences every start of a process begins, and hardly any event ends.
func liveRules() []string {
	var list []string
	for i, letters := range []string{"abcd", "efghijkl", "mnopqr", "stuvwxyz"} {
		var names []string
		for _, c := range letters {
			names = append(names, strconv.Quote(string(c)+"*"))
		}
		query := fmt.Sprintf(`sequence by host.id, process.entity_id with maxspan=%s [process where event.type == "start" and process.name : (%s)] [process where event.type == "end" and process.pid < 1100]`,
			liveSpan, strings.Join(names, ", "))
		list = append(list, fmt.Sprintf(`{"rule_id":"live-%d","name":"Live %d","description":"Keeps keys.","type":"eql","language":"eql","severity":"low","risk_score":1,"query":%s}`, i, i, strconv.Quote(query)))
	}
	return list
}

// dataset is a file of N events, and one of 2N.
type dataset struct {
	Name, About  string
	Small, Large string
	N            int
	Bytes        int64 // of the second N events
	Live         bool
}

// writeData writes the files, unless they are there.
func writeData(s settings) ([]dataset, error) {
	generator := filepath.Join(s.shared, "tools", "genecs", "main.go")
	if _, err := os.Stat(generator); err != nil {
		progress("the sample events are multiplied: %v", err)
		d := dataset{Name: "sample", About: "the sample events with other hosts, users, ids and times", N: s.events}
		return d.write([]dataset{}, func(w io.Writer, n int) error { return generate(w, n) })
	}
	var list []dataset
	var err error
	for _, g := range []struct{ name, about, shape, mix, hits string }{
		{"full", "process events as an agent ships them", "full", "process", "0.001"},
		{"slim", "process events with little but what rules read", "slim", "process", "0.001"},
		{"mixed", "events of six categories as an agent ships them", "full", "all", "0.001"},
		{"live", "the full process events, rules told of them as they arrive (--lateness 1m)", "full", "process", "0.001"},
	} {
		if s.only != "" && s.only != g.name {
			continue
		}
		d := dataset{Name: g.name, About: g.about, N: s.events, Live: g.name == "live"}
		list, err = d.write(list, func(w io.Writer, n int) error {
			cmd := exec.Command("go", "run", generator, "-n", strconv.Itoa(n), "-shape", g.shape, "-mix", g.mix, "-hits", g.hits)
			cmd.Stdout, cmd.Stderr = w, os.Stderr
			return cmd.Run()
		})
		if err != nil {
			return nil, err
		}
	}
	if s.only != "" && s.only != "recorded" {
		return list, nil
	}
	lines, err := recorded(filepath.Join(s.shared, "data"), s.events)
	if err != nil || len(lines) == 0 {
		return list, err
	}
	d := dataset{Name: "recorded", About: "Windows events that others recorded, as they were published", N: len(lines)}
	return d.write(list, func(w io.Writer, n int) error {
		for i := range n {
			if _, err := w.Write(lines[i%len(lines)]); err != nil {
				return err
			}
		}
		return nil
	})
}

// write writes the files of a data set, and adds it to a list.
func (d dataset) write(list []dataset, write func(w io.Writer, n int) error) ([]dataset, error) {
	sizes := [2]int64{}
	for i, n := range []int{d.N, 2 * d.N} {
		name := inData(fmt.Sprintf("%s-%d.ndjson", d.Name, n))
		if d.Live {
			name = inData(fmt.Sprintf("full-%d.ndjson", n))
		}
		if _, err := os.Stat(name); err != nil {
			progress("writing %s", name)
			if err := writeFile(name, func(w io.Writer) error { return write(w, n) }); err != nil {
				return nil, err
			}
		}
		info, err := os.Stat(name)
		if err != nil {
			return nil, err
		}
		sizes[i] = info.Size()
		if i == 0 {
			d.Small = name
		} else {
			d.Large = name
		}
	}
	d.Bytes = sizes[1] - sizes[0]
	return append(list, d), nil
}

// writeFile writes a file as a whole or not at all.
func writeFile(name string, write func(io.Writer) error) error {
	f, err := os.Create(name + ".part")
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	err = write(w)
	if err == nil {
		err = w.Flush()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(name+".part", name)
	}
	return err
}

// recorded gives so many lines of the recorded events, of every file the same share.
func recorded(dir string, most int) ([][]byte, error) {
	var names []string
	for _, pattern := range []string{"windows-json/*.gz", "ecs/*.gz", "eqllib/sysmon*.gz"} {
		found, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return nil, err
		}
		names = append(names, found...)
	}
	var lines [][]byte
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		z, err := gzip.NewReader(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		text, err := io.ReadAll(z)
		_ = f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		n := 0
		for line := range bytes.Lines(text) {
			if n++; n > max(1, most/len(names)*4) || len(lines) == most {
				break
			}
			if bytes.HasPrefix(line, []byte("{")) && bytes.HasSuffix(line, []byte("}\n")) {
				lines = append(lines, line)
			}
		}
	}
	return lines, nil
}
