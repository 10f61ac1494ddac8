package main

// Where the alerts of a scan go: -o KIND[=FILE], as often as wanted.
//
// A file gets its name when it is complete; until then what is written stands in a
// temporary one beside it.

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/charmbracelet/colorprofile"
	"github.com/spf13/cobra"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/report"
)

// outputOptions are the flags that say where alerts go and how they look.
type outputOptions struct {
	wanted  []string
	explain bool
	blocks  bool
	noGroup bool
}

func (o *outputOptions) add(c *cobra.Command) {
	f := c.Flags()
	f.StringArrayVarP(&o.wanted, "output", "o", nil, "`KIND[=FILE]`: "+strings.Join(outputKinds(), ", ")+"; may be repeated, with one of them to standard output (default: table on a terminal, else jsonl)")
	f.BoolVar(&o.explain, "explain", false, "print below each alert of a table why its rule fired")
	f.BoolVar(&o.blocks, "building-blocks", false, "show building blocks in tables and reports too: alerts that are there for others to build on")
	f.BoolVar(&o.noGroup, "no-group", false, "show every alert by itself, where tables and reports put those that say the same into one group")
}

// outputKinds names the kinds of outputs.
func outputKinds() []string { return append([]string{"table", "jsonl", "json"}, report.Kinds()...) }

// outputSpec is one -o.
type outputSpec struct{ kind, file string }

// specs reads the flags. A scan that a later run may go on with can only print what
// is whole without its end.
func (o *outputOptions) specs(tty, resume bool) ([]outputSpec, error) {
	wanted := o.wanted
	if len(wanted) == 0 {
		wanted = []string{"jsonl"}
		if tty || o.explain {
			wanted = []string{"table"}
		}
	}
	var list []outputSpec
	files := map[string]bool{}
	for _, text := range wanted {
		kind, file, named := strings.Cut(text, "=")
		switch {
		case kind == "ndjson":
			kind = "jsonl"
		case !slices.Contains(outputKinds(), kind):
			return nil, fmt.Errorf("unknown output %q; the outputs are %s", kind, strings.Join(outputKinds(), ", "))
		}
		switch {
		case named && file == "":
			return nil, fmt.Errorf("-o %s lacks the name of its file", text)
		case files[filepath.Clean(file)] && named:
			return nil, fmt.Errorf("two outputs go to %s", file)
		case files["."] && !named:
			return nil, fmt.Errorf("two outputs go to standard output; give one of them a file: -o %s=FILE", kind)
		case resume && (named || slices.Contains(report.Kinds(), kind)):
			return nil, fmt.Errorf("-o %s cannot be gone on with by a later run, as it is complete only at the end of one; with --resume print -o jsonl, or leave --resume", text)
		}
		files[filepath.Clean(file)] = true
		list = append(list, outputSpec{kind, file})
	}
	return list, nil
}

// outputs writes alerts to all outputs of a scan.
type outputs struct {
	list  []alertOutput
	files []*outputFile
}

// openOutputs begins all outputs. Discard must be called when they are done with.
func (p *program) openOutputs(specs []outputSpec, o outputOptions) (*outputs, error) {
	all := &outputs{}
	for _, spec := range specs {
		w, text, width := p.stdout, p.text, p.width
		if spec.file != "" {
			f, err := createOutput(spec.file)
			if err != nil {
				all.discard()
				return nil, failure(err)
			}
			all.files = append(all.files, f)
			w, text, width = f, &colorprofile.Writer{Forward: f, Profile: colorprofile.NoTTY}, 160
		}
		out, err := openOutput(spec.kind, w, text, tableOptions{width: width, explain: o.explain, blocks: o.blocks, noGroup: o.noGroup})
		if err != nil {
			all.discard()
			return nil, failure(err)
		}
		all.list = append(all.list, out)
	}
	return all, nil
}

// openOutput begins an output of a kind on w, which as text for people is text.
func openOutput(kind string, w, text io.Writer, o tableOptions) (alertOutput, error) {
	switch kind {
	case "table":
		return newAlertTable(text, o), nil
	case "jsonl":
		return newAlertLines(w), nil
	case "json":
		return &alertArray{alertLines: *newAlertLines(w)}, nil
	}
	r, err := report.Open(kind, w, report.Options{NoGroup: o.noGroup})
	if err != nil {
		return nil, err
	}
	return &reportOutput{r, o.blocks}, nil
}

func (o *outputs) write(a *alert.Alert) error {
	for _, out := range o.list {
		if err := out.write(a); err != nil {
			return err
		}
	}
	return nil
}

func (o *outputs) Flush() error {
	for _, out := range o.list {
		if err := out.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// close ends all outputs, and gives the files that are whole their names.
func (o *outputs) close(sum report.Summary) error {
	var errs []error
	for _, out := range o.list {
		errs = append(errs, out.close(sum))
	}
	o.list = nil
	if err := errors.Join(errs...); err != nil {
		return err
	}
	for _, f := range o.files {
		errs = append(errs, f.publish())
	}
	return errors.Join(errs...)
}

// discard removes what has not got its name.
func (o *outputs) discard() {
	for _, out := range o.list {
		_ = out.close(report.Summary{}) // lets go of what it put aside
	}
	for _, f := range o.files {
		f.discard()
	}
}

// reportOutput is a report as an output.
type reportOutput struct {
	report.Writer
	blocks bool
}

func (o *reportOutput) write(a *alert.Alert) error {
	if a.BuildingBlock && !o.blocks {
		return nil
	}
	return o.Write(a)
}

// Flush does nothing: a report is complete only at its end.
func (o *reportOutput) Flush() error { return nil }

func (o *reportOutput) close(sum report.Summary) error { return o.Close(sum) }

// outputFile is a file that gets its name when it is complete.
type outputFile struct {
	*os.File
	name string // "" for what is no regular file, which is written to as it is
}

func createOutput(name string) (*outputFile, error) {
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			return nil, fmt.Errorf("write an output: %w", err)
		}
		return &outputFile{File: f}, nil
	}
	temp := filepath.Join(filepath.Dir(name), "."+filepath.Base(name)+"."+rand.Text()[:8])
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, fmt.Errorf("write the output %s: %w", name, err)
	}
	return &outputFile{f, name}, nil
}

func (f *outputFile) publish() error {
	if f.name == "" {
		return f.Close()
	}
	err := f.Sync()
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.File.Name(), f.name)
	}
	if err != nil {
		return fmt.Errorf("write the output %s: %w", f.name, err)
	}
	f.name = ""
	return nil
}

func (f *outputFile) discard() {
	_ = f.Close()
	if f.name != "" {
		_ = os.Remove(f.File.Name())
	}
}
