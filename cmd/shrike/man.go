package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// manCommand writes the manual pages, for packages to install.
func (p *program) manCommand() *cobra.Command {
	return &cobra.Command{
		Use: "man FOLDER", Short: "Write manual pages into a folder", Args: cobra.ExactArgs(1), Hidden: true,
		RunE: func(c *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return failure(fmt.Errorf("make the folder: %w", err))
			}
			c.Root().DisableAutoGenTag = true
			return failure(doc.GenManTree(c.Root(), &doc.GenManHeader{Title: "SHRIKE", Section: "1", Source: "Shrike", Manual: "Shrike"}, args[0]))
		},
	}
}
