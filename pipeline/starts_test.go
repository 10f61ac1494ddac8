package pipeline_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/pipeline"
	"github.com/shrike-project/shrike/rule"
)

func TestOneStartIsOneAlert(t *testing.T) {
	f := func(name string, docs string, alerts int, twice int64) {
		t.Helper()
		r := oneRule(t, "one", "process where true")
		d := detect.New([]*rule.Rule{r}, detect.Options{})
		n := 0
		_, stats, err := pipeline.Detect(context.Background(), &batches{list: []event.Batch{{Name: "f", Data: []byte(docs)}}}, d, pipeline.DetectOptions{
			Run: alert.Run{Now: time.Unix(0, 0), UUID: "r"}, Emit: func(*alert.Alert) error { n++; return nil }, Stream: detect.StreamOptions{Lateness: detect.Unlimited},
		})
		if err != nil || n != alerts || stats.Twice != twice {
			t.Errorf("%s: %d alerts, %d left out, error %v", name, n, stats.Twice, err)
		}
	}
	doc := func(code int, entity, same string) string {
		return fmt.Sprintf(`{"event":{"category":"process","code":"%d"},"process":{"entity_id":%q},"shrike":{"same_start":%q}}`+"\n", code, entity, same)
	}
	f("both logs", doc(1, "a", "")+doc(4688, "a", "a"), 1, 1)
	f("an entity id of its own", doc(4688, "made", "")+doc(1, "{guid}", "made"), 1, 1)
	f("the second comes first", doc(4688, "a", "a")+doc(1, "a", ""), 1, 1)
	f("two starts", doc(1, "a", "")+doc(4688, "b", "b"), 2, 0)
	f("a fork and an exec", `{"event":{"category":"process"},"process":{"entity_id":"a"},"n":1}`+"\n"+`{"event":{"category":"process"},"process":{"entity_id":"a"},"n":2}`+"\n", 2, 0)
}
