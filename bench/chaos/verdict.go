package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/shrike-project/shrike/store"
)

// verdict compares the alerts in the store with those of a scan.
func verdict(s settings, all peers, client *sender, c *counts) error {
	if err := settle(all[0]); err != nil {
		return err
	}
	all.kill()
	address := s.store
	if address == "" {
		address = filepath.Join(all[0].data, "shrike.db")
	}
	live, leaders, err := stored(address)
	if err != nil {
		return err
	}
	scanned, err := scan(s, all[0].dir, client.out.Name())
	if err != nil {
		return err
	}
	missing, extra := 0, 0
	for id := range scanned {
		if !live[id] {
			missing++
		}
	}
	for id, name := range live {
		if _, ok := scanned[id]; name && !ok {
			extra++
		}
	}
	fmt.Printf("chaos: %d kills, %d of PostgreSQL and NATS, %d torn writes, %d times a full disk, in %s\n", c.kills, c.others, c.torn, c.filled, c.took.Round(time.Second))
	if s.store != "" {
		fmt.Printf("chaos: %d servers shared journal and store, and took over from each other %s times\n", len(all), leaders)
	}
	fmt.Printf("chaos: %d events acknowledged, %d requests sent again, %d alerts stored, %d of a scan\n", client.acknowledged(), client.retries, len(live), len(scanned))
	fmt.Printf("chaos: %d missing, %d that a scan has not, 0 twice (ids are unique in the store)\n", missing, extra)
	if missing > 0 || extra > 0 || len(scanned) == 0 {
		return fmt.Errorf("the alerts are not those of a scan")
	}
	return nil
}

// settle waits until everything is judged.
func settle(p *process) error {
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		var st struct {
			Lag      *uint64
			Position uint64
			Journal  struct{ Last uint64 }
			Holes    []any
		}
		if err := p.get("/v1/status", &st); err == nil && st.Lag != nil && *st.Lag == 0 && st.Position == st.Journal.Last {
			if len(st.Holes) > 0 {
				log.Printf("the status tells of %d holes", len(st.Holes))
			}
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the server does not get to the end of its journal; its log ends with\n%s", p.tail())
		}
	}
}

// stored gives the ids of the alerts in a store, and how often a server came to lead.
func stored(address string) (ids map[string]bool, leaders string, err error) {
	st, err := store.Open(context.Background(), address)
	if err != nil {
		return nil, "", err
	}
	defer st.Close()
	if err := st.Check(context.Background()); err != nil {
		return nil, "", err
	}
	count, err := st.Leaders(context.Background())
	if err != nil {
		return nil, "", err
	}
	ids = map[string]bool{}
	err = st.IDs(context.Background(), func(id string) { ids[id] = true })
	return ids, count, err
}

// scan gives the ids of the alerts of a scan, with the rule of each.
func scan(s settings, dir, events string) (map[string]string, error) {
	out := filepath.Join(dir, "scan.jsonl")
	args := []string{"scan", "-o", "jsonl=" + out, "--building-blocks", "--coverage", "ignore"}
	if s.rules != "" {
		args = append(args, "--rules", s.rules)
	}
	cmd := exec.Command(s.bin, append(args, events)...)
	if text, err := cmd.CombinedOutput(); err != nil {
		log.Printf("scan: %v: %.2000s", err, text)
	}
	f, err := os.Open(out)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	ids := map[string]string{}
	in := bufio.NewScanner(f)
	in.Buffer(nil, 64<<20)
	for in.Scan() {
		var a struct {
			ID   string `json:"kibana.alert.uuid"`
			Rule string `json:"kibana.alert.rule.name"`
		}
		if err := json.Unmarshal(in.Bytes(), &a); err != nil {
			return nil, err
		}
		ids[a.ID] = a.Rule
	}
	return ids, in.Err()
}
