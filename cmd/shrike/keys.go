package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/shrike-project/shrike/server"
	"github.com/shrike-project/shrike/store"
)

// withStore runs a command on the store of a server, which may run meanwhile.
func (p *program) withStore(ctx context.Context, o *serverOptions, run func(ctx context.Context, s *store.Store) error) error {
	c, err := o.read(p)
	if err != nil {
		return err
	}
	if err := notStarted(c); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	s, err := store.Open(ctx, server.StorePath(c))
	if err != nil {
		return failure(err)
	}
	defer s.Close()
	return failure(run(ctx, s))
}

func (p *program) keysCommand() *cobra.Command {
	var o serverOptions
	c := &cobra.Command{Use: "keys", Short: "Make, list and revoke the keys of a server", Args: cobra.NoArgs, RunE: func(c *cobra.Command, _ []string) error { return c.Help() }}
	var scopes []string
	var expires time.Duration
	create := &cobra.Command{
		Use: "create NAME", Short: "Make a key and print it", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.withStore(c.Context(), &o, func(ctx context.Context, s *store.Store) error {
				var until time.Time
				if expires > 0 {
					until = time.Now().Add(expires)
				}
				_, secret, err := s.CreateKey(ctx, args[0], scopes, until)
				if err == nil {
					fmt.Fprintln(p.text, secret)
				}
				return err
			})
		},
	}
	create.Flags().StringSliceVar(&scopes, "scope", []string{"ingest"}, "what it is for: "+strings.Join(store.Scopes, ", "))
	create.Flags().DurationVar(&expires, "expires", 0, "how long it is valid, as 720h; 0: until it is revoked")
	var asJSON bool
	list := &cobra.Command{
		Use: "list", Short: "List the keys", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return p.withStore(c.Context(), &o, func(ctx context.Context, s *store.Store) error {
				keys, err := s.Keys(ctx)
				if err != nil || asJSON {
					if err == nil {
						err = p.writeJSON(keys)
					}
					return err
				}
				for _, k := range keys {
					state := "valid"
					switch {
					case k.Revoked:
						state = "revoked"
					case !k.Expires.IsZero() && time.Now().After(k.Expires):
						state = "expired"
					}
					fmt.Fprintf(p.text, "%s  %-8s %-24s %s\n", k.ID, state, strings.Join(k.Scopes, ","), safeText(k.Name))
				}
				return nil
			})
		},
	}
	list.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	revoke := &cobra.Command{
		Use: "revoke ID", Short: "Make a key invalid from now on", Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.withStore(c.Context(), &o, func(ctx context.Context, s *store.Store) error { return s.RevokeKey(ctx, args[0]) })
		},
	}
	for _, sub := range []*cobra.Command{create, list, revoke} {
		o.flags(sub)
		c.AddCommand(sub)
	}
	return c
}

func (p *program) backupCommand() *cobra.Command {
	var o serverOptions
	c := &cobra.Command{
		Use: "backup FILE", Short: "Copy the store of a server, which may run meanwhile", Args: cobra.ExactArgs(1),
		Long: "Writes the alerts, their triage, the keys and the state of detection to a new file, as they are at one moment.\nA server whose data folder holds that file as shrike.db goes on from there.",
		RunE: func(c *cobra.Command, args []string) error {
			return p.withStore(c.Context(), &o, func(ctx context.Context, s *store.Store) error {
				if err := s.Backup(ctx, args[0]); err != nil {
					return err
				}
				fmt.Fprintf(p.text, "backed up to %s\n", args[0])
				return nil
			})
		},
	}
	o.flags(c)
	return c
}
