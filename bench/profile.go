package main

// Where the time of a scan goes, from a profile of the processor time.

import (
	"bufio"
	"bytes"
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const profileDir = "bench/profiles"

// A stage is a part of an event's way.
type stage string

const (
	reading    stage = "read, and find lines"
	prefilter  stage = "prefilter"
	mapping    stage = "Windows events to ECS"
	decode     stage = "decode"
	index      stage = "index: values to classes"
	narrowing  stage = "index: classes to what holds"
	candidates stage = "dear tests"
	sequences  stage = "sequences"
	signals    stage = "hits to signals"
	output     stage = "alerts built and written"
	starting   stage = "starting: rules read and compiled"
	runtimes   stage = "runtime: collection of garbage, scheduling"
)

// stages tell the stage of a function by the beginning of its name within the module;
// the first that fits counts.
var stages = []struct {
	begins string
	stage  stage
}{
	{"predicate.(*Prefilter)", prefilter}, {"predicate.teddy", prefilter},
	{"predicate.(*index).finish", starting},
	{"predicate.(*Matcher).clas", index}, {"predicate.(*classifier)", index}, {"predicate.(*index)", index}, {"predicate.(*memory)", index},
	{"predicate.(*automaton)", index}, {"predicate.(*alternative)", index}, {"predicate.(*cells)", index}, {"predicate.wholeNumber", index},
	{"predicate.(*Matcher).eval", candidates}, {"predicate.(*Matcher).dear", candidates}, {"predicate.(*Matcher).leaf", candidates},
	{"predicate.(*Matcher)", narrowing}, {"predicate.(*diagram)", narrowing}, {"predicate.(*ways)", narrowing}, {"predicate.(*nodes)", narrowing},
	{"predicate.(*builder)", starting}, {"predicate.(*Network)", starting}, {"predicate.Compile", starting}, {"rule.", starting}, {"detect.New", starting}, {"sequence.Compile", starting},
	{"event.", decode}, {"windows.", mapping}, {"source/evtx.", mapping},
	{"detect.(*Matcher).record", sequences}, {"detect.(*Arrival)", sequences},
	{"sequence.", sequences}, {"detect.(*Stream)", sequences}, {"detect.(*sieve)", sequences}, {"detect.(*sighter)", sequences}, {"detect.(*eventKeys)", sequences}, {"detect.(*joined)", sequences},
	{"detect.(*Matcher).Sight", sequences}, {"detect.(*Matcher).Arrivals", sequences}, {"detect.(*slab)", sequences}, {"detect.(*block", sequences},
	{"detect.(*order)", sequences}, {"detect.(*queue)", sequences}, {"detect.(*twins)", sequences}, {"detect.(*begun)", sequences},
	{"detect.", signals},
	{"alert.", output}, {"cmd/shrike.", output}, {"main.", output},
	{"source/", reading}, {"pipeline.", reading},
}

const modulePath = "github.com/shrike-project/shrike/"

// stageOf gives the stage of a stack, the innermost function first: that of the first
// function that has one. Those of the language are part of whoever asks.
func stageOf(stack []string) stage {
	for _, name := range stack {
		name, own := strings.CutPrefix(name, modulePath)
		if !own && !strings.HasPrefix(name, "main.") || strings.HasPrefix(name, "eql.") {
			continue
		}
		for _, s := range stages {
			if strings.HasPrefix(name, s.begins) {
				return s.stage
			}
		}
	}
	return runtimes
}

// profile is the time of a scan by stage and by function.
type profile struct {
	name    string
	total   time.Duration
	byStage map[stage]time.Duration
	byFunc  map[stage]map[string]time.Duration
}

// profile makes profiles of the scans with the most rules, on one core.
func (r *results) profile() error {
	if err := os.MkdirAll(profileDir, 0o755); err != nil {
		return err
	}
	for _, d := range r.inputs.Data {
		list := scansOf(d, r.inputs.Rulesets)
		if len(list) < 2 {
			continue
		}
		c := list[len(list)-2]
		progress("%s, %s: profile", d.Name, c.name)
		path := filepath.Join(profileDir, d.Name+"-"+c.name+".pprof")
		if _, err := timed(onCores(1, binary, append(c.scan, "--cpuprofile", path, d.Large)...)); err != nil {
			return err
		}
		p, err := readProfile(path)
		if err != nil {
			return err
		}
		p.name = d.Name + ", " + c.name
		r.profiles = append(r.profiles, p)
	}
	return r.writeWorst()
}

// readProfile sums up a profile.
func readProfile(path string) (*profile, error) {
	out, err := exec.Command("go", "tool", "pprof", "-traces", "-unit=ms", path).Output()
	if err != nil {
		return nil, fmt.Errorf("go tool pprof -traces %s: %w", path, err)
	}
	p := &profile{byStage: map[stage]time.Duration{}, byFunc: map[stage]map[string]time.Duration{}}
	var stack []string
	var took time.Duration
	flush := func() {
		if len(stack) > 0 {
			p.add(stack, took)
		}
		stack = stack[:0]
	}
	sc := bufio.NewScanner(bytes.NewReader(out))
	for sc.Scan() {
		line := sc.Text()
		words := strings.Fields(strings.TrimSuffix(line, " (inline)"))
		switch {
		case strings.HasPrefix(line, "-----"):
			flush()
			took = 0
		case took == 0 && len(words) == 2:
			if took, err = time.ParseDuration(words[0]); err == nil {
				stack = append(stack, words[1])
			}
		case took > 0 && len(words) == 1:
			stack = append(stack, words[0])
		}
	}
	flush()
	if p.total == 0 {
		return nil, fmt.Errorf("%s: no samples", path)
	}
	return p, sc.Err()
}

func (p *profile) add(stack []string, took time.Duration) {
	s := stageOf(stack)
	p.total += took
	p.byStage[s] += took
	if p.byFunc[s] == nil {
		p.byFunc[s] = map[string]time.Duration{}
	}
	p.byFunc[s][stack[0]] += took
}

// dearest gives the stages, the dear ones first.
func (p *profile) dearest() []stage {
	var list []stage
	for s := range p.byStage {
		list = append(list, s)
	}
	slices.SortFunc(list, func(a, b stage) int { return cmp.Or(cmp.Compare(p.byStage[b], p.byStage[a]), cmp.Compare(a, b)) })
	return list
}

// functions gives the functions of a stage in which most time was spent.
func (p *profile) functions(s stage, most int) []string {
	var list []string
	for name := range p.byFunc[s] {
		list = append(list, name)
	}
	slices.SortFunc(list, func(a, b string) int { return cmp.Or(cmp.Compare(p.byFunc[s][b], p.byFunc[s][a]), cmp.Compare(a, b)) })
	return list[:min(most, len(list))]
}

// writeWorst writes what the three dearest stages of each profile do.
func (r *results) writeWorst() error {
	for _, p := range r.profiles {
		var b strings.Builder
		fmt.Fprintf(&b, "%s: the three dearest stages of %d ms, by the function the processor was in\n", p.name, p.total.Milliseconds())
		for _, s := range p.dearest()[:min(3, len(p.byStage))] {
			fmt.Fprintf(&b, "\n%s: %.1f %%\n", s, p.share(s))
			for _, name := range p.functions(s, 15) {
				fmt.Fprintf(&b, "%8d ms  %s\n", p.byFunc[s][name].Milliseconds(), name)
			}
		}
		name := strings.ReplaceAll(p.name, ", ", "-") + ".txt"
		if err := os.WriteFile(filepath.Join(profileDir, name), []byte(b.String()), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (p *profile) share(s stage) float64 { return 100 * p.byStage[s].Seconds() / p.total.Seconds() }
