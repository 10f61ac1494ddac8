// Command load measures what shrike serve bears: how many events a second, how long
// from an event's arrival until its alerts are stored, and what it does with more than
// it can bear.
//
//	go run ./bench/load -events FILE [-rules PATH] [-seconds N] [-flood N]
//
// It sends bodies of events over _bulk. First as many as are taken, which gives the
// capacity; then at a quarter, a half and four fifths of it, each body at its time
// whether or not those before it were answered (an open loop: a slow server does not
// slow down what is asked of it); then at one and a half. The sender runs on the same
// processors. It writes bench/LOAD.md.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"strings"
	"time"
)

type settings struct {
	bin, events, rules, out string
	seconds, flood          int
}

func main() {
	log.SetFlags(log.Ltime)
	var s settings
	flag.StringVar(&s.bin, "bin", "bin/shrike", "the program")
	flag.StringVar(&s.events, "events", "", "`FILE` of events, one a line")
	flag.StringVar(&s.rules, "rules", "", "`PATH` of rules; none: those that ship with it")
	flag.StringVar(&s.out, "out", "bench/LOAD.md", "`FILE` to write")
	flag.IntVar(&s.seconds, "seconds", 30, "how long each rate is held")
	flag.IntVar(&s.flood, "flood", 600, "how many seconds more is sent than can be borne")
	flag.Parse()
	if err := run(s); err != nil {
		log.Fatal("load: ", err)
	}
}

func run(s settings) error {
	bodies, size, err := readBodies(s.events)
	if err != nil {
		return err
	}
	p, err := start(s)
	if err != nil {
		return err
	}
	defer p.stop()
	var rows []string
	note := func(name string, r *result) {
		row := r.row(name)
		log.Print(row)
		rows = append(rows, row)
	}
	g := &generator{p: p, bodies: bodies}
	if _, err := g.flat(10 * time.Second); err != nil { // warms up
		return err
	}
	full, err := g.flat(time.Duration(s.seconds) * time.Second)
	if err != nil {
		return err
	}
	capacity := full.judged
	note("all that is taken", full)
	for _, share := range []int{25, 50, 80} {
		r, err := g.paced(capacity*float64(share)/100, time.Duration(s.seconds)*time.Second)
		if err != nil {
			return err
		}
		note(fmt.Sprintf("%d %%", share), r)
	}
	flood, err := g.paced(capacity*1.5, time.Duration(s.flood)*time.Second)
	if err != nil {
		return err
	}
	note(fmt.Sprintf("150 %% for %d s", s.flood), flood)
	after, err := g.paced(capacity*0.25, 10*time.Second)
	if err != nil {
		return err
	}
	note("25 % after that", after)
	return report(s, size, rows)
}

func report(s settings, size int, rows []string) error {
	machine, _ := os.ReadFile("/proc/cpuinfo")
	model := "unknown processor"
	for _, line := range strings.Split(string(machine), "\n") {
		if strings.HasPrefix(line, "model name") {
			_, model, _ = strings.Cut(line, ": ")
			break
		}
	}
	text := fmt.Sprintf(`# What shrike serve bears

%s, %s; events of %d bytes on average in bodies of %d, sent by a process on the same processors.

    go run ./bench/load -seconds %d -flood %d

*Answered*: from the time a body was due until its answer, that is, until its events are durable. *Judged*: from then until all of its
alerts are stored. *Refused*: bodies that were answered with 429 or came to no answer; the sender gives them up.

| offered | events/s offered | events/s judged | answered p50 | p99 | max | judged p50 | p99 | max at most | refused | accepted and not judged | memory MB |
|---|---|---|---|---|---|---|---|---|---|---|---|
%s
`, time.Now().UTC().Format("2006-01-02"), model, size, bodyEvents, s.seconds, s.flood, strings.Join(rows, "\n"))
	return os.WriteFile(s.out, []byte(text), 0o644)
}
