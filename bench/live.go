package main

// How many keys the rules that need several events keep over the live data.

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/shrike-project/shrike/detect"
	"github.com/shrike-project/shrike/event"
	"github.com/shrike-project/shrike/rule"
)

// keysRole is what this program is called with to count keys.
const keysRole = "keys"

// liveKeys gives the keys that are live at the end of N events and of 2N.
func liveKeys(rules ruleset, d dataset) (keys [2]int, err error) {
	for i, path := range []string{d.Small, d.Large} {
		text, err := ownRole(keysRole, rules.Dir, path)
		if err != nil {
			return keys, err
		}
		if keys[i], err = strconv.Atoi(strings.TrimSpace(string(text))); err != nil {
			return keys, err
		}
	}
	return keys, nil
}

func printKeys(args []string) error {
	set, err := rule.Load(os.DirFS(args[0]), ".", "")
	if err != nil {
		return err
	}
	d := detect.New(set.Rules, detect.Options{})
	stream, decoder, matcher := d.NewStream(detect.StreamOptions{Lateness: time.Minute}), d.NewDecoder(), d.NewMatcher()
	f, err := os.Open(args[1])
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 1<<26)
	var ev event.Event
	var hits detect.Hits
	for sc.Scan() && err == nil {
		if err := decoder.Decode(sc.Bytes(), &ev); err != nil {
			return err
		}
		matcher.Match(&ev, &hits)
		matcher.Arrivals(&ev, &hits, func(a *detect.Arrival) {
			if observeErr := stream.Observe(a, func(*detect.Signal) {}); err == nil {
				err = observeErr
			}
		})
	}
	if err == nil {
		err = sc.Err()
	}
	fmt.Println(stream.Stats().Keys)
	return err
}
