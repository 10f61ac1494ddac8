package eqltest_test

// The kinds of vectors that need no events: what parses, what the checker
// accepts, what constant expressions come to.

import (
	"fmt"
	"math"
	"os"
	"strings"

	"github.com/shrike-project/shrike/eql"
	"github.com/shrike-project/shrike/eqltest"
	"github.com/shrike-project/shrike/event"
)

// caseVector is a [[case]] of any file: a constant expression, a query to check
// against a schema, or a series of events for the sequence machine.
type caseVector struct {
	Name         string
	Expression   string
	Expected     any
	ExpectedNull bool `toml:"expected_null"`
	Error        string
	Query        string
	Stages       [][]string
	Matches      [][]string
}

// runParseFile runs paragraphs, each a query that must parse or must not.
func runParseFile(c *tally, path string, ok bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		c.fail("file", "%v", err)
		return
	}
	for i, paragraph := range strings.Split(string(text), "\n\n") {
		reason, query := splitComments(paragraph, ok)
		if strings.TrimSpace(query) == "" {
			continue
		}
		name := fmt.Sprintf("paragraph %d", i+1)
		q, err := eql.Parse(query)
		switch {
		case ok && err != nil:
			c.fail(name, "%v\n%s", err, query)
		case ok:
			c.check(name, eqltest.RoundTrip(q))
		case err == nil && len(eql.Check(q, eql.CheckOptions{})) == 0:
			c.fail(name, "%s was accepted (%s)", query, reason)
		default:
			c.pass()
		}
	}
}

// splitComments takes the lines of comment off a paragraph. Where a query is to
// be refused, a line "//" is the query itself.
func splitComments(paragraph string, ok bool) (comments, query string) {
	var notes, lines []string
	for _, line := range strings.Split(paragraph, "\n") {
		if strings.HasPrefix(line, "#") {
			notes = append(notes, strings.TrimSpace(strings.TrimPrefix(line, "#")))
		} else {
			lines = append(lines, line)
		}
	}
	return strings.Join(notes, " "), strings.Join(lines, "\n")
}

func runCases(c *tally, v vectorFile) {
	for _, cv := range v.Case {
		switch {
		case cv.Expression != "":
			c.check(cv.Name, runExpression(cv))
		case cv.Query != "":
			c.check(cv.Name, runVerification(cv, v.Schema))
		case cv.Stages != nil:
			runSeries(c, cv)
		default:
			c.fail(cv.Name, "a case of no known kind")
		}
	}
}

func runExpression(cv caseVector) error {
	e, err := eql.ParseExpr(cv.Expression)
	if err != nil {
		return expectError(err, cv.Error)
	}
	if problems := eql.CheckExpr(e, cv.Expression, eql.CheckOptions{Strict: true}); len(problems) > 0 {
		return expectError(problems, cv.Error)
	}
	if cv.Error != "" {
		return fmt.Errorf("%s was accepted, expected the error %q", cv.Expression, cv.Error)
	}
	v, ok := eql.Constant(e)
	if !ok {
		return fmt.Errorf("%s is no constant", cv.Expression)
	}
	if cv.ExpectedNull {
		cv.Expected = nil
	}
	if !sameValue(v, cv.Expected) {
		return fmt.Errorf("%s is %s %q, expected %v", cv.Expression, v.Kind(), v.Text(), cv.Expected)
	}
	return nil
}

func expectError(err error, want string) error {
	if want == "" || !strings.Contains(err.Error(), want) {
		return fmt.Errorf("error %q, expected %q", err, want)
	}
	return nil
}

// sameValue compares a value with one read from TOML; nil is null.
func sameValue(v event.Value, want any) bool {
	switch want := want.(type) {
	case nil:
		return v.IsNull()
	case string:
		return v.Kind() == event.String && v.Str() == want
	case bool:
		return v.Kind() == event.Bool && v.Bool() == want
	case int64:
		return v.IsNumber() && v.Float() == float64(want)
	case float64:
		return v.IsNumber() && math.Abs(v.Float()-want) <= 1e-12*math.Abs(want)
	}
	return false
}

func runVerification(cv caseVector, schema map[string]string) error {
	types := map[string]event.Type{}
	for name, typ := range schema {
		t, ok := event.ParseType(typ)
		if !ok {
			return fmt.Errorf("unknown type %q of field %s", typ, name)
		}
		types[name] = t
	}
	q, err := eql.Parse(cv.Query)
	if err == nil {
		if problems := eql.Check(q, eql.CheckOptions{Types: event.NewTypes(types), Strict: true}); len(problems) > 0 {
			err = problems
		}
	}
	switch {
	case err == nil && cv.Error == "":
		return eqltest.RoundTrip(q)
	case err == nil:
		return fmt.Errorf("%s was accepted, expected the error %q", cv.Query, cv.Error)
	}
	return expectError(err, cv.Error)
}
