package nats_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/shrike-project/shrike/source/nats"
)

func open(t *testing.T, cfg nats.Config) *nats.Journal {
	t.Helper()
	j, err := nats.Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// docs makes n documents that tell their number.
func docs(from, n, size int) []byte {
	var out []byte
	pad := strings.Repeat("x", size)
	for i := from; i < from+n; i++ {
		out = fmt.Appendf(out, `{"n":%d,"pad":%q}`+"\n", i, pad)
	}
	return out
}

// readAll reads what is in the journal up to its last block, and gives the lines and
// the sequences.
func readAll(t *testing.T, j *nats.Journal, from uint64) (lines []string, sequences []uint64) {
	t.Helper()
	st, err := j.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r := j.Reader(from)
	defer r.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for uint64(len(sequences)) < st.Last+1-max(from, st.First) && uint64(len(sequences)) < st.Blocks {
		b, err := r.Next(ctx)
		if err != nil {
			t.Fatalf("after %d of %d blocks: %v", len(sequences), st.Blocks, err)
		}
		if b.Received.IsZero() {
			t.Error("nobody knows when the block came")
		}
		sequences = append(sequences, b.Sequence)
		b.Each(func(_ int, doc []byte) { lines = append(lines, string(doc)) })
		b.Release()
	}
	return lines, sequences
}

func TestWhatIsAcceptedIsReadInOrder(t *testing.T) {
	dir := t.TempDir()
	j := open(t, nats.Config{Dir: dir})
	var want []string
	for i := range 50 {
		d := docs(i*1000, 1+i*7, 2000)
		if err := j.Accept(t.Context(), d, 1+i*7); err != nil {
			t.Fatal(err)
		}
		want = append(want, strings.Split(strings.TrimSuffix(string(d), "\n"), "\n")...)
	}
	if err := j.Accept(t.Context(), docs(7, 1, 2<<20), 1); err != nil { // larger than a block
		t.Fatal(err)
	}
	want = append(want, strings.TrimSuffix(string(docs(7, 1, 2<<20)), "\n"))
	check := func() {
		t.Helper()
		got, sequences := readAll(t, j, 1)
		if len(got) != len(want) {
			t.Fatalf("%d documents, expected %d", len(got), len(want))
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("document %d is %.40s, expected %.40s", i, got[i], want[i])
			}
		}
		for i, s := range sequences {
			if s != uint64(i+1) {
				t.Fatalf("block %d has sequence %d", i, s)
			}
		}
		half := sequences[len(sequences)/2]
		if _, from := readAll(t, j, half); from[0] != half {
			t.Errorf("asked for block %d, got %d", half, from[0])
		}
	}
	check()
	_ = j.Close()
	if err := j.Accept(t.Context(), docs(0, 1, 1), 1); err == nil {
		t.Error("a closed journal took an event")
	}
	j = open(t, nats.Config{Dir: dir})
	defer j.Close()
	check()
}

