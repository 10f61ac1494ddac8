// Command clients has real shippers send events to shrike serve while it is killed and
// started again, and counts what arrives.
//
//	go run . [-client go|rsyslog|filebeat] [-events N] [-every DURATION]
//
// A rule that every event hits makes an alert of each, so that the alerts tell which
// events came; their ids tell that none is there twice. The program is a module of its
// own: Shrike does not need these clients.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// settings are the flags.
type settings struct {
	bin    string
	beat   string
	client string
	events int
	every  time.Duration
}

// clients send documents until all are taken.
var clients = map[string]func(ctx context.Context, s *server, docs []string) error{
	"go":       sendWithGo,
	"rsyslog":  sendWithRsyslog,
	"filebeat": sendWithFilebeat,
}

func main() {
	log.SetFlags(log.Ltime)
	var s settings
	flag.StringVar(&s.bin, "bin", "../../bin/shrike", "the program")
	flag.StringVar(&s.client, "client", "go", "go (go-elasticsearch's bulk indexer), rsyslog (omelasticsearch) or filebeat")
	flag.StringVar(&s.beat, "filebeat", "../../bin/filebeat", "Filebeat's program")
	flag.IntVar(&s.events, "events", 100_000, "how many are sent")
	flag.DurationVar(&s.every, "every", 2*time.Second, "time between two restarts: every other one by SIGKILL")
	flag.Parse()
	if err := run(s); err != nil {
		log.Fatal("clients: ", err)
	}
}

func run(s settings) error {
	send := clients[s.client]
	if send == nil {
		return fmt.Errorf("no client is called %s", s.client)
	}
	dir, err := os.MkdirTemp("", "shrike-clients-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	p, err := newServer(s.bin, dir)
	if err != nil {
		return err
	}
	p.filebeat = s.beat
	defer p.stop(syscall.SIGKILL)
	if err := p.start(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	began := time.Now()
	sent := make(chan error, 1)
	go func() { sent <- send(ctx, p, documents(s.events)) }()
	restarts := 0
	for sending := true; sending; {
		select {
		case err := <-sent:
			if err != nil {
				return err
			}
			sending = false
		case <-time.After(s.every):
			p.stop([]syscall.Signal{syscall.SIGTERM, syscall.SIGKILL}[restarts%2])
			restarts++
			if err := p.start(); err != nil {
				return err
			}
		}
	}
	took := time.Since(began)
	arrived, err := p.arrived(s.events)
	fmt.Printf("clients: %s sent %d events through %d restarts in %s: %d arrived, %d missing\n", s.client, s.events, restarts, took.Round(time.Second), arrived, s.events-arrived)
	if err == nil && arrived != s.events {
		err = fmt.Errorf("events are missing")
	}
	return err
}

// documents makes events that differ.
func documents(n int) []string {
	list := make([]string, n)
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for i := range list {
		list[i] = fmt.Sprintf(`{"@timestamp":%q,"event":{"category":"process","type":"start"},"host":{"name":"h%d"},"process":{"name":"a.exe","pid":%d}}`,
			at.Add(time.Duration(i)*time.Millisecond).Format(time.RFC3339Nano), i%10, i)
	}
	return list
}

const rule = `[metadata]
creation_date = "2026/01/01"
[rule]
name = "Everything"
description = "Every event, to count them."
rule_id = "6f1d2c1e-0000-4000-8000-000000000001"
type = "eql"
language = "eql"
severity = "low"
risk_score = 1
query = 'process where process.pid >= 0'
`

// server is shrike serve, which comes and goes.
type server struct {
	bin, dir, address string
	filebeat          string
	key               string

	mu  sync.Mutex
	cmd *exec.Cmd
}

func newServer(bin, dir string) (*server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &server{bin: bin, dir: dir, address: l.Addr().String()}
	_ = l.Close()
	rules := filepath.Join(dir, "rules")
	if err := os.Mkdir(rules, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(rules, "everything.toml"), []byte(rule), 0o600); err != nil {
		return nil, err
	}
	config := fmt.Sprintf("data = %q\nrules = [%q]\n[listen]\naddress = %q\n[log]\nlevel = \"error\"\n", filepath.Join(dir, "data"), rules, s.address)
	return s, os.WriteFile(filepath.Join(dir, "shrike.toml"), []byte(config), 0o600)
}

// start starts the server and waits until it answers.
func (s *server) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	cmd := exec.Command(s.bin, "serve", "--config", filepath.Join(s.dir, "shrike.toml"))
	cmd.Stderr = os.Stderr
	out, err := os.Create(filepath.Join(s.dir, "out"))
	if err != nil {
		return err
	}
	defer out.Close()
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		return err
	}
	s.cmd = cmd
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		answer, err := http.Get("http://" + s.address + "/readyz")
		if err != nil {
			continue
		}
		_ = answer.Body.Close()
		if answer.StatusCode == http.StatusOK && s.findKey(out.Name()) {
			return nil
		}
	}
	return fmt.Errorf("the server does not get ready")
}

// findKey finds the first key in what the first start printed.
func (s *server) findKey(path string) bool {
	if s.key != "" {
		return true
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	for in := bufio.NewScanner(f); in.Scan(); {
		if _, key, ok := strings.Cut(in.Text(), "only now: "); ok {
			s.key = key
		}
	}
	return s.key != ""
}

// stop ends the server and waits for its end.
func (s *server) stop(how syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd != nil {
		_ = s.cmd.Process.Signal(how)
		_ = s.cmd.Wait()
		s.cmd = nil
	}
}

// arrived counts the alerts once all events are judged, or nothing more happens.
func (s *server) arrived(want int) (n int, err error) {
	last := -1
	for same := 0; same < 20; time.Sleep(500 * time.Millisecond) {
		r, err := http.NewRequest(http.MethodGet, "http://"+s.address+"/v1/status", nil)
		if err != nil {
			return 0, err
		}
		r.Header.Set("Authorization", "ApiKey "+s.key)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			return 0, err
		}
		var st struct {
			Alerts []struct{ Alerts int }
		}
		err = json.NewDecoder(answer.Body).Decode(&st)
		_ = answer.Body.Close()
		if err != nil {
			return 0, err
		}
		n = 0
		for _, c := range st.Alerts {
			n += c.Alerts
		}
		if n >= want {
			return n, nil
		}
		if same++; n != last {
			last, same = n, 0
		}
	}
	return n, nil
}
