package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const resumeRules = `[rule]
rule_id = "one"
name = "One"
description = "d"
type = "eql"
severity = "low"
risk_score = 1
query = "file where true"
`

const resumeSequence = `[rule]
rule_id = "two"
name = "Two"
description = "d"
type = "eql"
severity = "low"
risk_score = 1
query = "sequence by host.id with maxspan=10s [process where true] [network where true]"
`

// evidence makes a folder of events in files, compressed files and an archive.
func evidence(t *testing.T, dir string) {
	t.Helper()
	number := 0
	events := func(n int) []byte {
		var b bytes.Buffer
		for range n {
			number++
			when := time.Date(2026, 1, 1, 0, 0, number/10, 0, time.UTC).Format(time.RFC3339)
			fmt.Fprintf(&b, `{"@timestamp":%q,"event":{"category":%q,"id":"%d"},"host":{"id":"h%d"},"pad":%q}`+"\n",
				when, []string{"process", "network", "file", "x", "x", "x", "x", "x"}[number%8], number, number%50, strings.Repeat("p", 300))
		}
		return b.Bytes()
	}
	var packed, archive bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write(events(20_000))
	_ = z.Close()
	w := tar.NewWriter(&archive)
	for i := range 3 {
		data := events(8_000)
		_ = w.WriteHeader(&tar.Header{Name: fmt.Sprint(i, ".json"), Size: int64(len(data)), Mode: 0o600})
		_, _ = w.Write(data)
	}
	_ = w.Close()
	for name, data := range map[string][]byte{"a.json": events(25_000), "b.json.gz": packed.Bytes(), "c.tar": archive.Bytes(), "d.txt": []byte("text")} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// alertIDs gives the ids of the alerts in a file, one a line; a line that is no
// alert fails the test.
func alertIDs(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		var a struct {
			ID string `json:"kibana.alert.uuid"`
		}
		if err := json.Unmarshal([]byte(line), &a); err != nil || a.ID == "" {
			t.Fatalf("%s:%d: %v: %.200s", path, i+1, err, line)
		}
		ids = append(ids, a.ID)
	}
	slices.Sort(ids)
	return ids
}

// TestResumeAfterKill kills a scan again and again, until one comes to its end: what
// all of them printed is what one prints, nothing twice.
func TestResumeAfterKill(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	logs := filepath.Join(dir, "logs")
	if err := os.Mkdir(logs, 0o700); err != nil {
		t.Fatal(err)
	}
	evidence(t, logs)
	for name, text := range map[string]string{"one.toml": resumeRules, "two.toml": resumeSequence} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// scan runs until it ends, or is killed after a time; it reports which.
	scan := func(out string, kill time.Duration, more ...string) bool {
		f, err := os.OpenFile(out, os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		args := append([]string{"shrike", "scan", "--rules", filepath.Join(dir, "one.toml"), "--rules", filepath.Join(dir, "two.toml"), "-o", "jsonl"}, more...)
		var errs tail
		c := exec.Cmd{Path: self, Args: append(args, logs), Stdout: f, Stderr: &errs}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		timer := time.AfterFunc(kill, func() { _ = c.Process.Kill() })
		defer timer.Stop()
		err = c.Wait()
		if err != nil && c.ProcessState.ExitCode() >= 0 {
			t.Fatalf("%v\n%s", err, errs)
		}
		return err == nil
	}
	whole := filepath.Join(dir, "whole.ndjson")
	start := time.Now()
	if !scan(whole, time.Minute) {
		t.Fatal("killed")
	}
	took := time.Since(start)
	want := alertIDs(t, whole)
	for _, lateness := range []string{"unlimited", "1m"} {
		out, state := filepath.Join(dir, lateness+".ndjson"), filepath.Join(dir, lateness+".state")
		kills, more := 0, []string{"--resume", state, "--resume-every", "5ms", "--lateness", lateness}
		for after := took / 4; !scan(out, after, more...); after += took / 16 {
			kills++
		}
		got := alertIDs(t, out)
		if !slices.Equal(got, want) {
			t.Errorf("lateness %s: %d alerts after %d kills (%d different), expected %d", lateness, len(got), kills, len(slices.Compact(slices.Clone(got))), len(want))
		}
		// And once more: there is nothing left.
		if !scan(out, time.Minute, more...) || len(alertIDs(t, out)) != len(want) {
			t.Errorf("lateness %s: alerts after the end", lateness)
		}
		t.Logf("lateness %s: %d alerts, %d kills", lateness, len(got), kills)
	}
}
