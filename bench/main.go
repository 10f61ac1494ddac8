// Command bench measures Shrike against yardsticks and writes bench/RESULTS.md.
//
//	go run ./bench [-events N] [-runs N] [-shared DIR]
//
// It runs the binaries in bin/ (built by "make bench") over generated and recorded
// events, each contender over N events and over 2N, so that the difference tells what
// N events take without starting up; starting up is measured apart. Runs interleave
// what is compared, the yardstick among it, so that a busy minute hits all alike. Before
// any time is taken, the alerts are compared with those of the plain evaluator.
//
// The yardstick is a search for line ends in the same bytes, in memory.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// settings are the flags.
type settings struct {
	events, runs int
	shared       string
	out          string
	only         string
	profiles     bool // no times, only the profiles
}

func main() {
	log.SetFlags(0)
	if len(os.Args) > 1 {
		// What takes memory is done by processes of its own, for the kernel counts the
		// memory of whoever starts a process as that process's.
		if role := map[string]func([]string) error{newlineRole: searchNewlines, prepareRole: printInputs, keysRole: printKeys}[os.Args[1]]; role != nil {
			if err := role(os.Args[2:]); err != nil {
				log.Fatal("bench: ", err)
			}
			return
		}
	}
	var s settings
	flag.IntVar(&s.events, "events", 100_000, "N: contenders read N events and 2N")
	flag.IntVar(&s.runs, "runs", 7, "runs; the median is shown")
	flag.StringVar(&s.shared, "shared", "../shared", "`FOLDER` with tools/genecs, corpus and data; without, the sample events are multiplied")
	flag.StringVar(&s.out, "out", "bench/RESULTS.md", "`FILE` to write")
	flag.StringVar(&s.only, "only", "", "measure this data set alone: full, slim, mixed, recorded or live")
	flag.BoolVar(&s.profiles, "profiles", false, "write bench/profiles and nothing else")
	flag.Parse()
	if err := run(s); err != nil {
		log.Fatal("bench: ", err)
	}
}

const (
	dataDir = "bench/data"
	binary  = "bin/shrike"
	peers   = "bin/peers"
)

func run(s settings) error {
	if s.events < 1000 || s.runs < 1 {
		return errors.New("at least 1,000 events and one run")
	}
	if err := os.MkdirAll(dataDir, 0o755); err != nil {
		return err
	}
	in, err := s.prepare()
	if err != nil {
		return err
	}
	r := &results{settings: s, began: time.Now(), inputs: in}
	if s.profiles {
		return r.profile()
	}
	plain := map[string]alertList{}
	for _, d := range in.Data {
		list := scansOf(d, in.Rulesets)
		for i := range list {
			if err := list[i].compare(plain); err != nil {
				return err
			}
		}
		r.data = append(r.data, &measured{data: d, contenders: append(list, peersOf(d)...)})
	}
	for _, m := range r.data {
		if err := m.measure(s.runs); err != nil {
			return err
		}
	}
	if err := r.startUp(); err != nil {
		return err
	}
	if err := r.profile(); err != nil {
		return err
	}
	text := r.text()
	fmt.Print(text)
	return os.WriteFile(s.out, []byte(text), 0o644)
}

// inputs is what contenders read.
type inputs struct {
	Rulesets []ruleset
	Data     []dataset
}

// prepareRole is what this program is called with to write the inputs.
const prepareRole = "prepare"

func (s settings) prepare() (in inputs, err error) {
	text, err := ownRole(prepareRole, s.shared, strconv.Itoa(s.events), s.only)
	if err == nil {
		err = json.Unmarshal(text, &in)
	}
	return in, err
}

// printInputs writes the inputs and prints where they are.
func printInputs(args []string) (err error) {
	s := settings{shared: args[0], only: args[2]}
	var in inputs
	if s.events, err = strconv.Atoi(args[1]); err != nil {
		return err
	}
	if in.Rulesets, err = writeRules(s.shared); err != nil {
		return err
	}
	if in.Data, err = writeData(s); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(in)
}

// ownRole runs this program in another role, and gives what it prints.
func ownRole(args ...string) ([]byte, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, args...)
	cmd.Stderr = os.Stderr
	return cmd.Output()
}

// progress tells somebody who waits.
func progress(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }

func inData(name string) string { return filepath.Join(dataDir, name) }
