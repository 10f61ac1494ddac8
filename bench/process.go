package main

// Running a process and measuring it.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// cost is what a process took.
type cost struct {
	wall, cpu time.Duration // cpu: user and system time
	peak      int64         // bytes of memory
}

// onCores gives a command that has so many cores.
func onCores(cores int, name string, args ...string) *exec.Cmd {
	list := []string{"0", "0,1"}[cores-1]
	if _, err := exec.LookPath("taskset"); err == nil {
		name, args = "taskset", append([]string{"-c", list, name}, args...)
	}
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS="+strconv.Itoa(cores))
	return cmd
}

// timed runs a command and measures it. Its output goes to a file, as it would.
func timed(cmd *exec.Cmd) (cost, error) {
	out, err := os.Create(inData("out.ndjson"))
	if err != nil {
		return cost{}, err
	}
	defer func() { _ = out.Close() }()
	var errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = out, &errs
	begin := time.Now()
	err = cmd.Run()
	wall := time.Since(begin)
	if err = incomplete(err); err != nil {
		return cost{}, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, errs.Bytes())
	}
	u := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return cost{wall, time.Duration(u.Utime.Nano() + u.Stime.Nano()), u.Maxrss * 1024}, nil
}

// incomplete forgives the status of a scan that skipped documents, as there are among
// recorded events, or knows problems of some rule.
func incomplete(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		return nil
	}
	return err
}

// allocated runs a scan and gives how many allocations it made.
func allocated(args []string) (float64, error) {
	name := inData("memory.json")
	cmd := onCores(1, binary, append(args, "--memstats", name)...)
	if _, err := timed(cmd); err != nil {
		return 0, err
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return 0, err
	}
	var m struct{ Mallocs float64 }
	err = json.Unmarshal(text, &m)
	return m.Mallocs, err
}
