package main

import "github.com/spf13/cobra"

func (p *program) completionCommand(root *cobra.Command) *cobra.Command {
	shells := map[string]func() error{
		"bash":       func() error { return root.GenBashCompletionV2(p.stdout, true) },
		"zsh":        func() error { return root.GenZshCompletion(p.stdout) },
		"fish":       func() error { return root.GenFishCompletion(p.stdout, true) },
		"powershell": func() error { return root.GenPowerShellCompletionWithDesc(p.stdout) },
	}
	return &cobra.Command{
		Use:       "completion bash|zsh|fish|powershell",
		Short:     "Print a script that completes shrike's commands in a shell",
		Example:   "  source <(shrike completion bash)",
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		Args:      cobra.MatchAll(cobra.ExactArgs(1), cobra.OnlyValidArgs),
		RunE:      func(_ *cobra.Command, args []string) error { return failure(shells[args[0]]()) },
	}
}
