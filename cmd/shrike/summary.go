package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/shrike-project/shrike/coverage"
	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/pipeline"
	"github.com/shrike-project/shrike/report"
	"github.com/shrike-project/shrike/rule"
	"github.com/shrike-project/shrike/source/file"
)

// scanSummary is the summary of a scan, as --summary writes it.
type scanSummary struct {
	Events       int64            `json:"events"`
	Bytes        int64            `json:"bytes"`
	Seconds      float64          `json:"seconds"`
	Stopped      bool             `json:"stopped"`
	Files        int              `json:"files"`
	FilesFailed  int              `json:"files_failed"`
	FilesSkipped map[string]int   `json:"files_skipped"`
	FileEvents   map[string]int64 `json:"file_events"`
	Archives     int              `json:"archives"`
	// FileNotes tell which files could not be read or were not looked at, and why.
	FileNotes []file.Note `json:"file_notes"`
	// OutsideTime are events before --since or from --until on, and WithoutTime those
	// that were judged although nobody knows.
	OutsideTime int64 `json:"events_outside_time_range"`
	WithoutTime int64 `json:"events_without_time"`

	Alerts map[string]int64 `json:"alerts"`
	// BuildingBlocks are alerts that are there for others to build on.
	BuildingBlocks int64 `json:"building_block_alerts"`
	// Repeated are alerts given once although their event came again.
	Repeated int64 `json:"repeated_alerts"`
	// Suppressed are alerts that others stand for, as their rules ask for.
	Suppressed int64 `json:"suppressed_alerts"`
	// StartsTwice are alerts left out as the rule alerted on the same process start
	// in the report of another log.
	StartsTwice int64 `json:"alerts_on_start_reported_twice"`

	RulesRun     int            `json:"rules_run"`
	RulesNotRun  map[string]int `json:"rules_not_run"`
	RuleProblems int            `json:"rule_problems"`
	NotUsed      map[string]int `json:"not_used"`

	// Coverage counts the rules on each known source that was met, and CoverageLeftOut
	// the alerts of degraded rules that --coverage strict left out, by rule.
	Coverage        map[string]coverage.Counts `json:"coverage"`
	CoverageLeftOut map[string]int64           `json:"coverage_left_out"`

	Skipped          map[string]int64 `json:"events_skipped"`
	SkippedSamples   []skippedSample  `json:"events_skipped_samples"`
	UnreadableValues int64            `json:"unreadable_values"`
	// DamagedLogs are binary event logs with damage: what was recovered, what is lost.
	DamagedLogs map[string]damagedLog `json:"damaged_logs"`
	// LeftOver are events from before a log was cleared or went round, LeftOverLost such
	// records that could not be read whole. They are looked for on demand.
	LeftOver     int64 `json:"left_over_events"`
	LeftOverLost int64 `json:"left_over_records_lost"`

	// LateEvents came too late for sequences, by rule; UntimedEvents have no time;
	// EvictedKeys were let go unfinished.
	LateEvents    map[string]uint64 `json:"late_events"`
	UntimedEvents uint64            `json:"untimed_events"`
	EvictedKeys   uint64            `json:"evicted_keys"`

	verbose bool // list the files in the text
}

type skippedSample struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Offset int64  `json:"offset"`
	Reason string `json:"reason"`
	Detail string `json:"detail,omitempty"`
	Begins string `json:"begins"`
}

// rules notes which rules run and which do not.
func (s *scanSummary) rules(set *rule.Set, d *detect.Detector) {
	s.RulesRun = len(d.Rules())
	s.RulesNotRun = map[string]int{}
	for _, sk := range d.Skipped() {
		s.RulesNotRun[sk.Reason]++
	}
	s.NotUsed = map[string]int{}
	for what, n := range map[string]int{
		"exception lists": len(set.Lists), "exception items": len(set.Items), "connectors": len(set.Connectors), "unknown objects": set.Unknown,
	} {
		if n > 0 {
			s.NotUsed[what] = n
		}
	}
}

