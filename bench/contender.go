package main

// What is compared.

import (
	"bufio"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/rule"
	"github.com/shrike-project/shrike/rules"
)

// contender is something that reads the events of a data set.
type contender struct {
	name  string
	cores int
	data  dataset
	// Of a scan: its flags, and how many alerts it gave for 2N events, as did the plain
	// evaluator.
	scan   []string
	alerts int
	// Of another program: what it is called with before the file.
	other []string

	small, large []cost // by run
	allocs       float64
}

// scansOf gives the scans of a data set.
func scansOf(d dataset, rulesets []ruleset) []contender {
	var list []contender
	for _, r := range rulesets {
		if (r.Name == "LIVE") != d.Live {
			continue
		}
		for cores := 1; cores <= 2; cores++ {
			flags := append([]string{"scan", "-o", "jsonl", "--jobs", strconv.Itoa(cores)}, r.flags()...)
			if d.Live {
				flags = append(flags, "--lateness", "1m")
			}
			list = append(list, contender{name: r.Name, cores: cores, data: d, scan: flags})
		}
	}
	return list
}

// peersOf gives other decoders, over the first data set alone: they read the fields
// that the shipped rule reads.
func peersOf(d dataset) []contender {
	if d.Name != "full" {
		return nil
	}
	var list []contender
	for _, p := range []struct{ decoder, name string }{
		{"map", "encoding/json into a map"}, {"goccy", "goccy/go-json into a struct"}, {"fastjson", "valyala/fastjson"},
	} {
		list = append(list, contender{name: p.name, cores: 1, data: d, other: []string{peers, "-decoder", p.decoder, "-fields", strings.Join(seedFields(), ",")}})
	}
	return list
}

// seedFields gives the fields the shipped rule reads.
func seedFields() []string {
	l := rule.NewLoader()
	if err := l.Load(rules.FS, ".", "shipped"); err != nil {
		panic("the shipped rules cannot be read: " + err.Error())
	}
	set := l.Set()
	fields := detect.New(set.Rules, detect.Options{}).Fields()
	names := []string{"@timestamp"}
	for f := range fields.Len() {
		names = append(names, fields.Name(event.Field(f)))
	}
	return names
}

func (c *contender) command(path string) *exec.Cmd {
	if c.other != nil {
		return onCores(c.cores, c.other[0], append(c.other[1:len(c.other):len(c.other)], path)...)
	}
	return onCores(c.cores, binary, append(c.scan[:len(c.scan):len(c.scan)], path)...)
}

// compare compares the alerts of a scan with those of the plain evaluator, in their
// order. What the plain evaluator gives is asked once for each set of rules.
func (c *contender) compare(plain map[string]alertList) error {
	progress("%s, %s, cores: %d: comparing the alerts with the plain evaluator's", c.data.Name, c.name, c.cores)
	want, known := plain[c.data.Name+c.name]
	var err error
	if !known {
		if want, err = alertIDs(exec.Command(binary, append(c.scan[:len(c.scan):len(c.scan)], "--jobs", "0", "--plain", c.data.Small)...)); err != nil {
			return err
		}
		plain[c.data.Name+c.name] = want
	}
	got, err := alertIDs(exec.Command(binary, append(c.scan[:len(c.scan):len(c.scan)], c.data.Small)...))
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("%s, %s: %d alerts, the plain evaluator gives %d, or others", c.data.Name, c.name, got.n, want.n)
	}
	c.alerts = got.n
	return nil
}

// alertList is a list of alerts: a hash of their ids, and their number.
type alertList struct {
	hash string
	n    int
}

var alertID = regexp.MustCompile(`"kibana\.alert\.uuid":"([0-9a-f]+)"`)

// alertIDs gives the alerts a command prints.
func alertIDs(cmd *exec.Cmd) (list alertList, err error) {
	cmd.Stderr = io.Discard
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return list, err
	}
	h := sha256.New()
	r := bufio.NewReaderSize(out, 1<<16)
	for err == nil {
		var line []byte
		if line, err = r.ReadBytes('\n'); err == nil {
			id := alertID.FindSubmatch(line)
			if id == nil {
				return list, fmt.Errorf("an alert without an id: %.200s", line)
			}
			list.n++
			_, _ = h.Write(append(id[1], '\n'))
		}
	}
	if err != io.EOF {
		return list, err
	}
	if err := incomplete(cmd.Wait()); err != nil {
		return list, fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	list.hash = string(h.Sum(nil))
	return list, nil
}

// measured is a data set with what was measured over it.
type measured struct {
	data       dataset
	contenders []contender
	yardsticks [2][]float64 // seconds for N events, on one core and on two
}

// measure runs everything so many times, in turns.
func (m *measured) measure(runs int) error {
	for run := range runs {
		progress("%s: run %d of %d", m.data.Name, run+1, runs)
		for cores := 1; cores <= 2; cores++ {
			seconds, err := newlines(cores, m.data)
			if err != nil {
				return err
			}
			m.yardsticks[cores-1] = append(m.yardsticks[cores-1], seconds)
		}
		for i := range m.contenders {
			c := &m.contenders[i]
			small, err := timed(c.command(m.data.Small))
			if err != nil {
				return err
			}
			large, err := timed(c.command(m.data.Large))
			if err != nil {
				return err
			}
			c.small, c.large = append(c.small, small), append(c.large, large)
		}
	}
	for i := range m.contenders {
		if c := &m.contenders[i]; c.scan != nil && c.cores == 1 {
			small, err := allocated(append(c.scan[:len(c.scan):len(c.scan)], m.data.Small))
			if err != nil {
				return err
			}
			large, err := allocated(append(c.scan[:len(c.scan):len(c.scan)], m.data.Large))
			if err != nil {
				return err
			}
			c.allocs = (large - small) / float64(m.data.N)
		}
	}
	return nil
}

// fileSize gives the size of a file that is there.
func fileSize(name string) int64 {
	info, err := os.Stat(name)
	if err != nil {
		panic("a file that was just written is not there: " + err.Error())
	}
	return info.Size()
}
