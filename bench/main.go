// Command bench measures Shrike against yardsticks and writes bench/RESULTS.md.
//
//	go run ./bench [-events N] [-rounds N]
//
// It scans generated endpoint events with the shrike binary in bin/ (built by
// "make bench"), and, in the same rounds, searches the same bytes for line ends
// and decodes them with encoding/json. Rounds interleave what is compared, so
// that a busy minute hits all alike. Before any time is printed, the number of
// alerts is compared with the number of true positives that were generated.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	events := flag.Int("events", 100_000, "events to generate")
	rounds := flag.Int("rounds", 7, "rounds; the median is shown")
	flag.Parse()
	log.SetFlags(0)
	if err := run(*events, *rounds); err != nil {
		log.Fatal("bench: ", err)
	}
}

// contender is something that reads the data once.
type contender struct {
	name string
	run  func(path string) (time.Duration, error) // processor time
}

func run(events, rounds int) error {
	data, truth, err := generate(events)
	if err != nil {
		return err
	}
	if err := checkAlerts(data, truth); err != nil {
		return err
	}
	info, err := os.Stat(data)
	if err != nil {
		return err
	}
	list := []contender{
		{"newline search", newlines},
		{"encoding/json into a map", decodeMaps},
		{"shrike scan, shipped rules, 1 job", scan("1")},
		{"shrike scan, shipped rules, 2 jobs", scan("2")},
	}
	times := make([][]time.Duration, len(list))
	for range rounds {
		for i, c := range list {
			d, err := c.run(data)
			if err != nil {
				return fmt.Errorf("%s: %w", c.name, err)
			}
			times[i] = append(times[i], d)
		}
	}
	report := results(list, times, events, info.Size(), truth)
	fmt.Print(report)
	return os.WriteFile("bench/RESULTS.md", []byte(report), 0o644)
}

func checkAlerts(data string, truth int) error {
	out, err := exec.Command("bin/shrike", "scan", "-o", "jsonl", data).Output()
	if err != nil {
		return fmt.Errorf("run bin/shrike: %w", err)
	}
	if got := bytes.Count(out, []byte("\n")); got != truth {
		return fmt.Errorf("%d alerts, expected %d", got, truth)
	}
	return nil
}

// processTime measures the processor time this process spends in f.
func processTime(f func() error) (time.Duration, error) {
	before := usage(syscall.RUSAGE_SELF)
	err := f()
	return usage(syscall.RUSAGE_SELF) - before, err
}

func usage(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		log.Fatal("bench: read the processor time: ", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func newlines(path string) (time.Duration, error) {
	return processTime(func() error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		buf := make([]byte, 1<<20)
		n := 0
		for {
			k, err := f.Read(buf)
			n += bytes.Count(buf[:k], []byte("\n"))
			if err != nil {
				return nil
			}
		}
	})
}

func decodeMaps(path string) (time.Duration, error) {
	return processTime(func() error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		sc := bufio.NewScanner(f)
		sc.Buffer(nil, 1<<20)
		for sc.Scan() {
			var doc map[string]any
			if err := json.Unmarshal(sc.Bytes(), &doc); err != nil {
				return err
			}
		}
		return sc.Err()
	})
}

func scan(jobs string) func(string) (time.Duration, error) {
	return func(path string) (time.Duration, error) {
		before := usage(syscall.RUSAGE_CHILDREN)
		err := exec.Command("bin/shrike", "scan", "-o", "jsonl", "--jobs", jobs, path).Run()
		return usage(syscall.RUSAGE_CHILDREN) - before, err
	}
}

func results(list []contender, times [][]time.Duration, events int, size int64, truth int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Benchmark results\n\nWritten by `make bench` on %s, %s, %d processors, %s.\n\n", time.Now().UTC().Format("2006-01-02"), cpu(), runtime.NumCPU(), runtime.Version())
	fmt.Fprintf(&b, "%d generated endpoint events, %.1f MB, %d of them true positives of the shipped rule, all found. Processor time of the whole\n"+
		"process, start-up included; median of %d interleaved rounds.\n\n", events, float64(size)/1e6, truth, len(times[0]))
	b.WriteString("| | median | min | max | MB/s | events/s | share of newline search |\n|---|---|---|---|---|---|---|\n")
	yardstick := median(times[0])
	for i, c := range list {
		m := median(times[i])
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %.0f | %.0f | %.1f %% |\n", c.name, ms(m), ms(slices.Min(times[i])), ms(slices.Max(times[i])),
			float64(size)/1e6/m.Seconds(), float64(events)/m.Seconds(), 100*yardstick.Seconds()/m.Seconds())
	}
	return b.String()
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }

func median(list []time.Duration) time.Duration {
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
