package shrike_test

import (
	"fmt"

	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/rule"
)

func Example() {
	set := rule.Read("office.toml", []byte(`
		[rule]
		rule_id = "office-shell"
		name = "Shell started by Word"
		description = "Word started a shell."
		type = "eql"
		severity = "high"
		risk_score = 73
		query = 'process where process.parent.name : "winword.exe" and process.name : ("cmd.exe", "powershell.exe")'`))
	d := detect.New(set.Rules, detect.Options{})
	decoder, matcher := d.NewDecoder(), d.NewMatcher()

	var ev event.Event
	var hits detect.Hits
	for _, doc := range []string{
		`{"event":{"category":"process"},"process":{"name":"cmd.exe","parent":{"name":"WINWORD.EXE"}}}`,
		`{"event":{"category":"process"},"process":{"name":"cmd.exe","parent":{"name":"explorer.exe"}}}`,
	} {
		if err := decoder.Decode([]byte(doc), &ev); err != nil {
			fmt.Println(err)
			continue
		}
		matcher.Match(&ev, &hits)
		d.Signals(&ev, &hits, func(s *detect.Signal) {
			fmt.Println(s.Rule.Name)
			for _, test := range s.Traces()[0].Decisive() {
				fmt.Println(" ", test.Expr)
			}
		})
	}
	// Output:
	// Shell started by Word
	//   event.category is "process"
	//   process.parent.name : "winword.exe"
	//   process.name : ("cmd.exe", "powershell.exe")
}