func (s *scanSummary) events(sum *pipeline.Summary, files file.Stats) {
	s.Events, s.Bytes, s.Seconds, s.Stopped = sum.Events, sum.Bytes, sum.Took.Seconds(), sum.Stopped
	s.Files, s.FilesFailed, s.FilesSkipped = files.Files, files.Failed, files.Skipped
	s.Archives, s.FileNotes = files.Archives, append([]file.Note{}, files.Notes...)
	s.OutsideTime, s.WithoutTime = sum.Outside, sum.Untimed
	s.FileEvents, s.UnreadableValues = sum.FileEvents, sum.Unreadable
	s.Skipped = map[string]int64{}
	for reason, n := range sum.Refused {
		s.Skipped[string(reason)] = n
	}
	s.SkippedSamples = []skippedSample{}
	for _, r := range sum.Samples {
		s.SkippedSamples = append(s.SkippedSamples, skippedSample{
			File: r.File, Line: r.Line, Offset: r.Offset, Reason: string(r.Reason), Detail: r.Detail, Begins: r.Sample,
		})
	}
}

// sequences notes what sequence rules had to pass over.
func (s *scanSummary) sequences(st detect.StreamStats) {
	s.LateEvents = map[string]uint64{}
	for r, n := range st.Late {
		s.LateEvents[r.Name] += n
	}
	s.UntimedEvents, s.EvictedKeys = st.Untimed, st.Evicted
}

// report gives the summary as reports show it.
func (s *scanSummary) report(now time.Time) report.Summary {
	r := report.Summary{
		Written: now, Version: versionText(), Events: s.Events, Bytes: s.Bytes, Stopped: s.Stopped,
		Skipped: s.Skipped, RulesRun: s.RulesRun, RulesNotRun: s.RulesNotRun,
	}
	for _, name := range slices.Sorted(maps.Keys(s.FileEvents)) {
		r.Files = append(r.Files, report.File{Name: name, Events: s.FileEvents[name]})
	}
	for _, n := range s.FileNotes {
		r.Notes = append(r.Notes, n.Path+": "+n.Reason)
	}
	return r
}

func (s *scanSummary) writeFile(name string) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(name, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the summary: %w", err)
	}
	return nil
}

// maxDamagedShown bounds the damaged logs that the text names without --verbose.
const maxDamagedShown = 10

// text gives the summary for people.
func (s *scanSummary) text() string {
	var b strings.Builder
	if s.Stopped {
		b.WriteString(bold("Stopped before the end of the input.") + "\n")
	}
	took := time.Duration(s.Seconds * float64(time.Second))
	fmt.Fprintf(&b, "%s in %s (%s) in %s", count(s.Events, "event"), count(int64(s.Files), "file"), byteText(s.Bytes), took.Round(time.Millisecond))
	if s.Seconds > 0.001 {
		fmt.Fprintf(&b, ", %s a second", number(int64(float64(s.Events)/s.Seconds)))
	}
	b.WriteString("\n" + s.alertText() + "\n" + s.ruleText() + "\n")
	b.WriteString(s.coverageText())
	if s.Suppressed > 0 {
		fmt.Fprintf(&b, "%s counted with others of their group, as their rules ask for\n", count(s.Suppressed, "alert"))
	}
	if s.Repeated > 0 {
		fmt.Fprintf(&b, "%s left out: the same event came again\n", count(s.Repeated, "repeated alert"))
	}
	if s.StartsTwice > 0 {
		fmt.Fprintf(&b, "%s left out: the same process start in another log\n", count(s.StartsTwice, "alert"))
	}
	if n := total(s.Skipped); n > 0 {
		fmt.Fprintf(&b, "%s: %s\n", bold(count(n, "event")+" skipped"), reasons(s.Skipped))
		for _, sample := range s.SkippedSamples[:min(3, len(s.SkippedSamples))] {
			fmt.Fprintf(&b, "    %s: %s: %s\n", placeText(sample.File, sample.Line, sample.Offset), printable(sample.Detail), trim(printable(sample.Begins), 60))
		}
	}
	if s.OutsideTime > 0 {
		fmt.Fprintf(&b, "%s outside the time range\n", count(s.OutsideTime, "event"))
	}
	if s.WithoutTime > 0 {
		fmt.Fprintf(&b, "%s without a time, kept whatever the time range\n", count(s.WithoutTime, "event"))
	}
	if s.UnreadableValues > 0 {
		fmt.Fprintf(&b, "%s not readable by the type of their field, and treated as missing\n", count(s.UnreadableValues, "value"))
	}
	for _, name := range slices.Sorted(maps.Keys(s.LateEvents)) {
		fmt.Fprintf(&b, "%s too late for the sequences of %s: raise --lateness\n", count(int64(s.LateEvents[name]), "event"), printable(name))
	}
	if s.UntimedEvents > 0 {
		fmt.Fprintf(&b, "%s without a time could not take part in sequences\n", count(int64(s.UntimedEvents), "event"))
	}
	if s.EvictedKeys > 0 {
		fmt.Fprintf(&b, "%s with unfinished sequences given up: raise --max-keys, or --max-age if it is set\n", count(int64(s.EvictedKeys), "join key"))
	}
	if s.LeftOver+s.LeftOverLost > 0 {
		fmt.Fprintf(&b, "%s left over from before logs were cleared or went round; %s of such records could not be read\n", count(s.LeftOver, "event"), number(s.LeftOverLost))
	}
	for i, name := range slices.Sorted(maps.Keys(s.DamagedLogs)) {
		if i == maxDamagedShown && !s.verbose {
			fmt.Fprintf(&b, "%s more, see --verbose\n", count(int64(len(s.DamagedLogs)-i), "damaged log"))
			break
		}
		fmt.Fprintf(&b, "%s %s: %s\n", bold("damaged"), printable(name), s.DamagedLogs[name].text())
	}
	if s.FilesFailed > 0 {
		fmt.Fprintf(&b, "%s\n", bold(count(int64(s.FilesFailed), "file")+" could not be read, or not to the end"))
	}
	for _, reason := range slices.Sorted(maps.Keys(s.FilesSkipped)) {
		fmt.Fprintf(&b, "%s skipped: %s\n", count(int64(s.FilesSkipped[reason]), "file"), reason)
	}
	if s.verbose {
		b.WriteString(s.fileText())
	}
	if len(s.NotUsed) > 0 {
		fmt.Fprintf(&b, "read but not used yet: %s\n", reasons(widen(s.NotUsed)))
	}
	return b.String()
}

