package eqltest_test

import "github.com/shrike-project/shrike/eql"

func runCorrelation(c *tally, name string, q *eql.Query, v queryVector, ds *dataSet, size int) {
	c.skip(name, "sequences and samples are not evaluated yet")
}

func runSeries(c *tally, cv caseVector) {
	c.skip(cv.Name, "sequences are not evaluated yet")
}
