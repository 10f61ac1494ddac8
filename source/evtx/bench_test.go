package evtx_test

import (
	"bytes"
	"sort"
	"strings"
	"testing"

	"github.com/shrike-project/shrike/source/evtx"
	"github.com/shrike-project/shrike/windows"
)

// chunksOf gives the chunks of a log that hold records.
func chunksOf(b *testing.B, log []byte) []evtx.Chunk {
	f, err := evtx.Open(bytes.NewReader(log), int64(len(log)))
	if err != nil {
		b.Fatal(err)
	}
	var all []evtx.Chunk
	for i := range f.Chunks() {
		c, err := f.Chunk(i, nil)
		if err != nil {
			b.Fatal(err)
		}
		d := evtx.NewDecoder()
		if err := d.Decode(c, func(*windows.Record) error { return nil }); err != nil {
			b.Fatal(err)
		}
		if d.Stats().Records > 0 {
			all = append(all, c)
		}
	}
	return all
}

// benchmarkChunks decodes chunks over and over with one Decoder.
func benchmarkChunks(b *testing.B, chunks []evtx.Chunk) {
	d := evtx.NewDecoder()
	var text int
	each := func(r *windows.Record) error {
		text += len(r.Data)
		return nil
	}
	b.ReportAllocs()
	b.ResetTimer()
	for i := range b.N {
		if err := d.Decode(chunks[i%len(chunks)], each); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	seconds := b.Elapsed().Seconds()
	b.ReportMetric(float64(d.Stats().Records)/seconds, "records/s")
	b.ReportMetric(float64(b.N)*evtx.ChunkBytes/1e6/seconds, "MB/s")
}

// BenchmarkLogs decodes the larger recorded logs, each on its own and all together.
func BenchmarkLogs(b *testing.B) {
	all := logs(b)
	for path, log := range unpack(b, "host-logs-dism.tar.gz") {
		all[strings.TrimSuffix(path[strings.LastIndexByte(path, '/')+1:], ".evtx")] = log
	}
	large := []string{"sysmon", "post-Security", "Security", "Microsoft-Windows-Sysmon%4Operational", "Microsoft-Windows-PowerShell%4Operational"}
	for _, name := range large {
		chunks := chunksOf(b, all[name])
		b.Run(name, func(b *testing.B) { benchmarkChunks(b, chunks) })
	}
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	sort.Strings(names)
	var chunks []evtx.Chunk
	for _, name := range names {
		chunks = append(chunks, chunksOf(b, all[name])...)
	}
	b.Run("everything", func(b *testing.B) { benchmarkChunks(b, chunks) })
}
