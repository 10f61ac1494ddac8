package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// process is the server that is killed and started again.
type process struct {
	s       settings
	dir     string
	data    string
	address string
	key     string

	mu  sync.Mutex
	cmd *exec.Cmd
	log *os.File
}

// peers are the servers that share what they keep; one, where that is embedded.
type peers []*process

// startPeers starts them one after another. The first makes the key.
func startPeers(s settings, dir, data string) (all peers, err error) {
	n := 1
	if s.journal != "" {
		n = 3
	}
	for i := range n {
		own, name := data, fmt.Sprint("peer-", i+1)
		if n > 1 {
			own = filepath.Join(data, name)
		}
		p, err := newProcess(s, filepath.Join(dir, name), own)
		if err != nil {
			return all, err
		}
		if all = append(all, p); i > 0 {
			p.key = all[0].key
		}
		if err := p.start(); err != nil {
			return all, err
		}
	}
	return all, nil
}

func (all peers) kill() {
	for _, p := range all {
		p.kill()
	}
}

// newProcess makes the configuration of a server on a free port.
func newProcess(s settings, dir, data string) (*process, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &process{s: s, dir: dir, data: data, address: l.Addr().String()}
	_ = l.Close()
	text := fmt.Sprintf("data = %q\n[listen]\naddress = %q\n[detect]\nstate = \"500ms\"\n[store]\nurl = %q\n[journal]\nurl = %q\nreplicas = %d\nsize = \"1GiB\"\nkeep = \"64MiB\"\n", data, p.address, s.store, s.journal, 1+strings.Count(s.journal, ","))
	if s.rules != "" {
		text = fmt.Sprintf("rules = [%q]\n", s.rules) + text
	}
	if err := os.WriteFile(p.config(), []byte(text), 0o600); err != nil {
		return nil, err
	}
	p.log, err = os.Create(filepath.Join(dir, "log"))
	return p, err
}

func (p *process) config() string { return filepath.Join(p.dir, "shrike.toml") }

// start starts the server and waits until it is ready.
func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	cmd := exec.Command(p.s.bin, "serve", "--config", p.config())
	cmd.Stderr = p.log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	p.cmd = cmd
	lines, sent := bufio.NewScanner(out), false
	for lines.Scan() {
		if _, key, ok := strings.Cut(lines.Text(), "only now: "); ok {
			p.key = key
		}
		if sent = sent || strings.HasPrefix(lines.Text(), "send events"); sent && p.key != "" {
			break // the first key comes last
		}
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		answer, err := http.Get("http://" + p.address + "/healthz")
		if err == nil {
			_ = answer.Body.Close()
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the server does not get ready; its log ends with\n%s", p.tail())
		}
	}
}

// tail gives the end of the server's log.
func (p *process) tail() []byte {
	text, _ := os.ReadFile(p.log.Name())
	return text[max(0, len(text)-3000):]
}

// kill ends the server at once.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
	p.cmd = nil
}

// get asks the server for JSON.
func (p *process) get(path string, into any) error {
	r, err := http.NewRequest(http.MethodGet, "http://"+p.address+path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "ApiKey "+p.key)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return json.NewDecoder(answer.Body).Decode(into)
}

// post sends a body and gives the status of the answer and its text.
func (p *process) post(ctx context.Context, path string, body []byte) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.address+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Authorization", "ApiKey "+p.key)
	r.Header.Set("Content-Type", "application/x-ndjson")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return answer.StatusCode, text, err
}