// placeText says where in a file something is: by its line, or where there are no
// lines or the file was not read from its beginning, by its byte.
func placeText(file string, line int, offset int64) string {
	if line == 0 {
		return fmt.Sprintf("%s:byte %d", printable(file), offset)
	}
	return fmt.Sprintf("%s:%d", printable(file), line)
}

// fileText lists every file with its events, and what became of the others.
func (s *scanSummary) fileText() string {
	var b strings.Builder
	b.WriteString("events by file:\n")
	names := slices.Sorted(maps.Keys(s.FileEvents))
	slices.SortStableFunc(names, func(x, y string) int { return cmp.Compare(s.FileEvents[y], s.FileEvents[x]) })
	for _, name := range names {
		fmt.Fprintf(&b, "  %12s  %s\n", number(s.FileEvents[name]), printable(name))
	}
	for _, n := range s.FileNotes {
		what := "skipped"
		if n.Failed {
			what = "failed"
		}
		fmt.Fprintf(&b, "  %12s  %s: %s\n", what, printable(n.Path), printable(n.Reason))
	}
	return b.String()
}

func (s *scanSummary) alertText() string {
	n := total(s.Alerts)
	blocks := ""
	if s.BuildingBlocks > 0 {
		blocks = fmt.Sprintf(" (and %s for others to build on)", count(s.BuildingBlocks, "building block"))
	}
	if n == 0 {
		return "no alerts" + blocks
	}
	var parts []string
	for i := len(rule.Severities) - 1; i >= 0; i-- {
		severity := rule.Severities[i]
		if c := s.Alerts[severity]; c > 0 {
			parts = append(parts, severityText(severity, number(c)+" "+severity))
		}
	}
	return bold(count(n, "alert")) + ": " + strings.Join(parts, ", ") + blocks
}

func (s *scanSummary) ruleText() string {
	text := count(int64(s.RulesRun), "rule") + " ran"
	if n := total(widen(s.RulesNotRun)); n > 0 {
		text += fmt.Sprintf("; %s not: %s", number(n), reasons(widen(s.RulesNotRun)))
	}
	return text
}

func widen(m map[string]int) map[string]int64 {
	out := make(map[string]int64, len(m))
	for k, v := range m {
		out[k] = int64(v)
	}
	return out
}

func total(m map[string]int64) int64 {
	n := int64(0)
	for _, c := range m {
		n += c
	}
	return n
}

// reasons lists counts, the largest first.
func reasons(m map[string]int64) string {
	keys := slices.Sorted(maps.Keys(m))
	slices.SortStableFunc(keys, func(a, b string) int { return int(m[b] - m[a]) })
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = fmt.Sprintf("%s (%s)", k, number(m[k]))
	}
	return strings.Join(parts, ", ")
}

// number writes an integer with commas between thousands.
func number(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func count(n int64, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "ch"):
		noun += "e"
	}
	return number(n) + " " + noun + "s"
}

func byteText(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000*1000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1000*1000*1000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.2f GB", float64(n)/1e9)
}
