package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/pipeline"
	"github.com/shrike-project/shrike/rule"
	"github.com/shrike-project/shrike/sequence"
	"github.com/shrike-project/shrike/source/file"
)

// scanOptions are the flags of scan.
type scanOptions struct {
	input      inputOptions
	rules      []string
	output     outputOptions
	summary    string
	verbose    bool
	failOn     string
	index      indexOptions
	deprecated bool
	lateness   lateness
	maxKeys    int
	resume     resumeOptions
	maxAge     time.Duration
	coverage   coverageMode
	measure    measureOptions
}

// lateness is a flag: a time, "unlimited", or "schedule", which is as long as the
// rules' own schedule allows. The zero value is unlimited.
type lateness struct {
	d        *time.Duration
	schedule bool
}

func (l *lateness) String() string {
	switch {
	case l.schedule:
		return "schedule"
	case l.d == nil:
		return "unlimited"
	}
	return durationText(*l.d)
}

// Set implements pflag.Value.
func (l *lateness) Set(s string) error {
	*l = lateness{schedule: s == "schedule"}
	if l.schedule || s == "unlimited" {
		return nil
	}
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		return fmt.Errorf("expected a time such as 5m, unlimited, or schedule")
	case d < 0:
		return fmt.Errorf("it cannot be negative")
	}
	l.d = &d
	return nil
}

// Type implements pflag.Value.
func (l *lateness) Type() string { return "time" }

func (l *lateness) value(d *detect.Detector) time.Duration {
	switch {
	case l.schedule:
		return d.Lateness()
	case l.d == nil:
		return detect.Unlimited
	}
	return *l.d
}

// indexOptions are the flags of commands that heed the index patterns of rules.
type indexOptions struct {
	name   string
	ignore bool
}

func (o *indexOptions) add(c *cobra.Command) {
	c.Flags().StringVar(&o.name, "index", "", "index `NAME` of events that do not tell theirs")
	c.Flags().BoolVar(&o.ignore, "ignore-index", false, "show every event to every rule, whatever its index patterns")
}

func (p *program) scanCommand() *cobra.Command {
	o := scanOptions{coverage: coverageWarn}
	c := &cobra.Command{
		Use:   "scan [flags] PATH…|-",
		Short: "Run rules over files of events and print alerts",
		Long: "Run rules over files of events and print alerts.\n\n" +
			"A PATH is a file, a folder with everything in it, or - for standard input. Files are recognised by looking at them:\n" +
			"archives (zip, tar) and compressed files (gzip, zstd), in one another too; one JSON event a line, events over many\n" +
			"lines, or a JSON array; Windows event logs (EVTX), and their records as several tools write them in JSON.\n\n" +
			"Exit status: 0 finished; 1 something could not be read or loaded, the rest was done; 2 wrong usage;\n" +
			"3 an alert of the severity given by --fail-on, or above; 130 stopped by a signal.",
		Example: "  shrike scan events.ndjson\n  shrike scan --rules rules/ -o jsonl logs/ > alerts.ndjson\n  zcat events.json.gz | shrike scan --fail-on high -",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(c *cobra.Command, args []string) error { return p.scan(c.Context(), args, o) },
	}
	f := c.Flags()
	f.StringArrayVar(&o.rules, "rules", nil, "rule file or folder of rules; may be repeated (default: the shipped rules)")
	o.output.add(c)
	f.StringVar(&o.summary, "summary", "", "write the summary as JSON to `FILE`")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "list every file with its events, and why others were not read")
	f.StringVar(&o.failOn, "fail-on", "", "exit with status 3 if there is an alert of this `SEVERITY` or above: "+strings.Join(rule.Severities, ", "))
	o.index.add(c)
	f.BoolVar(&o.deprecated, "deprecated", false, "run deprecated rules too")
	f.Var(&o.lateness, "lateness", "how much older than the newest event an event may be and still take part in sequences, such as 5m; schedule takes it from the rules' own schedule; unlimited puts all events into order first, and prints sequences at the end")
	f.IntVar(&o.maxKeys, "max-keys", sequence.DefaultMaxKeys, "most join keys with unfinished matches that each sequence rule keeps")
	o.resume.add(c)
	f.DurationVar(&o.maxAge, "max-age", 0, "how long a sequence without maxspan, or a sample, keeps a join key with an unfinished match, by the time of events (default: without bound)")
	f.Var(&o.coverage, "coverage", "what to do about rules that ask for what the events of a source never have: warn marks their alerts, and a table shows those of noisy rules apart; strict does not run such rules on that source; ignore does nothing")
	o.input.add(c)
	o.measure.add(c)
	return c
}

