package eqltest_test

// Whole queries over the data sets of the vectors.

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/eqltest"
	"github.com/shrike-project/shrike/event"
)

// queryVector is one [[queries]] block.
type queryVector struct {
	Name             string
	Query            string
	ExpectedEventIDs []any    `toml:"expected_event_ids"`
	JoinKeys         []string `toml:"join_keys"`
	Size             *int
	MaxSamplesPerKey int  `toml:"max_samples_per_key"`
	CaseSensitive    bool `toml:"case_sensitive"`
	CaseInsensitive  bool `toml:"case_insensitive"`
}

// alternatives gives the lists of ids any of which is right.
func (v queryVector) alternatives() [][]int64 {
	var flat []int64
	var lists [][]int64
	for _, id := range v.ExpectedEventIDs {
		switch id := id.(type) {
		case int64:
			flat = append(flat, id)
		case []any:
			var list []int64
			for _, id := range id {
				list = append(list, id.(int64))
			}
			lists = append(lists, list)
		}
	}
	if lists == nil {
		lists = [][]int64{flat}
	}
	return lists
}

func runQueries(c *tally, path string, vectors []queryVector) {
	ds, err := loadDataSet(path)
	if err != nil {
		c.fail("data", "%v", err)
		return
	}
	for i, v := range vectors {
		name := v.Name
		if name == "" {
			name = fmt.Sprintf("query %d", i+1)
		}
		q, err := eql.Parse(v.Query)
		if err != nil {
			c.fail(name, "%v\n%s", err, v.Query)
			continue
		}
		if err := eqltest.RoundTrip(q); err != nil {
			c.fail(name, "%v", err)
			continue
		}
		if problems := eql.Check(q, eql.CheckOptions{Types: ds.types}); len(problems) > 0 {
			c.fail(name, "%v", problems)
			continue
		}
		runQuery(c, name, q, v, ds)
	}
}

func runQuery(c *tally, name string, q *eql.Query, v queryVector, ds *dataSet) {
	c.asked, c.ds = append(c.asked, q.EventQueries()...), ds
	size := 100000
	if v.Size != nil {
		size = *v.Size
	}
	if q.Event == nil {
		runCorrelation(c, name, q, v, ds, size)
		return
	}
	ids, err := ds.run(q.Event, q)
	if err != nil {
		c.fail(name, "%v", err)
		return
	}
	c.check(name, expectIDs(limit(ids, q.Pipes, size), v))
}

func expectIDs(got []int64, v queryVector) error {
	for _, want := range v.alternatives() {
		if slices.Equal(got, want) {
			return nil
		}
	}
	return fmt.Errorf("events %v, expected %v\n%s", got, v.ExpectedEventIDs, strings.TrimSpace(v.Query))
}

// limit applies the size of a request and pipes to a list of results: the size first,
// in the direction of the first pipe.
func limit[T any](list []T, pipes []eql.Pipe, size int) []T {
	n := min(size, len(list))
	if len(pipes) > 0 && pipes[0].Name == "tail" {
		list = list[len(list)-n:]
	} else {
		list = list[:n]
	}
	for _, p := range pipes {
		n := min(p.Count, len(list))
		if p.Name == "head" {
			list = list[:n]
		} else {
			list = list[len(list)-n:]
		}
	}
	return list
}

// run gives the ids of the events that match, in time order.
func (ds *dataSet) run(q *eql.EventQuery, of *eql.Query) ([]int64, error) {
	fields := event.NewFieldSet(ds.types)
	cond, err := eql.Compile(q, fields, eql.CompileOptions{})
	if err != nil {
		return nil, err
	}
	ids := []int64{}
	err = ds.each(fields, func(d document, ev *event.Event) {
		holds := cond.Matches(ev)
		if (cond.Trace(ev).Result == eql.True) != holds {
			panic("the trace disagrees with the condition: " + of.Source)
		}
		if holds {
			ids = append(ids, d.id)
		}
	})
	return ids, err
}

// dataFolder gives the folder that holds a file of data: beside the vectors, or
// where the default vectors lie.
func dataFolder(path string) []string {
	dir := filepath.Dir(path)
	return []string{dir, filepath.Join(dir, "data"), filepath.Join(dir, "..", "python-eql"), filepath.Join(dir, "python-eql"),
		filepath.Join(defaultConformance, "elasticsearch", "data"), filepath.Join(defaultConformance, "python-eql"), defaultConformance}
}
