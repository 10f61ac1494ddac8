package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// servers are what a server of ours may depend on, which die as well: PostgreSQL, and the
// nodes of a NATS cluster.
type servers struct{ list []*dependency }

// journal gives the addresses of the cluster.
func (s *servers) journal() string {
	var urls []string
	for _, d := range s.list[1:] {
		urls = append(urls, d.url)
	}
	return strings.Join(urls, ",")
}

// dependency is a server that is killed and started again.
type dependency struct {
	name    string
	url     string
	command func() *exec.Cmd
	ready   func(context.Context) error
	cmd     *exec.Cmd
	log     *os.File
}

// nodes is how many servers the NATS cluster has.
const nodes = 3

// newServers starts PostgreSQL from the system's programs, and a cluster of the NATS server
// that nats names.
func newServers(dir, nats string) (*servers, error) {
	s := &servers{}
	db, err := newPostgres(filepath.Join(dir, "postgres"))
	if err != nil {
		return nil, err
	}
	cluster, err := newNATS(dir, nats)
	if err != nil {
		return nil, err
	}
	s.list = append([]*dependency{db}, cluster...)
	for _, d := range s.list {
		if d.log, err = os.Create(filepath.Join(dir, d.name+".log")); err != nil {
			return nil, err
		}
		if err := d.start(); err != nil {
			s.stop()
			return nil, err
		}
	}
	return s, nil
}

func (s *servers) stop() {
	for _, d := range s.list {
		d.kill(syscall.SIGKILL)
	}
}

// start starts a server and waits until it answers.
func (d *dependency) start() error {
	d.cmd = d.command()
	d.cmd.Stdout, d.cmd.Stderr = d.log, d.log
	if d.cmd.SysProcAttr == nil {
		d.cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	d.cmd.SysProcAttr.Setpgid = true
	if err := d.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", d.name, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for {
		err := d.ready(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			text, _ := os.ReadFile(d.log.Name())
			return fmt.Errorf("%s does not answer: %w; its log ends with\n%s", d.name, err, text[max(0, len(text)-2000):])
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// kill ends a server and all its processes.
func (d *dependency) kill(how syscall.Signal) {
	if d.cmd == nil || d.cmd.Process == nil {
		return
	}
	_ = syscall.Kill(-d.cmd.Process.Pid, how)
	_ = d.cmd.Wait()
	d.cmd = nil
}

// port gives one that is free.
func port() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}

// newPostgres makes a cluster. PostgreSQL does not run as root, so that root needs its
// user.
func newPostgres(dir string) (*dependency, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		return nil, fmt.Errorf("PostgreSQL is not installed")
	}
	bin := filepath.Dir(found[len(found)-1])
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	var as *syscall.Credential
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			return nil, err
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			return nil, err
		}
		if err := os.Chmod(filepath.Dir(dir), 0o711); err != nil {
			return nil, err
		}
	}
	run := func(name string, args ...string) *exec.Cmd {
		c := exec.Command(filepath.Join(bin, name), args...)
		c.SysProcAttr, c.Dir = &syscall.SysProcAttr{Credential: as}, dir
		return c
	}
	data := filepath.Join(dir, "data")
	if out, err := run("initdb", "-D", data, "-U", "shrike", "-A", "trust", "-E", "UTF8").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w: %s", err, out)
	}
	at, err := port()
	if err != nil {
		return nil, err
	}
	d := &dependency{name: "postgres", url: "postgres://shrike@127.0.0.1:" + at + "/postgres"}
	d.command = func() *exec.Cmd { return run("postgres", "-D", data, "-h", "127.0.0.1", "-p", at, "-k", dir) }
	d.ready = func(ctx context.Context) error {
		c, err := pgx.Connect(ctx, d.url)
		if err == nil {
			err = c.Close(ctx)
		}
		return err
	}
	return d, nil
}

// newNATS makes a cluster of NATS servers with JetStream.
func newNATS(dir, program string) ([]*dependency, error) {
	var at, routes [nodes]string
	for i := range nodes {
		var err error
		if at[i], err = port(); err == nil {
			routes[i], err = port()
		}
		if err != nil {
			return nil, err
		}
	}
	var list []*dependency
	for i := range nodes {
		name := fmt.Sprintf("nats-%d", i+1)
		d := &dependency{name: name, url: "nats://127.0.0.1:" + at[i]}
		d.command = func() *exec.Cmd {
			return exec.Command(program, "-n", name, "-a", "127.0.0.1", "-p", at[i], "-js", "-sd", filepath.Join(dir, name), "--cluster_name", "chaos",
				"--cluster", "nats://127.0.0.1:"+routes[i], "--routes", "nats://127.0.0.1:"+strings.Join(routes[:], ",nats://127.0.0.1:"))
		}
		d.ready = func(ctx context.Context) error {
			var dial net.Dialer
			c, err := dial.DialContext(ctx, "tcp", "127.0.0.1:"+at[i])
			if err == nil {
				_ = c.Close()
			}
			return err
		}
		list = append(list, d)
	}
	return list, nil
}
