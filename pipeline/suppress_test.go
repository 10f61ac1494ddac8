package pipeline_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/pipeline"
	"github.com/shrike-project/shrike/rule"
)

// suppressionDocs are events of two hosts and of none, by the minute.
func suppressionDocs(minutes map[string][]int) []byte {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var docs []byte
	for _, host := range []string{"h1", "h2", ""} {
		for n, m := range minutes[host] {
			field := ""
			if host != "" {
				field = fmt.Sprintf(`,"host":{"name":%q}`, host)
			}
			docs = fmt.Appendf(docs, `{"@timestamp":%q,"step":"a","n":%d%s}`+"\n", start.Add(time.Duration(m)*time.Minute).Format(time.RFC3339), n, field)
		}
	}
	return docs
}

func TestSuppression(t *testing.T) {
	docs := suppressionDocs(map[string][]int{"h1": {0, 1, 3, 5, 6, 20, 4}, "h2": {2}, "": {0, 1}})
	f := func(name string, r *rule.Rule, want ...string) {
		t.Helper()
		for _, jobs := range []int{1, 3} {
			src := &batches{list: []event.Batch{{Name: "f", Data: docs}, {Name: "f", Data: docs}}} // each event twice
			var got []string
			blocks := 0
			_, stats, err := pipeline.Detect(t.Context(), src, detect.New([]*rule.Rule{r}, detect.Options{IgnoreIndex: true}), pipeline.DetectOptions{
				Scan: pipeline.ScanOptions{Jobs: jobs}, Stream: detect.StreamOptions{Lateness: detect.Unlimited},
				Emit: func(a *alert.Alert) error {
					if a.BuildingBlock {
						blocks++
						return nil
					}
					doc := a.Document()
					count, told := doc["kibana.alert.suppression.docs_count"]
					one := a.Time.String()[11:16] + " " + fmt.Sprint(a.Field("host.name"))
					if told {
						start, end := doc["kibana.alert.suppression.start"].(string), doc["kibana.alert.suppression.end"].(string)
						term := doc["kibana.alert.suppression.terms"].([]any)[0].(map[string]any)
						one += fmt.Sprintf(" +%v %s–%s %v", count, start[11:16], end[11:16], term["value"])
					}
					got = append(got, one)
					return nil
				},
			})
			if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: error %v, alerts\n%q, expected\n%q", name, err, got, want)
			}
			if r.EQL.Event == nil && blocks != 2*len(want) {
				t.Errorf("%s: %d building blocks", name, blocks)
			}
			if stats.Suppressed == 0 || r.EQL.Event != nil && int64(len(want))+stats.Suppressed != 10 {
				t.Errorf("%s: %d suppressed", name, stats.Suppressed)
			}
		}
	}
	query := `any where step == "a"`
	// What comes after a window has been closed, and is older, belongs to the one that is open.
	f("a window of five minutes", suppressed(liveRule(t, "r", query), 5*time.Minute, "host.name"),
		"12:00 [h1] +3 12:00–12:05 [h1]", "12:06 [h1] +0 12:06–12:06 [h1]", "12:20 [h1] +1 12:04–12:20 [h1]", "12:02 [h2] +0 12:02–12:02 [h2]", "12:00 [] +1 12:00–12:01 <nil>")
	alone := suppressed(liveRule(t, "r", query), time.Hour, "host.name")
	alone.AlertSuppression.MissingFields = "doNotSuppress"
	f("missing fields alone", alone, "12:00 []", "12:01 []", "12:00 [h1] +6 12:00–12:20 [h1]", "12:02 [h2] +0 12:02–12:02 [h2]")
	f("sequences, and no duration", suppressed(liveRule(t, "r", `sequence by host.name with maxspan=2m [any where step == "a"] [any where step == "a"]`), 0, "host.name"),
		"12:01 [h1] +4 12:01–12:06 [h1]")
}
