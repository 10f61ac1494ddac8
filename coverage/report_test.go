package coverage_test

import (
	"fmt"
	"testing"

	"github.com/shrike-project/shrike/coverage"
	"github.com/shrike-project/shrike/rule"
)

func TestReport(t *testing.T) {
	var compiled []*coverage.Rule
	for i, query := range []string{
		`process where process.code_signature.trusted == true`,
		`process where process.name : "x"`,
		`sequence by host.id [process where process.hash.sha256 : "a"] [authentication where source.ip == "10.0.0.1"]`,
		`library where true`,
	} {
		r := parse(t, query)
		r.Threat = []rule.Threat{{Techniques: []rule.Technique{{
			Reference: rule.Reference{ID: "T1", Name: "One"}, Subtechniques: []rule.Reference{{ID: fmt.Sprintf("T1.%d", i/2), Name: "Part"}},
		}}}}
		compiled = append(compiled, coverage.Compile(r, coverage.Options{}))
	}
	rep := coverage.NewReport(compiled, []*coverage.Source{source(t, "sysmon"), source(t, "security")})
	got := ""
	for _, r := range rep.Rules {
		got += fmt.Sprintf("%.20s: %s %s\n", r.Name, r.Sources[0].Source, text(r.Best()))
	}
	for _, tech := range rep.Techniques {
		got += fmt.Sprintf("%+v\n", tech)
	}
	got += rep.Counts.String()
	const want = `process where proces: sysmon full
sequence by host.id : together full
process where proces: sysmon blind; blind process.code_signature.trusted == true
library where true: sysmon not applicable
{ID:T1 Name:One Full:2 Degraded:1 None:1}
{ID:T1.0 Name:One: Part Full:1 Degraded:1 None:0}
{ID:T1.1 Name:One: Part Full:1 Degraded:0 None:1}
2 full, 1 degraded (1 blind), 1 not applicable`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if none := coverage.NewReport(compiled, nil); none.Counts.NotApplicable != 4 {
		t.Errorf("without a source: %s", none.Counts)
	}
}
