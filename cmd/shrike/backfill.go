package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/shrike-project/shrike/config"
	"github.com/shrike-project/shrike/pipeline"
	"github.com/shrike-project/shrike/server"
	"github.com/shrike-project/shrike/store"
)

// backfillOptions are the flags of backfill.
type backfillOptions struct {
	server   serverOptions
	rules    []string
	from, to moment
	journal  bool
	asJSON   bool
	input    inputOptions
}

func (p *program) backfillCommand() *cobra.Command {
	var o backfillOptions
	c := &cobra.Command{
		Use:   "backfill --rule RULE [--from TIME] [--to TIME] PATH…|--journal",
		Short: "Run rules of a server over events that were there before them",
		Long: "Runs rules over files of events, or over the journal of a server that is down, and puts the alerts into the server's store.\n\n" +
			"Alerts have the ids that live detection gives them, so that what was found before is not stored twice, and are marked manual.\n" +
			"A server that runs does it over its own journal when it is asked with POST /v1/backfill.",
		RunE: func(c *cobra.Command, args []string) error { return p.backfill(c.Context(), args, o) },
	}
	o.server.flags(c)
	f := c.Flags()
	f.StringArrayVar(&o.rules, "rule", nil, "id or name of a rule, with * for anything; may be repeated")
	f.StringSliceVar(&o.server.rules, "rules", nil, "`PATHS` of rules, in place of the configuration's")
	f.Var(&o.from, "from", "from this time of events on: 2026-03-01, 2026-03-01T10:00:00Z, or 12h or 7d ago")
	f.Var(&o.to, "to", "before this time")
	f.BoolVar(&o.journal, "journal", false, "over the journal of the server, which must not run")
	f.BoolVar(&o.asJSON, "json", false, "the result as JSON")
	f.Var(&o.input.format, "format", "what the files hold; auto looks at each")
	return c
}

func (p *program) backfill(ctx context.Context, paths []string, o backfillOptions) error {
	switch {
	case len(o.rules) == 0:
		return fmt.Errorf("name a rule with --rule")
	case o.journal == (len(paths) > 0):
		return fmt.Errorf("name files, or --journal")
	}
	c, err := o.server.read(p)
	if err != nil {
		return err
	}
	if err := notStarted(c); err != nil {
		return err
	}
	set := loadRules(c.Rules)
	p.reportProblems(set, false)
	b := &server.Backfill{Rules: server.ChooseRules(set.Rules, o.rules), Within: pipeline.Range{Since: o.from.at, Until: o.to.at}, Detect: c.Detect, Space: c.Space}
	if len(b.Rules) == 0 {
		return failure(fmt.Errorf("no rule is called %q", o.rules))
	}
	if b.Store, err = store.Open(ctx, server.StorePath(c)); err != nil {
		return failure(err)
	}
	defer b.Store.Close()
	r, err := p.runBackfill(ctx, b, c, paths, o)
	if err != nil {
		return failure(err)
	}
	if o.asJSON {
		return p.writeJSON(r)
	}
	fmt.Fprintf(p.text, "%s over %s, %d of them outside of the time asked for: %s, %d of them new\n",
		counted(len(b.Rules), "rule"), counted(int(r.Events), "event"), r.Outside, counted(int(r.Alerts), "alert"), r.Fresh)
	return nil
}

func (p *program) runBackfill(ctx context.Context, b *server.Backfill, c *config.Config, paths []string, o backfillOptions) (server.BackfillResult, error) {
	if o.journal {
		return b.RunOverJournal(ctx, c)
	}
	src := p.open(paths, o.input)
	defer src.Close()
	b.Source = src
	return b.Run(ctx)
}
