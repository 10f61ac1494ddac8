package main

// Scans that are gone on with by a later run: --resume.

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/pipeline"
	"github.com/shrike-project/shrike/source/file"
)

// resumeOptions are the flags of a scan that a later run may go on with.
type resumeOptions struct {
	file  string
	every time.Duration
}

func (o *resumeOptions) add(c *cobra.Command) {
	c.Flags().StringVar(&o.file, "resume", "", "keep the state of the scan in `FILE`, and go on where it says an earlier run stopped")
	c.Flags().DurationVar(&o.every, "resume-every", time.Second, "how often --resume writes down how far it is; alerts are printed as often")
}

// openState opens the state of a scan, and gives the positions an earlier run came
// to. Without --resume it gives nothing.
func (p *program) openState(paths []string, d *detect.Detector, o *scanOptions) (*pipeline.Journal, error) {
	if o.resume.file == "" {
		return nil, nil
	}
	if slices.Contains(paths, "-") {
		return nil, fmt.Errorf("--resume cannot go on with standard input: there is no way back in it")
	}
	scan := fmt.Sprintf("%s lateness=%s max-keys=%d max-age=%s since=%s until=%s format=%s index=%s ignore-index=%v max-event-bytes=%d coverage=%s",
		d.Identity(), o.lateness.String(), o.maxKeys, o.maxAge, o.input.since.text, o.input.until.text, o.input.format.String(), o.index.name, o.index.ignore, o.input.maxEventBytes, o.coverage)
	j, err := pipeline.OpenJournal(o.resume.file, scan)
	if err != nil {
		return nil, failure(err)
	}
	o.input.resume = map[string]file.Position{}
	for _, text := range j.Positions() {
		var at file.Position
		if err := json.Unmarshal(text, &at); err != nil {
			_ = j.Close()
			return nil, failure(fmt.Errorf("read the state %s: %w", o.resume.file, err))
		}
		o.input.resume[at.Path] = at
	}
	if err := p.cutOutput(j.Unwritten()); err != nil {
		_ = j.Close()
		return nil, failure(err)
	}
	return j, nil
}

// resume says how a scan keeps its state, in a journal that may be nil.
func (p *program) resume(j *pipeline.Journal, src *file.Source, flush func() error, every time.Duration) *pipeline.Resume {
	if j == nil {
		return nil
	}
	return &pipeline.Resume{Journal: j, Every: every, Flush: flush, Output: p.outputState, Positions: func() [][]byte {
		var list [][]byte
		for _, at := range src.Positions() {
			text, err := json.Marshal(at)
			if err != nil {
				panic(err) // texts, numbers and a time
			}
			list = append(list, text)
		}
		return list
	}}
}

// outputState is what a run knows of standard output where that is a file, so that
// the next one can take back what was written and not marked as such.
type outputState struct {
	File string `json:"file"`
	Size int64  `json:"size"`
}

func (p *program) outputState() []byte {
	_, state, ok := p.outputFile()
	if !ok {
		return nil
	}
	text, err := json.Marshal(state)
	if err != nil {
		panic(err)
	}
	return text
}

// outputFile gives standard output, if it is a file that can be told from others.
func (p *program) outputFile() (*os.File, outputState, bool) {
	f, ok := p.stdout.(*os.File)
	if !ok {
		return nil, outputState{}, false
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, outputState{}, false
	}
	id := file.ID(info)
	return f, outputState{id, info.Size()}, id != ""
}

// cutOutput takes back the alerts of a run that was killed between writing them
// and noting that it had, where standard output is the file it wrote to.
func (p *program) cutOutput(unwritten []byte) error {
	if len(unwritten) == 0 {
		return nil
	}
	var before outputState
	if err := json.Unmarshal(unwritten, &before); err != nil {
		return fmt.Errorf("read the state of the output: %w", err)
	}
	f, now, ok := p.outputFile()
	if !ok || now.File != before.File || now.Size <= before.Size {
		return nil
	}
	if err := f.Truncate(before.Size); err != nil {
		return fmt.Errorf("take back what an earlier run wrote: %w", err)
	}
	return nil
}
