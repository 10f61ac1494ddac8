// Command peers reads events with other decoders, for comparison. It is a module of
// its own, so that they are no dependencies of Shrike.
//
//	peers -decoder map|goccy|fastjson -fields a.b,c FILE
//
// "map" is encoding/json into a map, from which the fields are then looked up; goccy is
// goccy/go-json into a struct of the fields; fastjson walks to each field. The types of
// the struct are those of the values in the first events.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"reflect"
	"strings"

	goccy "github.com/goccy/go-json"
	"github.com/valyala/fastjson"
)

func main() {
	decoder := flag.String("decoder", "map", "map, goccy or fastjson")
	fields := flag.String("fields", "", "the fields that are wanted, with commas between")
	flag.Parse()
	log.SetFlags(0)
	found, err := run(*decoder, strings.Split(*fields, ","), flag.Arg(0))
	if err != nil {
		log.Fatal("peers: ", err)
	}
	fmt.Println(found)
}

// run gives how many values were found.
func run(decoder string, fields []string, path string) (found int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	var each func(line []byte) (int, error)
	switch decoder {
	case "map":
		each = intoMap(fields)
	case "goccy":
		if each, err = intoStruct(fields, f); err != nil {
			return 0, err
		}
	case "fastjson":
		each = walk(fields)
	default:
		return 0, fmt.Errorf("unknown decoder %q", decoder)
	}
	return found, lines(f, func(line []byte) error {
		n, err := each(line)
		found += n
		return err
	})
}

func lines(r io.Reader, each func([]byte) error) error {
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 1<<20), 1<<26)
	for sc.Scan() {
		if err := each(sc.Bytes()); err != nil {
			return err
		}
	}
	return sc.Err()
}

func split(fields []string) (paths [][]string) {
	for _, f := range fields {
		paths = append(paths, strings.Split(f, "."))
	}
	return paths
}

func intoMap(fields []string) func([]byte) (int, error) {
	paths := split(fields)
	return func(line []byte) (int, error) {
		var doc map[string]any
		if err := json.Unmarshal(line, &doc); err != nil {
			return 0, err
		}
		found := 0
		for _, path := range paths {
			if lookup(doc, path) != nil {
				found++
			}
		}
		return found, nil
	}
}

func lookup(doc map[string]any, path []string) any {
	for _, p := range path[:len(path)-1] {
		inner, ok := doc[p].(map[string]any)
		if !ok {
			return nil
		}
		doc = inner
	}
	return doc[path[len(path)-1]]
}

func walk(fields []string) func([]byte) (int, error) {
	paths := split(fields)
	var p fastjson.Parser
	return func(line []byte) (int, error) {
		doc, err := p.ParseBytes(line)
		if err != nil {
			return 0, err
		}
		found := 0
		for _, path := range paths {
			if v := doc.Get(path...); v != nil {
				found++
				if v.Type() == fastjson.TypeString {
					_, _ = v.StringBytes() // unescapes
				}
			}
		}
		return found, nil
	}
}

// tree is a struct on its way: the fields below one name.
type tree struct {
	names  []string
	below  map[string]*tree
	sample any // a value of a leaf
}

func (t *tree) at(path []string) *tree {
	for _, name := range path {
		if t.below == nil {
			t.below = map[string]*tree{}
		}
		if t.below[name] == nil {
			t.below[name] = &tree{}
			t.names = append(t.names, name)
		}
		t = t.below[name]
	}
	return t
}

func (t *tree) structType() reflect.Type {
	if t.below == nil {
		switch t.sample.(type) {
		case float64:
			return reflect.TypeFor[float64]()
		case bool:
			return reflect.TypeFor[bool]()
		case []any, map[string]any:
			return reflect.TypeFor[any]()
		}
		return reflect.TypeFor[string]()
	}
	var fields []reflect.StructField
	for i, name := range t.names {
		fields = append(fields, reflect.StructField{Name: fmt.Sprintf("F%d", i), Type: t.below[name].structType(), Tag: reflect.StructTag(fmt.Sprintf("json:%q", name))})
	}
	return reflect.StructOf(fields)
}

var errEnough = errors.New("enough")

// intoStruct looks at the first thousand events for the types of the fields.
func intoStruct(fields []string, f *os.File) (func([]byte) (int, error), error) {
	paths := split(fields)
	root := &tree{}
	n := 0
	err := lines(f, func(line []byte) error {
		var doc map[string]any
		if err := json.Unmarshal(line, &doc); err != nil {
			return err
		}
		for _, path := range paths {
			if leaf := root.at(path); leaf.sample == nil {
				leaf.sample = lookup(doc, path)
			}
		}
		if n++; n == 1000 {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	doc := reflect.New(root.structType())
	into := doc.Interface()
	return func(line []byte) (int, error) {
		doc.Elem().SetZero()
		err := goccy.Unmarshal(line, into)
		return 1, err
	}, nil
}
