package main

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is the server that bears the load.
type process struct {
	cmd          *exec.Cmd
	dir          string
	address, key string
}

// start starts a server in a folder of its own.
func start(s settings) (*process, error) {
	dir, err := os.MkdirTemp("", "shrike-load-")
	if err != nil {
		return nil, err
	}
	// A small bound on what waits, so that a flood comes to it soon.
	file := filepath.Join(dir, "load.toml")
	if err := os.WriteFile(file, []byte("[journal]\nbacklog = \"64MiB\"\nkeep = \"256MiB\"\n"), 0o600); err != nil {
		return nil, err
	}
	args := []string{"serve", "--config", file, "--data", dir, "--listen", "127.0.0.1:0"}
	if s.rules != "" {
		args = append(args, "--rules", s.rules)
	}
	p := &process{cmd: exec.Command(s.bin, args...), dir: dir}
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for lines := bufio.NewScanner(out); p.key == "" && lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			p.address, _, _ = strings.Cut(rest, " ")
		}
		_, p.key, _ = strings.Cut(lines.Text(), "only now: ")
	}
	if p.key == "" {
		return nil, fmt.Errorf("the server does not start: %w", p.cmd.Wait())
	}
	return p, nil
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	_ = p.cmd.Wait()
	_ = os.RemoveAll(p.dir)
}

// numbers are some metrics of the server.
type numbers struct {
	events, lag, memory float64
	waits               *histogram
}

func (p *process) numbers() (*numbers, error) {
	r, err := http.NewRequest(http.MethodGet, p.address+"/metrics", nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "ApiKey "+p.key)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("metrics: %s %w", answer.Status, err)
	}
	n := &numbers{waits: &histogram{}}
	for _, line := range strings.Split(string(text), "\n") {
		name, value, _ := strings.Cut(line, " ")
		v, _ := strconv.ParseFloat(value, 64)
		switch {
		case name == "shrike_events_total":
			n.events = v
		case name == "shrike_journal_lag_blocks":
			n.lag = v
		case name == "process_resident_memory_bytes":
			n.memory = v
		case strings.HasPrefix(name, "shrike_judged_seconds_bucket"):
			_, le, _ := strings.Cut(name, `le="`)
			bound, err := strconv.ParseFloat(strings.TrimSuffix(le, `"}`), 64)
			if err != nil {
				bound = math.Inf(1)
			}
			n.waits.bounds, n.waits.counts = append(n.waits.bounds, bound), append(n.waits.counts, v)
		}
	}
	return n, nil
}

// settle waits until all that was accepted is judged.
func (p *process) settle() (*numbers, error) {
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		n, err := p.numbers()
		if err != nil {
			return nil, err
		}
		if n.lag == 0 {
			return p.numbers() // what the last commit counted is in these
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("%.0f blocks are not judged after five minutes", n.lag)
		}
	}
}

// histogram is one of Prometheus'.
type histogram struct{ bounds, counts []float64 }

func (h *histogram) minus(o *histogram) *histogram {
	out := &histogram{bounds: h.bounds}
	for i := range h.counts {
		out.counts = append(out.counts, h.counts[i]-o.counts[i])
	}
	return out
}

// quantile gives the bound of the bucket in which a quantile lies, in part.
func (h *histogram) quantile(q float64) time.Duration {
	if len(h.counts) == 0 || h.counts[len(h.counts)-1] == 0 {
		return 0
	}
	rank := q * h.counts[len(h.counts)-1]
	low, below := 0.0, 0.0
	for i, bound := range h.bounds {
		if h.counts[i] >= rank {
			if math.IsInf(bound, 1) {
				return time.Duration(low * 1e9)
			}
			part := 1.0
			if h.counts[i] > below {
				part = (rank - below) / (h.counts[i] - below)
			}
			return time.Duration((low + (bound-low)*part) * 1e9)
		}
		low, below = bound, h.counts[i]
	}
	return time.Duration(low * 1e9)
}
