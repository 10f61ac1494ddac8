// Command shrike runs Elastic-format detection rules over files of events.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/charmbracelet/colorprofile"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// The exit statuses, beside 0.
const (
	exitIncomplete = 1   // something could not be read or loaded
	exitUsage      = 2   // the command line is wrong
	exitFound      = 3   // an alert of the severity named by --fail-on
	exitStopped    = 130 // ended by a signal
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(newProgram(os.Stdin, os.Stdout, os.Stderr, os.Environ()).run(ctx, os.Args[1:]))
}

// program is one call of shrike: where it reads and writes.
type program struct {
	stdin  io.Reader
	stdout io.Writer // for results that programs read, byte by byte as written
	text   io.Writer // the same place, for results that people read
	// written remembers what went wrong behind text, so that a full disk fails the
	// command though nobody looks at the error of each line.
	written *failing
	stderr  io.Writer // for people
	// tty and errTTY tell whether stdout and stderr are terminals, width how wide.
	tty, errTTY bool
	width       int
}

func newProgram(stdin io.Reader, stdout, stderr io.Writer, env []string) *program {
	p := &program{stdin: stdin, stdout: stdout, stderr: stderr, width: 160}
	if f, ok := stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		p.tty = true
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 20 {
			p.width = w
		}
	}
	if f, ok := stderr.(*os.File); ok {
		p.errTTY = term.IsTerminal(int(f.Fd()))
	}
	// The writers take out colours where they are not wanted: no terminal, NO_COLOR.
	p.written = &failing{to: stdout}
	text := colorprofile.NewWriter(stdout, env)
	text.Forward = p.written
	p.text = text
	p.stderr = colorprofile.NewWriter(stderr, env)
	return p
}

// failing writes to a place until that fails, and from then on gives that error.
type failing struct {
	to  io.Writer
	err error
}

func (w *failing) Write(text []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.to.Write(text)
	w.err = err
	return n, err
}

// exitError ends the program with a status. Its error may be nil: then everything
// was said already.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// failure is an error that is not the command line's fault.
func failure(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{exitIncomplete, err}
}

func (p *program) run(ctx context.Context, args []string) int {
	root := p.command()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var exit *exitError
	if p.written.err != nil && (err == nil || errors.As(err, &exit) && exit.err == nil) {
		err = failure(p.written.err)
	}
	if err == nil {
		return 0
	}
	if !errors.As(err, &exit) {
		exit = &exitError{exitUsage, err}
	}
	if exit.err != nil {
		fmt.Fprintf(p.stderr, "shrike: %s\n", safeText(exit.err.Error()))
		if exit.status == exitUsage {
			fmt.Fprintf(p.stderr, "Run \"shrike --help\", or \"shrike COMMAND --help\".\n")
		}
	}
	return exit.status
}

func (p *program) command() *cobra.Command {
	root := &cobra.Command{
		Use:   "shrike",
		Short: "Run Elastic-format detection rules over events",
		Long: "Shrike runs Elastic-format detection rules (EQL first) outside of the Elastic Stack, and tells why each alert fired.\n\n" +
			"Without --rules, the rules that ship with Shrike are used.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("unknown command %q", args[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetIn(p.stdin)
	root.SetOut(p.text)
	root.SetErr(p.stderr)
	root.AddCommand(p.scanCommand(), p.coverageCommand(), p.explainCommand(), p.queryCommand(), p.rulesCommand(), p.testCommand(), p.serveCommand(), p.configCommand(), p.keysCommand(), p.backupCommand(), p.backfillCommand(), p.statusCommand(), p.completionCommand(root), p.manCommand(), p.versionCommand())
	root.CompletionOptions.DisableDefaultCmd = true // ours refuses shells it does not know
	return root
}
