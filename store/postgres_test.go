package store_test

import (
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// cluster is a PostgreSQL server for the tests of this package: that of
// SHRIKE_POSTGRES, or one that is started from the system's programs.
var cluster struct {
	once    sync.Once
	address string // "" if there is none
	why     string
	stop    func()
	n       int
}

func TestMain(m *testing.M) {
	code := m.Run()
	if cluster.stop != nil {
		cluster.stop()
	}
	os.Exit(code)
}

// freshDatabase gives the address of an empty database, or skips the test.
func freshDatabase(t *testing.T) string {
	t.Helper()
	cluster.once.Do(startCluster)
	if cluster.address == "" {
		t.Skip("no PostgreSQL: " + cluster.why)
	}
	db, err := sql.Open("pgx", cluster.address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	cluster.n++
	name := fmt.Sprintf("shrike_test_%d_%d", os.Getpid(), cluster.n)
	if _, err := db.Exec("CREATE DATABASE " + name); err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(cluster.address)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

func startCluster() {
	if cluster.address = os.Getenv("SHRIKE_POSTGRES"); cluster.address != "" {
		return
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) == 0 {
		cluster.why = "SHRIKE_POSTGRES is not set, and the server is not installed"
		return
	}
	if err := startFrom(filepath.Dir(found[len(found)-1])); err != nil {
		cluster.why = err.Error()
	}
}

// startFrom starts a server from a folder of programs. It does not run as root, so
// that root needs a user for it.
func startFrom(bin string) error {
	dir, err := os.MkdirTemp("", "shrike-postgres-")
	if err != nil {
		return err
	}
	attr := &syscall.SysProcAttr{}
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			return err
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		if err := os.Chown(dir, uid, gid); err != nil {
			return err
		}
	}
	run := func(name string, args ...string) *exec.Cmd {
		c := exec.Command(filepath.Join(bin, name), args...)
		c.SysProcAttr, c.Dir = attr, dir
		return c
	}
	data := filepath.Join(dir, "data")
	if out, err := run("initdb", "-D", data, "-U", "shrike", "-A", "trust", "-E", "UTF8", "--no-sync").CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	port := l.Addr().(*net.TCPAddr).Port
	_ = l.Close()
	server := run("postgres", "-D", data, "-h", "127.0.0.1", "-p", strconv.Itoa(port), "-k", dir)
	if err := server.Start(); err != nil {
		return err
	}
	cluster.stop = func() {
		_ = server.Process.Signal(syscall.SIGQUIT)
		_ = server.Wait()
		_ = os.RemoveAll(dir)
	}
	address := fmt.Sprintf("postgres://shrike@127.0.0.1:%d/postgres", port)
	db, err := sql.Open("pgx", address)
	if err != nil {
		return err
	}
	defer db.Close()
	for deadline := time.Now().Add(30 * time.Second); ; {
		if err = db.Ping(); err == nil {
			cluster.address = address
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the server does not answer: %w", err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
