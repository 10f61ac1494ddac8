package main

// What the benchmarks ask of a scan; nobody else needs it, so that help is silent about it.

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"

	"github.com/spf13/cobra"
)

// measureOptions are hidden flags.
type measureOptions struct {
	plain   bool
	profile string
	memory  string
}

func (o *measureOptions) add(c *cobra.Command) {
	f := c.Flags()
	f.BoolVar(&o.plain, "plain", false, "ask each condition by itself instead of the network of all: slow, and the same alerts")
	f.StringVar(&o.profile, "cpuprofile", "", "write a profile of the processor time to `FILE`")
	f.StringVar(&o.memory, "memstats", "", "write what was allocated, as JSON, to `FILE`")
	for _, name := range []string{"plain", "cpuprofile", "memstats"} {
		_ = f.MarkHidden(name) // it is there
	}
}

// start begins to measure. The function it gives ends that.
func (o *measureOptions) start() (stop func() error, err error) {
	var profile *os.File
	if o.profile != "" {
		if profile, err = os.Create(o.profile); err != nil {
			return nil, fmt.Errorf("write a profile: %w", err)
		}
		if err := pprof.StartCPUProfile(profile); err != nil {
			return nil, fmt.Errorf("write a profile: %w", err)
		}
	}
	return func() error {
		if profile != nil {
			pprof.StopCPUProfile()
			if err := profile.Close(); err != nil {
				return fmt.Errorf("write a profile: %w", err)
			}
		}
		return o.writeMemory()
	}, nil
}

func (o *measureOptions) writeMemory() error {
	if o.memory == "" {
		return nil
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	text, err := json.Marshal(map[string]uint64{"mallocs": m.Mallocs, "bytes": m.TotalAlloc, "collections": uint64(m.NumGC)})
	if err == nil {
		err = os.WriteFile(o.memory, text, 0o644)
	}
	if err != nil {
		return fmt.Errorf("write what was allocated: %w", err)
	}
	return nil
}
