package nats

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Config says where a journal is and how large it may become.
type Config struct {
	// Dir is the folder of the embedded server; it is used if URL is empty.
	Dir string
	// URL is the address of a server with JetStream, or of several, with commas.
	URL string
	// Options are further options for the connection to URL, such as credentials.
	Options []nats.Option
	// Stream is the name of the stream; "" stands for SHRIKE.
	Stream string
	// Replicas is how many servers of a cluster hold the stream; 0 stands for 1.
	Replicas int
	// MaxBytes is the most the stream may take, KeepBytes how much of it that was
	// judged is kept, and KeepAge for how long; 0: no bound.
	MaxBytes, KeepBytes int64
	KeepAge             time.Duration
}

// Journal is an open journal. Its methods are safe for use by many goroutines.
type Journal struct {
	cfg     Config
	server  *server.Server // nil: it is somebody else's
	conn    *nats.Conn
	js      jetstream.JetStream
	stream  jetstream.Stream
	subject string

	requests chan *request // never closed: see done
	done     chan struct{} // closed by Close
	writers  sync.WaitGroup
	closing  sync.Once
	judged   atomic.Uint64 // what comes before it may be deleted
	room     sync.Mutex
	damaged  atomic.Int64
	blocks   sync.Pool // of *[]byte, for blocks under way
}

// FullError refuses events: nothing of them may be relied on to be kept.
type FullError struct {
	Reason string
	After  time.Duration
}

func (e *FullError) Error() string { return "the journal takes no events: " + e.Reason }

// RetryAfter tells when to try again.
func (e *FullError) RetryAfter() time.Duration { return e.After }

// Open opens a journal, and makes it if it is not there.
func Open(ctx context.Context, cfg Config) (*Journal, error) {
	if cfg.Stream == "" {
		cfg.Stream = "SHRIKE"
	}
	j := &Journal{cfg: cfg, subject: "shrike.events." + cfg.Stream, requests: make(chan *request, 256), done: make(chan struct{})}
	err := j.connect(ctx)
	if err == nil {
		err = j.openStream(ctx)
	}
	if err != nil {
		j.shutdown()
		return nil, err
	}
	j.writers.Go(j.write)
	return j, nil
}

// connect connects to the server, which is started before if it is embedded.
func (j *Journal) connect(ctx context.Context) error {
	options := append([]nats.Option{nats.Name("shrike"), nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond)}, j.cfg.Options...)
	url := j.cfg.URL
	if url == "" {
		s, err := startServer(ctx, j.cfg.Dir, j.cfg.MaxBytes)
		if err != nil {
			return err
		}
		j.server = s
		options = append(options, nats.InProcessServer(s))
	}
	conn, err := nats.Connect(url, options...)
	if err != nil {
		return fmt.Errorf("connect to the journal's server: %w", err)
	}
	j.conn = conn
	j.js, err = jetstream.New(conn, jetstream.WithPublishAsyncMaxPending(inFlight), jetstream.WithPublishAsyncTimeout(15*time.Second))
	return err
}

// startServer starts the embedded server. Nobody but this process can reach it.
func startServer(ctx context.Context, dir string, maxBytes int64) (*server.Server, error) {
	if maxBytes <= 0 {
		maxBytes = 1 << 60
	}
	s, err := server.NewServer(&server.Options{
		ServerName: "shrike", DontListen: true, JetStream: true, StoreDir: dir, SyncAlways: true,
		NoSigs: true, NoLog: true, MaxPayload: 64 << 20, MaxPending: 256 << 20, DisableJetStreamBanner: true,
		JetStreamMaxMemory: 1 << 20, JetStreamMaxStore: maxBytes,
	})
	if err != nil {
		return nil, fmt.Errorf("make the embedded journal: %w", err)
	}
	s.Start()
	limit := time.Minute
	if at, ok := ctx.Deadline(); ok {
		limit = time.Until(at)
	}
	if !s.ReadyForConnections(limit) || !s.JetStreamEnabled() {
		s.Shutdown()
		return nil, fmt.Errorf("start the embedded journal in %s: it does not get ready; is it in use, or the disk full?", dir)
	}
	return s, nil
}

// manyMessages bounds nothing. But a stream with such a bound and none of its bytes gets
// files of 4 MB instead of 8, and the server holds a dozen of them in memory.
const manyMessages = 1 << 40

func (j *Journal) openStream(ctx context.Context) error {
	want := jetstream.StreamConfig{
		Name: j.cfg.Stream, Subjects: []string{j.subject}, Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy,
		Discard: jetstream.DiscardNew, MaxBytes: j.cfg.MaxBytes, Replicas: max(1, j.cfg.Replicas), AllowDirect: true,
	}
	switch {
	case j.server != nil: // which has that bound as a whole, see startServer
		want.MaxBytes, want.MaxMsgsPerSubject = -1, manyMessages
	case want.MaxBytes <= 0:
		want.MaxBytes = -1
	}
	for deadline := time.Now().Add(patience); ; {
		s, err := j.js.CreateOrUpdateStream(ctx, want)
		if err == nil {
			j.stream = s
			return nil
		}
		if !unready(err) || ctx.Err() != nil || time.Now().After(deadline) {
			return fmt.Errorf("open the stream %s of the journal: %w", want.Name, err)
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
		}
	}
}

