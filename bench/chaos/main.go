// Command chaos holds shrike serve to its promise: that it loses no event it has
// acknowledged, and doubles no alert, whatever happens to the process.
//
//	go run ./bench/chaos -events FILE [-rules PATH] [-kills N] [-nats PROGRAM]
//
// It sends events over _bulk, each batch until it is acknowledged, and meanwhile kills
// the server with SIGKILL at random moments and starts it again; leaves torn writes at
// the end of the files of journal and store; and fills the disk for a while, where it
// may make one of its own. With -nats there are three servers, whose journal is on a
// cluster of three NATS servers and whose store is PostgreSQL, all started here, and each
// of them is killed and started again at other times. In the end the alerts in the store have to be, id by id,
// those of shrike scan over the events that were acknowledged.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// settings are the flags.
type settings struct {
	bin, events, rules string
	kills              int
	seed               uint64
	tmpfs              bool
	nats               string
	journal, store     string // of servers; "": embedded ones
}

func main() {
	log.SetFlags(log.Ltime)
	var s settings
	flag.StringVar(&s.bin, "bin", "bin/shrike", "the program")
	flag.StringVar(&s.events, "events", "", "`FILE` of events, one a line, in the order of their time")
	flag.StringVar(&s.rules, "rules", "", "`PATH` of rules; none: those that ship with it")
	flag.IntVar(&s.kills, "kills", 500, "how often the server is killed")
	flag.Uint64Var(&s.seed, "seed", uint64(time.Now().UnixNano()), "of what is random")
	flag.BoolVar(&s.tmpfs, "tmpfs", true, "fill a disk of its own, which takes root")
	flag.StringVar(&s.nats, "nats", "", "`PROGRAM` of the NATS server; none: journal and store are embedded")
	flag.Parse()
	if err := run(s); err != nil {
		log.Fatal("chaos: ", err)
	}
}

func run(s settings) error {
	r := rand.New(rand.NewPCG(s.seed, 0))
	log.Printf("seed number %d", s.seed)
	dir, err := os.MkdirTemp("", "shrike-chaos-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	disk, err := newDisk(filepath.Join(dir, "data"), s.tmpfs)
	if err != nil {
		return err
	}
	defer disk.close()
	others := &servers{}
	if s.nats != "" {
		if others, err = newServers(dir, s.nats); err != nil {
			return err
		}
		defer others.stop()
		s.store, s.journal = others.list[0].url, others.journal()
	}
	all, err := startPeers(s, dir, disk.path)
	defer all.kill()
	if err != nil {
		return err
	}
	client, err := newSender(s.events, filepath.Join(dir, "acknowledged.ndjson"), all)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	sending := make(chan error, 1)
	go func() { sending <- client.run(ctx) }()
	c := &counts{}
	begin := time.Now()
	for c.kills < s.kills {
		p := all[r.IntN(len(all))]
		select {
		case err := <-sending:
			return fmt.Errorf("the events came to an end after %d kills: give more of them: %w", c.kills, err)
		case <-time.After(time.Duration(r.ExpFloat64() * float64(250*time.Millisecond))):
		}
		if r.IntN(25) == 0 && disk.own {
			c.filled++
			disk.fill()
			time.Sleep(time.Duration(200+r.IntN(800)) * time.Millisecond)
			if r.IntN(2) == 0 {
				p.kill() // on a full disk
				c.kills++
			}
			disk.empty()
		}
		if len(others.list) > 0 && r.IntN(5) == 0 {
			if err := c.without(others.list[r.IntN(len(others.list))], p, r); err != nil {
				return err
			}
		}
		p.kill()
		c.kills++
		if r.IntN(4) == 0 {
			c.torn += tear(disk.path, r)
		}
		if err := p.start(); err != nil {
			return fmt.Errorf("start after %d kills: %w", c.kills, err)
		}
		if c.kills%50 == 0 {
			log.Printf("%d kills, %d events acknowledged", c.kills, client.acknowledged())
		}
	}
	client.stop()
	if err := <-sending; err != nil {
		return err
	}
	c.took = time.Since(begin)
	return verdict(s, all, client, c)
}

// counts are what was done.
type counts struct {
	kills, torn, filled, others int
	took                        time.Duration
}

// without kills what the server depends on, and starts it again after a while. Now and
// then the server dies meanwhile.
func (c *counts) without(d *dependency, p *process, r *rand.Rand) error {
	c.others++
	d.kill([]syscall.Signal{syscall.SIGKILL, syscall.SIGQUIT}[r.IntN(2)])
	time.Sleep(time.Duration(r.IntN(1500)) * time.Millisecond)
	died := r.IntN(3) == 0
	if died {
		p.kill()
		c.kills++
	}
	err := d.start()
	if err == nil && died {
		err = p.start()
	}
	time.Sleep(time.Duration(r.IntN(1500)) * time.Millisecond)
	return err
}
