package rule

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

var units = map[string]time.Duration{
	"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour,
	// Months and years have no one length; these are near enough for how far back to look.
	"M": 30 * 24 * time.Hour, "y": 365 * 24 * time.Hour,
}

var intervalForm = regexp.MustCompile(`^([0-9]+)([smhdw])$`)

// ParseInterval reads a time such as 5m; the units are s, m, h, d and w.
func ParseInterval(s string) (time.Duration, error) {
	m := intervalForm.FindStringSubmatch(s)
	if m == nil {
		return 0, fmt.Errorf("%q is not a time such as 5m", s)
	}
	return span(m[1], m[2])
}

func span(count, unit string) (time.Duration, error) {
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil || n > int64((1<<63-1)/units[unit]) {
		return 0, fmt.Errorf("the time %q is too long", count+unit)
	}
	return time.Duration(n) * units[unit], nil
}

var lookBackForm = regexp.MustCompile(`^now(?:-([0-9]+)([smhdwMy]))?(?:/[smhdwMy])?$`)

// parseLookBack reads how far date math such as now-9m reaches back.
func parseLookBack(s string) (time.Duration, error) {
	m := lookBackForm.FindStringSubmatch(s)
	if m == nil {
		return 0, fmt.Errorf("%q is not a time before now such as now-9m", s)
	}
	if m[1] == "" {
		return 0, nil
	}
	return span(m[1], m[2])
}