// patience is how long a cluster may take to get ready: its servers have to find each
// other and agree on a leader.
const patience = time.Minute

// unready reports whether an error says that a server or cluster is on its way.
func unready(err error) bool {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		const noPeers = 10005 // for as many replicas
		return api.Code == http.StatusServiceUnavailable || api.ErrorCode == noPeers
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrNoStreamResponse)
}

// Close ends the journal after what was accepted is stored. Readers have to be closed
// before.
func (j *Journal) Close() error {
	j.closing.Do(func() { close(j.done) })
	j.writers.Wait()
	j.shutdown()
	return nil
}

func (j *Journal) shutdown() {
	if j.conn != nil {
		j.conn.Close()
	}
	if j.server != nil {
		j.server.Shutdown()
		j.server.WaitForShutdown()
	}
}

// Stats is how a journal stands.
type Stats struct {
	// First and Last are the sequences of its ends; First is one more than Last where
	// it is empty.
	First, Last uint64
	// Bytes is what the stream takes, Blocks how many there are.
	Bytes  int64
	Blocks uint64
	// Judged is the sequence below which all was judged.
	Judged uint64
	// Damaged counts blocks that could not be read.
	Damaged int64
}

// Stats tells how the journal stands.
func (j *Journal) Stats(ctx context.Context) (Stats, error) {
	info, err := j.stream.Info(ctx)
	if err != nil {
		return Stats{}, fmt.Errorf("ask how the journal stands: %w", err)
	}
	s := info.State
	return Stats{First: s.FirstSeq, Last: s.LastSeq, Bytes: int64(s.Bytes), Blocks: s.Msgs, Judged: j.judged.Load(), Damaged: j.damaged.Load()}, nil
}

// Judged says that the blocks before a sequence are not needed any more, but for
// backfill. Those beyond the bounds are deleted.
func (j *Journal) Judged(ctx context.Context, before uint64, now time.Time) error {
	for known := j.judged.Load(); before > known && !j.judged.CompareAndSwap(known, before); known = j.judged.Load() {
	}
	st, err := j.Stats(ctx)
	if err != nil || st.Blocks == 0 {
		return err
	}
	upTo := uint64(0)
	if j.cfg.KeepBytes > 0 && st.Bytes > j.cfg.KeepBytes {
		upTo = j.beyond(st, j.cfg.KeepBytes)
	}
	if j.cfg.KeepAge > 0 {
		aged, err := j.agedBefore(ctx, st, now.Add(-j.cfg.KeepAge))
		if err != nil {
			return err
		}
		upTo = max(upTo, aged)
	}
	for at := st.First + purgeStep; at < upTo; at += purgeStep {
		if err := j.purge(ctx, at); err != nil {
			return err
		}
		select {
		case <-time.After(purgePause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return j.purge(ctx, upTo)
}

// The server reads every block that it deletes, and takes none meanwhile: so many are
// deleted in one go, about as many as two of its files hold, and then others have their
// turn, the collection of that memory among them.
const (
	purgeStep  = 100
	purgePause = 250 * time.Millisecond
)

// beyond gives the sequence up to which blocks have to go for the rest to take so many
// bytes, if all are of one size.
func (j *Journal) beyond(st Stats, bytes int64) uint64 {
	return st.First + uint64(float64(st.Blocks)*float64(st.Bytes-bytes)/float64(st.Bytes))
}

// agedBefore gives the first sequence of those judged that is not older than a time.
func (j *Journal) agedBefore(ctx context.Context, st Stats, oldest time.Time) (uint64, error) {
	low, high := st.First, min(st.Judged, st.Last+1)
	for mid := low; low < high; mid = low + (high-low)/2 { // the first one, as a rule, is the only one
		m, err := j.stream.GetMsg(ctx, mid)
		if errors.Is(err, jetstream.ErrMsgNotFound) || err == nil && m.Time.Before(oldest) {
			low = mid + 1
			continue
		}
		if err != nil {
			return 0, fmt.Errorf("read block %d of the journal: %w", mid, err)
		}
		high = mid
	}
	return low, nil
}

// purge deletes the blocks before a sequence that were judged.
func (j *Journal) purge(ctx context.Context, before uint64) error {
	if before = min(before, j.judged.Load()); before == 0 {
		return nil
	}
	if err := j.stream.Purge(ctx, jetstream.WithPurgeSequence(before)); err != nil {
		return fmt.Errorf("delete judged blocks of the journal: %w", err)
	}
	return nil
}

// makeRoom deletes judged blocks when the stream is full. It reports whether there
// were any.
func (j *Journal) makeRoom(ctx context.Context) bool {
	j.room.Lock()
	defer j.room.Unlock()
	st, err := j.Stats(ctx)
	if err != nil || st.First >= st.Judged {
		return false
	}
	if j.cfg.MaxBytes > 0 && st.Bytes < j.cfg.MaxBytes*3/4 {
		return true // somebody else did
	}
	return j.purge(ctx, j.beyond(st, j.cfg.MaxBytes*3/4)) == nil
}
