// Command evidence measures scans of Windows evidence through all rules of the public
// corpus, as the built binary does them, and writes bench/EVIDENCE.md.
//
//	make bench-evidence
//
// The logs are recorded ones, whose chunks are repeated until the file is large.
package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

const (
	headerBytes = 4 << 10
	chunkBytes  = 64 << 10
)

type measurement struct {
	what                     string
	bytes                    int64
	Events                   int64
	Seconds                  float64
	Alerts                   map[string]int64
	Repeated                 int64 `json:"repeated_alerts"`
	maxRSS                   int64 // bytes
	user, recordsPerS, mbPer float64
}

func main() {
	shared := flag.String("shared", "../shared", "folder with data/ and corpus/")
	size := flag.Int64("size", 1<<30, "bytes of the large logs")
	binary := flag.String("shrike", "bin/shrike", "the binary to measure")
	out := flag.String("o", "bench/EVIDENCE.md", "file to write")
	flag.Parse()
	if err := run(*shared, *size, *binary, *out); err != nil {
		fmt.Fprintln(os.Stderr, "evidence:", err)
		os.Exit(1)
	}
}

func run(shared string, size int64, binary, out string) error {
	dir, err := os.MkdirTemp("", "bench-evidence-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	for name, to := range map[string]string{"corpus/rules.tar.gz": "rules", "data/host-logs-dism.tar.gz": "host"} {
		if err := unpack(filepath.Join(shared, name), filepath.Join(dir, to)); err != nil {
			return err
		}
	}
	logs := map[string]string{}
	for short, pattern := range map[string]string{
		"Sysmon": "Microsoft-Windows-Sysmon%4Operational.evtx", "Security": "Security.evtx", "PowerShell": "Microsoft-Windows-PowerShell%4Operational.evtx",
	} {
		found, _ := filepath.Glob(filepath.Join(dir, "host", "*", pattern))
		if len(found) == 0 {
			return fmt.Errorf("no %s among the logs of the host", pattern)
		}
		logs[short] = found[0]
	}
	var list []measurement
	for _, short := range []string{"Sysmon", "Security", "PowerShell"} {
		large := filepath.Join(dir, "large.evtx")
		for _, bytes := range []int64{size / 4, size} {
			if err := repeat(logs[short], large, bytes); err != nil {
				return err
			}
			m, err := scan(binary, dir, large, fmt.Sprintf("EVTX, %s log", short))
			if err != nil {
				return err
			}
			list = append(list, m)
		}
		if err := os.Remove(large); err != nil {
			return err
		}
	}
	for _, folder := range []string{"data/windows-json", "data/eqllib"} {
		plain := filepath.Join(dir, "json")
		if err := gunzip(filepath.Join(shared, folder), plain); err != nil {
			return err
		}
		m, err := scan(binary, dir, plain, "JSON, "+folder+", unpacked")
		if err != nil {
			return err
		}
		list = append(list, m)
		if err := os.RemoveAll(plain); err != nil {
			return err
		}
	}
	return write(out, list)
}

// scan measures one scan.
func scan(binary, dir, path, what string) (measurement, error) {
	m := measurement{what: what}
	summary := filepath.Join(dir, "summary.json")
	cmd := exec.Command(binary, "scan", "--rules", filepath.Join(dir, "rules"), "-o", "jsonl", "--summary", summary, path)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=2")
	if err := cmd.Run(); err != nil && (cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 1) {
		return m, err
	}
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return m, errors.New("this system does not tell what a process used")
	}
	m.maxRSS, m.user = usage.Maxrss<<10, cmd.ProcessState.UserTime().Seconds()+cmd.ProcessState.SystemTime().Seconds()
	text, err := os.ReadFile(summary)
	if err == nil {
		err = json.Unmarshal(text, &m)
	}
	if err != nil {
		return m, err
	}
	err = filepath.WalkDir(path, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err == nil {
			m.bytes += info.Size()
		}
		return err
	})
	m.recordsPerS, m.mbPer = float64(m.Events)/m.Seconds, float64(m.bytes)/1e6/m.Seconds
	fmt.Printf("%-40s %9d events %7.2fs %9.0f/s %6.0f MB/s %4d MB, %.2fs of processors\n", what, m.Events, m.Seconds, m.recordsPerS, m.mbPer, m.maxRSS>>20, m.user)
	return m, err
}

// repeat writes a log whose chunks are those of another that hold records, over and
// over.
func repeat(from, to string, size int64) error {
	log, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	var chunks [][]byte
	for rest := log[headerBytes:]; len(rest) >= chunkBytes; rest = rest[chunkBytes:] {
		if bytes.HasPrefix(rest, []byte("ElfChnk\x00")) {
			chunks = append(chunks, rest[:chunkBytes])
		}
	}
	if len(chunks) == 0 {
		return fmt.Errorf("no chunks in %s", from)
	}
	f, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err = f.Write(log[:headerBytes]); err == nil {
		for i := 0; int64(i)*chunkBytes < size && err == nil; i++ {
			_, err = f.Write(chunks[i%len(chunks)])
		}
	}
	return errors.Join(err, f.Close())
}

// gunzip unpacks the files of a folder.
func gunzip(from, to string) error {
	if err := os.MkdirAll(to, 0o700); err != nil {
		return err
	}
	names, _ := filepath.Glob(filepath.Join(from, "*.gz"))
	if len(names) == 0 {
		return fmt.Errorf("nothing in %s", from)
	}
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		z, err := gzip.NewReader(f)
		if err == nil {
			err = create(filepath.Join(to, strings.TrimSuffix(filepath.Base(name), ".gz")), z)
		}
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

func create(name string, r io.Reader) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, r)
	return errors.Join(err, f.Close())
}

// unpack unpacks an archive.
func unpack(archive, to string) error {
	f, err := os.Open(archive)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case h.Typeflag != tar.TypeReg:
			continue
		}
		if err := create(filepath.Join(to, filepath.Clean("/"+h.Name)), r); err != nil {
			return err
		}
	}
}

func write(out string, list []measurement) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Windows evidence\n\nWritten by `make bench-evidence`: the binary, all rules of the public corpus, two workers, on %s/%s with %d processors. ", runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	b.WriteString("Each EVTX file is a recorded log whose chunks are repeated. Seconds are by the clock and do not hold the loading of rules; ")
	b.WriteString("\"processor\" is all of the process. Where that is much less than twice the seconds, the machine was shared and the rate is too low; ")
	b.WriteString("\"at full use\" is what two processors of one's own would give, the loading of rules counted in. Alerts are those that were built: ")
	b.WriteString("the Security log is of a host whose logs were cleared, one record in ten, and building alerts is most of its time.\n\n")
	b.WriteString("| what | MB | records | seconds | records/s | MB/s | processor s | records/s at full use | alerts | peak memory MB |\n|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n")
	for _, m := range list {
		fmt.Fprintf(&b, "| %s | %d | %d | %.2f | %.0f | %.0f | %.2f | %.0f | %d | %d |\n", m.what, m.bytes/1e6, m.Events, m.Seconds, m.recordsPerS, m.mbPer, m.user, 2*float64(m.Events)/m.user, m.Repeated+sum(m.Alerts), m.maxRSS>>20)
	}
	return os.WriteFile(out, []byte(b.String()), 0o644)
}

func sum(counts map[string]int64) int64 {
	n := int64(0)
	for _, c := range counts {
		n += c
	}
	return n
}
