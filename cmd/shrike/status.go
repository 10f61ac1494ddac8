package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/shrike-project/shrike/pipeline"
	"github.com/shrike-project/shrike/server"
	"github.com/shrike-project/shrike/store"
)

// serverStatus is what the store of a server tells.
type serverStatus struct {
	Position uint64                 `json:"position"`
	Newest   string                 `json:"newest,omitempty"`
	Holes    []pipeline.Hole        `json:"holes"`
	Rules    int                    `json:"rules"`
	Youngest *time.Time             `json:"youngest_rule,omitempty"`
	Alerts   []store.Count          `json:"alerts"`
	Outbox   map[string]store.Depth `json:"outbox"`
	Keys     int                    `json:"keys"`
}

func (p *program) statusCommand() *cobra.Command {
	var o serverOptions
	var asJSON bool
	c := &cobra.Command{
		Use: "status", Short: "Show what the store of a server tells, whether it runs or not", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.withStore(c.Context(), &o, func(ctx context.Context, s *store.Store) error {
				st, err := readStatus(ctx, s)
				if err != nil {
					return err
				}
				if asJSON {
					return p.writeJSON(st)
				}
				p.printStatus(st)
				return nil
			})
		},
	}
	o.flags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return c
}

func readStatus(ctx context.Context, s *store.Store) (*serverStatus, error) {
	out := &serverStatus{Holes: []pipeline.Hole{}}
	state, err := server.ReadState(ctx, s)
	switch {
	case errors.Is(err, store.ErrNotFound): // nothing was judged yet
	case err != nil:
		return nil, err
	default:
		out.Position, out.Newest, out.Rules = state.Position, state.Newest, len(state.Rules)
		out.Holes = append(out.Holes, state.Holes...)
		for _, since := range state.Rules {
			if out.Youngest == nil || since.At.After(*out.Youngest) {
				out.Youngest = &since.At
			}
		}
	}
	keys, err := s.Keys(ctx)
	if err != nil {
		return nil, err
	}
	for _, k := range keys {
		if !k.Revoked {
			out.Keys++
		}
	}
	if out.Alerts, err = s.Counts(ctx); err != nil {
		return nil, err
	}
	out.Outbox, err = s.Depths(ctx)
	return out, err
}

func (p *program) printStatus(st *serverStatus) {
	line := func(name, format string, args ...any) {
		fmt.Fprintf(p.text, "%-10s %s\n", name, fmt.Sprintf(format, args...))
	}
	newest := st.Newest
	if newest == "" {
		newest = "none yet"
	}
	line("judged", "to block %d of the journal; newest event %s", st.Position, newest)
	if len(st.Holes) == 0 {
		line("holes", "none")
	}
	for _, h := range st.Holes {
		line("hole", "blocks %d to %d, noticed %s", h.From, h.To, h.Noticed.Format(time.RFC3339))
	}
	if st.Youngest != nil {
		line("rules", "%d, the youngest since %s", st.Rules, st.Youngest.Format(time.RFC3339))
	}
	byStatus := map[string][]string{}
	for _, c := range st.Alerts {
		byStatus[c.Status] = append(byStatus[c.Status], fmt.Sprintf("%d %s", c.N, c.Severity))
	}
	for _, status := range store.Statuses {
		if list := byStatus[status]; len(list) > 0 {
			line(status, "%s", strings.Join(list, ", "))
		}
	}
	var sinks []string
	for name := range st.Outbox {
		sinks = append(sinks, name)
	}
	slices.Sort(sinks)
	for _, name := range sinks {
		line("sink", "%s: %d wait, %d given up", safeText(name), st.Outbox[name].Waiting, st.Outbox[name].Dead)
	}
	line("keys", "%d", st.Keys)
}
