package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set by the linker in releases.
var version string

func versionText() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "development"
}

// build is what version prints as JSON.
type build struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

func (p *program) versionCommand() *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b := build{versionText(), runtime.Version(), runtime.GOOS, runtime.GOARCH}
			switch output {
			case "text":
				_, err := fmt.Fprintf(p.stdout, "shrike %s %s %s/%s\n", b.Version, b.Go, b.OS, b.Arch)
				return failure(err)
			case "json":
				return p.writeJSON(b)
			}
			return fmt.Errorf("unknown output %q; the outputs are text, json", output)
		},
	}
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return c
}
