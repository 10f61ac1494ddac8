package main

// bench/RESULTS.md.

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// results is everything that was measured.
type results struct {
	settings settings
	began    time.Time
	inputs   inputs
	data     []*measured
	starts   []start
	profiles []*profile
	keys     [2]int
}

// start is what starting up takes.
type start struct {
	rules ruleset
	costs []cost
}

// startUp measures a scan of one event.
func (r *results) startUp() error {
	one := inData("one.ndjson")
	if err := os.WriteFile(one, []byte("{}\n"), 0o644); err != nil {
		return err
	}
	for _, rules := range r.inputs.Rulesets {
		s := start{rules: rules}
		for range max(3, r.settings.runs) {
			c, err := timed(onCores(2, binary, append(append([]string{"scan", "-o", "jsonl"}, rules.flags()...), one)...))
			if err != nil {
				return err
			}
			s.costs = append(s.costs, c)
		}
		r.starts = append(r.starts, s)
		for _, m := range r.data {
			if m.data.Live && rules.Name == "LIVE" {
				var err error
				if r.keys, err = liveKeys(rules, m.data); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (r *results) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Benchmark results\n\nWritten on %s by `go run ./bench -events %d -runs %d` (`make bench`) in %s, on %s, %d processors, %s, %s.\n\n",
		time.Now().UTC().Format("2006-01-02"), r.settings.events, r.settings.runs, time.Since(r.began).Round(time.Second), cpu(), runtime.NumCPU(), runtime.Version(), system())
	fmt.Fprintf(&b, "Every figure is the median of %d interleaved runs, with the least and the most in brackets. It is the difference between reading\n"+
		"2N events and N, divided by N, so that starting up does not count. Alerts are written, as JSON, to a file; before anything was measured,\n"+
		"they were compared with those of the plain evaluator over N events and found the same, in the same order. The yardstick is a search for\n"+
		"line ends in the same bytes in memory, on as many cores; the share tells how near a contender comes to its speed.\n\n"+
		"Windows logs, EVTX and JSON, have figures of their own in EVIDENCE.md, keeping sequences in SEQUENCES.md, and serving in LOAD.md.\n\n", r.settings.runs)
	r.figures(&b)
	for _, m := range r.data {
		m.table(&b)
	}
	r.startTable(&b)
	r.profileTable(&b)
	return b.String()
}

// figures writes the short table that the goals are about.
func (r *results) figures(b *strings.Builder) {
	b.WriteString("| in short, two cores | events/s | share of newline search | second core |\n|---|---|---|---|\n")
	for _, m := range r.data {
		if m.data.Name != "full" && !m.data.Live {
			continue
		}
		for i := range m.contenders {
			if c := &m.contenders[i]; c.cores == 2 {
				fmt.Fprintf(b, "| %s, %s events | %s | %s | %.2f |\n", c.name, m.data.Name, rate(median(c.rates())), m.share(c), median(c.rates())/median(m.contenders[i-1].rates()))
			}
		}
	}
	if r.keys[0] > 0 {
		fmt.Fprintf(b, "\nLIVE is RALL and four sequence rules that every start of a process begins (maxspan %s): after N events %d keys are live, after 2N %d.\n", liveSpan, r.keys[0], r.keys[1])
	}
	if one, all, ok := r.full("R100"), r.full("RALL"), r.full("RALL") != nil; ok && one != nil {
		fmt.Fprintf(b, "\nFrom 100 to all rules, an event takes %.2f times the processor time.\n", median(all.cpus())/median(one.cpus()))
	}
	b.WriteString("\n")
}

// full gives the scan of the full events with some rules, on one core.
func (r *results) full(name string) *contender {
	for _, m := range r.data {
		for i := range m.contenders {
			if c := &m.contenders[i]; m.data.Name == "full" && c.name == name && c.cores == 1 {
				return c
			}
		}
	}
	return nil
}

// rates gives the events a second, by run.
func (c *contender) rates() []float64 {
	return c.each(func(small, large cost) float64 { return float64(c.data.N) / (large.wall - small.wall).Seconds() })
}

// cpus gives the nanoseconds of processor time an event, by run.
func (c *contender) cpus() []float64 {
	return c.each(func(small, large cost) float64 {
		return float64((large.cpu - small.cpu).Nanoseconds()) / float64(c.data.N)
	})
}

func (c *contender) peaks() []float64 {
	return c.each(func(small, large cost) float64 { return float64(max(small.peak, large.peak)) / 1e6 })
}

func (c *contender) each(f func(small, large cost) float64) []float64 {
	list := make([]float64, len(c.small))
	for i := range list {
		list[i] = f(c.small[i], c.large[i])
	}
	return list
}

// share tells how near a contender comes to the yardstick on as many cores.
func (m *measured) share(c *contender) string {
	yardstick := float64(m.data.N) / median(m.yardsticks[c.cores-1])
	return fmt.Sprintf("%.1f %%", 100*median(c.rates())/yardstick)
}

func (m *measured) table(b *strings.Builder) {
	d := m.data
	fmt.Fprintf(b, "## %s\n\n%s%s; N = %d, %.0f bytes an event.\n\n", d.Name, strings.ToUpper(d.About[:1]), d.About[1:], d.N, float64(d.Bytes)/float64(d.N))
	b.WriteString("| | cores | events/s | MB/s | share of newline search | user and system ns/event | wall of 2N | peak memory of N → 2N | allocations/event | alerts of N |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for i, seconds := range m.yardsticks {
		rates := make([]float64, len(seconds))
		for k, s := range seconds {
			rates[k] = float64(d.N) / s
		}
		fmt.Fprintf(b, "| newline search | %d | %s | %.0f | 100 %% | | | | | |\n", i+1, spread(rates, rate), float64(d.Bytes)/1e6/median(seconds))
	}
	for i := range m.contenders {
		c := &m.contenders[i]
		alerts, allocs := "", ""
		if c.scan != nil {
			alerts = fmt.Sprint(c.alerts)
			if c.cores == 1 {
				allocs = fmt.Sprintf("%.3f", c.allocs)
			}
		}
		var wall, peakSmall []float64
		for k := range c.large {
			wall, peakSmall = append(wall, c.large[k].wall.Seconds()), append(peakSmall, float64(c.small[k].peak)/1e6)
		}
		fmt.Fprintf(b, "| %s | %d | %s | %.0f | %s | %s | %.3f s | %.0f → %.0f MB | %s | %s |\n", c.name, c.cores, spread(c.rates(), rate),
			median(c.rates())*float64(d.Bytes)/float64(d.N)/1e6, m.share(c), spread(c.cpus(), whole), median(wall), median(peakSmall), median(c.peaks()), allocs, alerts)
	}
	b.WriteString("\n")
}

func (r *results) startTable(b *strings.Builder) {
	b.WriteString("## Starting up\n\nA scan of one event, two cores.\n\n| | rules | of them sequences | wall | user and system | peak memory |\n|---|---|---|---|---|---|\n")
	for _, s := range r.starts {
		var wall, cpu, peak []float64
		for _, c := range s.costs {
			wall, cpu, peak = append(wall, float64(c.wall.Microseconds())/1000), append(cpu, float64(c.cpu.Microseconds())/1000), append(peak, float64(c.peak)/1e6)
		}
		fmt.Fprintf(b, "| %s | %d | %d | %s ms | %.0f ms | %.0f MB |\n", s.rules.Name, s.rules.Rules, s.rules.Sequences, spread(wall, whole), median(cpu), median(peak))
	}
	b.WriteString("\n")
}

// profileTable says where the time goes.
func (r *results) profileTable(b *strings.Builder) {
	if len(r.profiles) == 0 {
		return
	}
	b.WriteString("## Where the time goes\n\nShares of the processor time of a scan of 2N events on one core, starting up included, from the profiles that `make bench-profiles` keeps in\n" +
		"bench/profiles (`go tool pprof -traces`; a sample belongs to the first function of Shrike's own on its stack).\n\n| |")
	all := map[stage]time.Duration{}
	for _, p := range r.profiles {
		fmt.Fprintf(b, " %s |", p.name)
		for s, took := range p.byStage {
			all[s] += took
		}
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", len(r.profiles)) + "\n")
	for _, s := range (&profile{byStage: all}).dearest() {
		fmt.Fprintf(b, "| %s |", s)
		for _, p := range r.profiles {
			fmt.Fprintf(b, " %.1f %% |", p.share(s))
		}
		b.WriteString("\n")
	}
}

func spread(list []float64, format func(float64) string) string {
	return fmt.Sprintf("%s (%s–%s)", format(median(list)), format(slices.Min(list)), format(slices.Max(list)))
}

func rate(n float64) string {
	if n >= 1e6 {
		return fmt.Sprintf("%.2f M", n/1e6)
	}
	return fmt.Sprintf("%.0f k", n/1e3)
}

func whole(n float64) string { return fmt.Sprintf("%.0f", n) }

func median(list []float64) float64 {
	s := slices.Sorted(slices.Values(list))
	return s[len(s)/2]
}

func cpu() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	for _, line := range strings.Split(string(text), "\n") {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			return strings.TrimSpace(strings.TrimLeft(name, " \t:"))
		}
	}
	return runtime.GOARCH
}

func system() string { return runtime.GOOS + "/" + runtime.GOARCH }