func (p *program) scan(ctx context.Context, paths []string, o scanOptions) error {
	if o.failOn != "" && rule.SeverityRank(o.failOn) < 0 {
		return fmt.Errorf("unknown severity %q for --fail-on; the severities are %s", o.failOn, strings.Join(rule.Severities, ", "))
	}
	if o.maxAge < 0 || o.maxKeys < 0 {
		return fmt.Errorf("--max-age and --max-keys cannot be negative")
	}
	specs, err := o.output.specs(p.tty, o.resume.file != "")
	if err != nil {
		return err
	}
	o.output.noGroup = o.output.noGroup || o.resume.file != "" // groups are whole at the end of all runs
	types, err := o.input.types()
	if err != nil {
		return failure(err)
	}
	collectSeldom(loadingPercent)
	set := loadRules(o.rules)
	problems := p.reportProblems(set, false)
	d := detect.New(set.Rules, detect.Options{Types: types, IgnoreIndex: o.index.ignore, Index: o.index.name, Deprecated: o.deprecated, Plain: o.measure.plain})
	if len(d.Rules()) == 0 {
		return failure(fmt.Errorf("none of %d rules can run; \"shrike rules list\" tells why", len(set.Rules)))
	}
	s := scanSummary{Alerts: map[string]int64{}, RuleProblems: problems, verbose: o.verbose}
	s.rules(set, d)
	state, err := p.openState(paths, d, &o)
	if err != nil {
		return err
	}
	if state != nil {
		defer func() { _ = state.Close() }()
	}
	out, err := p.openOutputs(specs, o.output)
	if err != nil {
		return err
	}
	defer out.discard()
	src := p.open(paths, o.input)
	defer src.Close()
	cover := p.newCovering(o.coverage, d, o.index)
	if state == nil { // a run that is killed must have printed what its state says it has
		for i := range out.list {
			out.list[i] = cover.section(out.list[i])
		}
	}
	emit := func(a *alert.Alert) error {
		if cover.leavesOut(a) {
			return nil
		}
		if a.BuildingBlock {
			s.BuildingBlocks++
		} else {
			s.Alerts[a.Severity]++
		}
		return out.write(a)
	}
	collectSeldom(scanningPercent())
	measured, err := o.measure.start()
	if err != nil {
		return failure(err)
	}
	stop := p.progress(src.Source)
	scan := o.input.scan()
	scan.Idle = out.Flush
	sum, stats, err := pipeline.Detect(ctx, cover.watch(src), d, pipeline.DetectOptions{
		Scan: scan, Run: alert.Run{Now: time.Now(), UUID: rand.Text(), Manual: true, Coverage: cover.run()}, Emit: emit, Resume: p.resume(state, src.Source, out.Flush, o.resume.every),
		Stream: detect.StreamOptions{Lateness: o.lateness.value(d), MaxKeys: o.maxKeys, MaxAge: o.maxAge},
	})
	stop()
	if measureErr := measured(); err == nil {
		err = measureErr
	}
	s.events(sum, src.Stats())
	s.DamagedLogs = src.evidence.damage()
	s.LeftOver, s.LeftOverLost = src.evidence.leftOvers()
	s.Repeated, s.StartsTwice, s.Suppressed = stats.Repeated, stats.Twice, stats.Suppressed
	s.sequences(stats.Stream)
	s.coverage(cover)
	if closeErr := out.close(s.report(time.Now())); err == nil {
		err = closeErr
	}
	fmt.Fprint(p.stderr, s.text())
	if o.summary != "" {
		if werr := s.writeFile(o.summary); werr != nil && err == nil {
			err = werr
		}
	}
	return s.status(err, o.failOn)
}

// status turns the outcome of a scan into an exit status.
func (s *scanSummary) status(err error, failOn string) error {
	switch {
	case errors.Is(err, context.Canceled):
		return &exitError{status: exitStopped}
	case err != nil:
		return failure(err)
	}
	if failOn != "" {
		for _, severity := range rule.Severities[rule.SeverityRank(failOn):] {
			if s.Alerts[severity] > 0 {
				return &exitError{status: exitFound}
			}
		}
	}
	if s.RuleProblems > 0 || s.FilesFailed > 0 || total(s.Skipped) > 0 {
		return &exitError{status: exitIncomplete}
	}
	return nil
}

// progress shows how far the scan is, where somebody can see it. The function it
// gives ends that.
func (p *program) progress(src *file.Source) func() {
	_, total := src.Progress()
	if !p.errTTY || total == 0 {
		return func() {}
	}
	bar := progressbar.NewOptions64(total, progressbar.OptionSetWriter(p.stderr), progressbar.OptionShowBytes(true),
		progressbar.OptionSetDescription("scanning"), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30))
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(100 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				read, _ := src.Progress()
				_ = bar.Set64(min(read, total))
			case <-done:
				_ = bar.Clear()
				return
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}
