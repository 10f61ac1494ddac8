package main

import (
	"context"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"shrike": main})
}

// TestCommands runs the command lines of testdata.
func TestCommands(t *testing.T) {
	examples, err := os.ReadFile("../../examples/endpoint.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			return os.WriteFile(env.WorkDir+"/endpoint.ndjson", examples, 0o600)
		},
	})
}

func TestStoppedScanPrintsItsSummary(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out, errs tail
	p := newProgram(nil, &out, &errs, nil)
	status := p.run(ctx, []string{"scan", "-o", "jsonl", "../../examples/endpoint.ndjson"})
	if status != exitStopped || !errs.contains("Stopped before the end of the input.") || !errs.contains("0 events") {
		t.Errorf("status %d, standard error:\n%s", status, errs)
	}
}
