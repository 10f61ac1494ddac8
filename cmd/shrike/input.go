package main

// What is read: the flags of every command that reads events.

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/pipeline"
	"github.com/shrike-project/shrike/source/file"
)

// inputOptions are the flags of every command that reads events.
type inputOptions struct {
	jobs          int
	maxEventBytes int
	fields        string
	format        format
	since, until  moment
	leftOver      bool
	limits        file.Limits
	resume        map[string]file.Position // nil: a scan that is not gone on with
}

func (o *inputOptions) add(c *cobra.Command) {
	f := c.Flags()
	f.IntVar(&o.jobs, "jobs", 0, "number of workers (default: one a processor)")
	f.IntVar(&o.maxEventBytes, "max-event-bytes", file.DefaultMaxEventBytes, "largest event that is read; larger ones are counted as skipped")
	f.StringVar(&o.fields, "fields", "", "`FILE` with types of your own fields, one \"field type\" a line")
	f.Var(&o.format, "format", "what the files hold: "+strings.Join(formats(), ", ")+"; auto looks at each")
	f.Var(&o.since, "since", "leave out events before this time: 2026-03-01, 2026-03-01T10:00:00Z, or 12h or 7d ago")
	f.Var(&o.until, "until", "leave out events from this time on, written like that of --since")
	f.BoolVar(&o.leftOver, "left-over", false, "read also what binary event logs still hold of records from before they were cleared or went round; their events carry shrike.left_over")
	l := file.DefaultLimits()
	f.Int64Var(&o.limits.Bytes, "max-unpacked-bytes", l.Bytes, "most bytes that one file is unpacked to")
	f.Int64Var(&o.limits.Ratio, "max-unpack-ratio", l.Ratio, "most times its size that one file is unpacked to, beyond a gigabyte")
	f.IntVar(&o.limits.Entries, "max-archive-entries", l.Entries, "most entries of the archives in one file")
	f.IntVar(&o.limits.Depth, "max-archive-depth", l.Depth, "most archives and compressions around one another")
}

func (o *inputOptions) scan() pipeline.ScanOptions {
	return pipeline.ScanOptions{Jobs: o.jobs, MaxEventBytes: o.maxEventBytes, Within: pipeline.Range{Since: o.since.at, Until: o.until.at}}
}

// types gives the field types, with those of the user's file.
func (o *inputOptions) types() (*event.Types, error) {
	types := event.DefaultTypes()
	if o.fields == "" {
		return types, nil
	}
	f, err := os.Open(o.fields)
	if err != nil {
		return nil, fmt.Errorf("read field types: %w", err)
	}
	defer func() { _ = f.Close() }()
	return types.Extend(f, o.fields)
}

// input is what the events come from.
type input struct {
	*file.Source
	evidence *eventLogs
}

// open opens the files with events. What cannot be read is told as it happens.
func (p *program) open(paths []string, o inputOptions) *input {
	e := newEventLogs()
	e.leftOver = o.leftOver
	opt := sources(e)
	opt.MaxEventBytes, opt.Stdin, opt.Format, opt.Limits, opt.Resume = o.maxEventBytes, p.stdin, string(o.format), o.limits, o.resume
	opt.Report = func(path string, err error) {
		fmt.Fprintf(p.stderr, "shrike: %s: %s\n", printable(path), printable(pathError(err)))
	}
	return &input{file.Open(paths, opt), e}
}

// format is a flag: the name of a format.
type format string

func formats() []string {
	opt := sources(newEventLogs())
	return opt.Formats()
}

// String implements pflag.Value.
func (f *format) String() string {
	if *f == "" {
		return file.Auto
	}
	return string(*f)
}

// Set implements pflag.Value.
func (f *format) Set(s string) error {
	if !slices.Contains(formats(), s) {
		return fmt.Errorf("the formats are %s", strings.Join(formats(), ", "))
	}
	*f = format(s)
	return nil
}

// Type implements pflag.Value.
func (f *format) Type() string { return "name" }

// moment is a flag: a point in time.
type moment struct {
	at   *event.Time
	text string
}

// String implements pflag.Value.
func (m *moment) String() string { return m.text }

// Set implements pflag.Value.
func (m *moment) Set(s string) error {
	t, err := parseMoment(s, time.Now())
	if err != nil {
		return err
	}
	at := event.FromTime(t)
	m.at, m.text = &at, s
	return nil
}

// Type implements pflag.Value.
func (m *moment) Type() string { return "time" }

// parseMoment reads a date, a time, or how long ago. What has no zone is UTC.
func parseMoment(s string, now time.Time) (time.Time, error) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return now.Add(-time.Duration(n) * 24 * time.Hour), nil
		}
	}
	if ago, err := time.ParseDuration(s); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	return time.Time{}, fmt.Errorf("expected a date, a time such as 2026-03-01T10:00:00Z, or how long ago, such as 12h or 7d")
}
