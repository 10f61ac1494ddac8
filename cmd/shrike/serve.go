package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/shrike-project/shrike/config"
	"github.com/shrike-project/shrike/server"
)

// serverOptions name a server's configuration. What is given on the command line
// replaces what the file says.
type serverOptions struct {
	config string
	data   string
	listen string
	rules  []string
}

func (o *serverOptions) flags(c *cobra.Command) {
	c.Flags().StringVar(&o.config, "config", "", "the configuration `FILE`; without, the defaults (see \"shrike config print\")")
	c.Flags().StringVar(&o.data, "data", "", "the data `FOLDER`, in place of the configuration's")
}

func (p *program) serveCommand() *cobra.Command {
	var o serverOptions
	c := &cobra.Command{
		Use:   "serve",
		Short: "Take events over HTTP, run rules as they arrive, keep the alerts",
		Long: "Takes events as Elasticsearch does, runs rules on each as it arrives, and keeps the alerts.\n\n" +
			"Everything is embedded and kept in the data folder. The first start makes a key and prints it.\n" +
			"SIGHUP reads the rules anew; SIGINT and SIGTERM stop the server after what is under way is stored.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return p.serve(c.Context(), o) },
	}
	o.flags(c)
	c.Flags().StringVar(&o.listen, "listen", "", "`HOST:PORT` to listen on, in place of the configuration's")
	c.Flags().StringSliceVar(&o.rules, "rules", nil, "`PATHS` of rules, in place of the configuration's")
	return c
}

// read reads the configuration, and shows what is wrong with it.
func (o *serverOptions) read(p *program) (*config.Config, error) {
	var text []byte
	if o.config != "" {
		var err error
		if text, err = os.ReadFile(o.config); err != nil {
			return nil, failure(fmt.Errorf("read the configuration %s: %s", o.config, pathError(err)))
		}
	}
	c, problems := config.Read(o.config, text, os.LookupEnv)
	for _, problem := range problems {
		p.problem(p.stderr, problem)
	}
	if len(problems) > 0 {
		return nil, failure(fmt.Errorf("the configuration %s has %s", o.config, counted(len(problems), "problem")))
	}
	if o.data != "" {
		c.Data = o.data
	}
	if o.listen != "" {
		c.Listen.Address = o.listen
	}
	if len(o.rules) > 0 {
		c.Rules = o.rules
	}
	return c, nil
}

func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

func (p *program) serve(ctx context.Context, o serverOptions) error {
	c, err := o.read(p)
	if err != nil {
		return err
	}
	s, err := server.Open(ctx, server.Options{Config: c, LoadRules: loadRules, Version: versionText(), Log: p.logger(c.Log)})
	if err != nil {
		return failure(err)
	}
	p.welcome(s)
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	go func() { // ends with the process
		for range hup {
			s.Reload()
		}
	}()
	err = s.Run(ctx)
	return failure(errors.Join(err, s.Close()))
}

// welcome tells where to send events.
func (p *program) welcome(s *server.Server) {
	run, skipped := s.Rules()
	address := s.Address()
	fmt.Fprintf(p.text, "listening on %s with %s (%d do not run)\n", address, counted(run, "rule"), skipped)
	fmt.Fprintf(p.text, "send events to %s as to Elasticsearch, or one a line to %s/v1/events\n", address, address)
	if print := s.Fingerprint(); print != "" {
		fmt.Fprintf(p.text, "certificate (SHA-256): %s\n", print)
	}
	if key := s.FirstKey(); key != "" {
		fmt.Fprintf(p.text, "first key, for everything, shown only now: %s\n", key)
	}
}

// logger makes the log of a server.
func (p *program) logger(l config.Log) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(l.Level)) // checked already
	opt := &slog.HandlerOptions{Level: level}
	if l.Format == "json" {
		return slog.New(slog.NewJSONHandler(p.stderr, opt))
	}
	return slog.New(slog.NewTextHandler(p.stderr, opt))
}

// configCommand has the commands on configurations.
func (p *program) configCommand() *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "Check or print the configuration of a server", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	c.AddCommand(&cobra.Command{
		Use: "check FILE", Short: "Show what is wrong with a configuration", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			o := serverOptions{config: args[0]}
			if _, err := o.read(p); err != nil {
				return err
			}
			fmt.Fprintf(p.text, "%s is sound\n", args[0])
			return nil
		},
	}, &cobra.Command{
		Use: "print [FILE]", Short: "Print a configuration with all defaults, secrets hidden", Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			o := serverOptions{}
			if len(args) == 1 {
				o.config = args[0]
			}
			c, err := o.read(p)
			if err != nil {
				return err
			}
			return failure(c.Print(p.text))
		},
	})
	return c
}

// within waits for what needs the store of a server that may be busy.
const within = time.Minute

// notStarted tells that there is no server's data where it was looked for.
func notStarted(c *config.Config) error {
	if c.Store.URL != "" {
		return nil
	}
	if _, err := os.Stat(server.StorePath(c)); errors.Is(err, fs.ErrNotExist) {
		return failure(fmt.Errorf("there is no store in %s: name the folder of a server with --data, or its configuration with --config", c.Data))
	}
	return nil
}