func TestManyCallers(t *testing.T) {
	j := open(t, nats.Config{Dir: t.TempDir()})
	defer j.Close()
	var wg sync.WaitGroup
	for c := range 32 {
		wg.Go(func() {
			for i := range 20 {
				if err := j.Accept(t.Context(), docs(c*1_000_000+i*100, 100, 300), 100); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	got, _ := readAll(t, j, 1)
	seen := map[string]bool{}
	last := map[int]int{}
	for _, line := range got {
		var n int
		if _, err := fmt.Sscanf(line, `{"n":%d`, &n); err != nil || seen[line] {
			t.Fatalf("%.40s is torn or twice: %v", line, err)
		}
		seen[line] = true
		if c := n / 1_000_000; n%1_000_000 < last[c] {
			t.Errorf("caller %d: %d comes after %d", c, n%1_000_000, last[c])
		} else {
			last[c] = n % 1_000_000
		}
	}
	if len(got) != 32*20*100 {
		t.Errorf("%d documents", len(got))
	}
}

func TestAFullJournalRefuses(t *testing.T) {
	j := open(t, nats.Config{Dir: t.TempDir(), MaxBytes: 4 << 20})
	defer j.Close()
	random := func() []byte { // cannot be compressed
		b := make([]byte, 200_000)
		for i := range b {
			b[i] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"[rand.IntN(64)]
		}
		return append(b, '\n')
	}
	accepted := 0
	var err error
	for ; accepted < 100; accepted++ {
		if err = j.Accept(t.Context(), random(), 1); err != nil {
			break
		}
	}
	var full *nats.FullError
	if !errors.As(err, &full) || full.RetryAfter() <= 0 {
		t.Fatalf("after %d documents: %v", accepted, err)
	}
	if got, _ := readAll(t, j, 1); len(got) != accepted {
		t.Errorf("%d documents, %d were accepted", len(got), accepted)
	}
	// What was judged makes room for what comes.
	if err := j.Judged(t.Context(), 11, time.Now()); err != nil {
		t.Fatal(err)
	}
	for err = io.EOF; err != nil; {
		err = j.Accept(t.Context(), random(), 1)
		if err != nil && !strings.Contains(err.Error(), "there is room now") {
			t.Fatal(err)
		}
	}
	if _, sequences := readAll(t, j, 1); sequences[0] < 2 || sequences[0] > 11 || sequences[len(sequences)-1] != uint64(accepted+1) {
		t.Errorf("left are blocks %d to %d", sequences[0], sequences[len(sequences)-1])
	}
}

func TestWhatWasJudgedIsKeptWithinBounds(t *testing.T) {
	j := open(t, nats.Config{Dir: t.TempDir(), KeepBytes: 3000, KeepAge: time.Hour})
	defer j.Close()
	for i := range 20 {
		if err := j.Accept(t.Context(), docs(i, 1, 500), 1); err != nil {
			t.Fatal(err)
		}
	}
	first := func(before uint64, now time.Time) uint64 {
		t.Helper()
		if err := j.Judged(t.Context(), before, now); err != nil {
			t.Fatal(err)
		}
		st, err := j.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return st.First
	}
	if got := first(1, time.Now().Add(2*time.Hour)); got != 1 {
		t.Errorf("nothing is judged, and the first block is %d", got)
	}
	if got := first(6, time.Now().Add(2*time.Hour)); got != 6 {
		t.Errorf("old ones up to 6 are judged, and the first block is %d", got)
	}
	if got := first(1000, time.Now()); got < 2 || got > 20 {
		t.Errorf("all are judged, and the first block is %d", got)
	}
}

func TestReaderWaits(t *testing.T) {
	j := open(t, nats.Config{Dir: t.TempDir()})
	defer j.Close()
	r := j.Reader(0)
	defer r.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := r.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("an empty journal gave %v", err)
	}
	if err := j.Accept(t.Context(), docs(1, 1, 1), 1); err != nil {
		t.Fatal(err)
	}
	if b, err := r.Next(t.Context()); err != nil || b.Sequence != 1 {
		t.Fatalf("%v %v", b.Sequence, err)
	}
}

// TestServerElsewhere uses a server of its own, which is stopped and started between.
func TestServerElsewhere(t *testing.T) {
	dir, port := t.TempDir(), -1
	start := func() *server.Server {
		s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true, SyncAlways: true, MaxPayload: 8 << 20})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		if !s.ReadyForConnections(20 * time.Second) {
			t.Fatal("the server does not get ready")
		}
		return s
	}
	s := start()
	addr := s.Addr().String()
	_, _ = fmt.Sscanf(addr[strings.LastIndexByte(addr, ':')+1:], "%d", &port)
	j := open(t, nats.Config{URL: "nats://" + addr})
	defer j.Close()
	r := j.Reader(1)
	defer r.Close()
	sequence := uint64(0)
	for round := range 3 {
		for i := range 5 {
			for { // a client tries again
				err := j.Accept(t.Context(), docs(round*10+i, 1, 100), 1)
				if err == nil {
					break
				}
				var full *nats.FullError
				if !errors.As(err, &full) {
					t.Fatal(err)
				}
			}
			b, err := r.Next(t.Context())
			if err != nil || b.Sequence <= sequence {
				t.Fatalf("block %d after %d: %v", b.Sequence, sequence, err)
			}
			sequence = b.Sequence
		}
		s.Shutdown()
		s.WaitForShutdown()
		s = start()
	}
	s.Shutdown()
	s.WaitForShutdown()
}

// TestKilledProcess has a child accept documents and kills it again and again: what it
// had been told is stored is there, in order and whole.
func TestKilledProcess(t *testing.T) {
	if dir := os.Getenv("SHRIKE_JOURNAL_CHILD"); dir != "" {
		child(dir)
		return
	}
	dir := t.TempDir()
	acked := -1
	const kills = 20
	for range kills {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledProcess$")
		cmd.Env = append(os.Environ(), "SHRIKE_JOURNAL_CHILD="+dir, fmt.Sprintf("SHRIKE_JOURNAL_FROM=%d", acked+1))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		in, until := bufio.NewScanner(out), 5+rand.IntN(60)
		for n := 0; in.Scan(); n++ {
			if _, err := fmt.Sscanf(in.Text(), "acked %d", &acked); err != nil {
				t.Fatalf("the child said %q", in.Text())
			}
			if n == until {
				_ = cmd.Process.Kill()
			}
		}
		_ = cmd.Wait()
	}
	j := open(t, nats.Config{Dir: dir})
	defer j.Close()
	got, _ := readAll(t, j, 1)
	seen, highest := map[int]bool{}, -1
	for _, line := range got {
		var n int
		if _, err := fmt.Sscanf(line, `{"n":%d`, &n); err != nil || !strings.HasSuffix(line, `"}`) {
			t.Fatalf("%.60s is torn", line)
		}
		if n > highest+1 {
			t.Errorf("%d follows %d", n, highest)
		}
		seen[n], highest = true, max(n, highest)
	}
	for n := range acked + 1 {
		if !seen[n] {
			t.Errorf("document %d was acknowledged and is lost", n)
		}
	}
	t.Logf("killed %d times: all %d acknowledged documents are there", kills, acked+1)
	if acked < kills*5 {
		t.Errorf("%d documents are too few to tell anything", acked+1)
	}
}

func child(dir string) {
	var n int
	_, _ = fmt.Sscanf(os.Getenv("SHRIKE_JOURNAL_FROM"), "%d", &n)
	j, err := nats.Open(context.Background(), nats.Config{Dir: dir})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for ; ; n++ {
		if err := j.Accept(context.Background(), docs(n, 1, 3000), 1); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Printf("acked %d\n", n)
	}
}

// TestTornFile cuts the newest file of the journal: it opens, and gives what is whole.
func TestTornFile(t *testing.T) {
	dir := t.TempDir()
	j := open(t, nats.Config{Dir: dir})
	for i := range 10 {
		if err := j.Accept(t.Context(), docs(i, 1, 3000), 1); err != nil {
			t.Fatal(err)
		}
	}
	_ = j.Close()
	var files []string
	_ = filepath.WalkDir(dir, func(path string, _ os.DirEntry, _ error) error {
		if strings.HasSuffix(path, ".blk") {
			files = append(files, path)
		}
		return nil
	})
	if len(files) != 1 {
		t.Fatalf("files %v", files)
	}
	info, err := os.Stat(files[0])
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(files[0], info.Size()-10); err != nil {
		t.Fatal(err)
	}
	j = open(t, nats.Config{Dir: dir})
	defer j.Close()
	got, _ := readAll(t, j, 1)
	if len(got) < 9 || !bytes.Contains([]byte(got[8]), []byte(`{"n":8,`)) {
		t.Errorf("%d documents are left of 10", len(got))
	}
	if err := j.Accept(t.Context(), docs(10, 1, 10), 1); err != nil {
		t.Errorf("after the repair: %v", err)
	}
}

func BenchmarkAccept(b *testing.B) {
	for _, callers := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			j, err := nats.Open(context.Background(), nats.Config{Dir: b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			defer j.Close()
			d := docs(0, 500, 2000)
			var wg sync.WaitGroup
			for c := range callers {
				wg.Go(func() {
					for i := c; i < b.N; i += callers {
						if err := j.Accept(context.Background(), d, 500); err != nil {
							b.Error(err)
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N*500)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
