package rule

import (
	"fmt"
	"regexp"
	"strconv"
	"time"
)

var units = map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}

var intervalForm = regexp.MustCompile(`^([0-9]+)([smhdw])$`)

// ParseInterval reads a time such as 5m; the units are s, m, h, d and w.
func ParseInterval(s string) (time.Duration, error) {
	m := intervalForm.FindStringSubmatch(s)
	if m == nil {
		return 0, fmt.Errorf("%q is not a time such as 5m", s)
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil || n > int64((1<<63-1)/units[m[2]]) {
		return 0, fmt.Errorf("the time %q is too long", s)
	}
	return time.Duration(n) * units[m[2]], nil
}

var lookBackForm = regexp.MustCompile(`^now(?:-([0-9]+)([smhdw]))?(?:/[smhdwMy])?$`)

// parseLookBack reads how far date math such as now-9m reaches back.
func parseLookBack(s string) (time.Duration, error) {
	m := lookBackForm.FindStringSubmatch(s)
	if m == nil {
		return 0, fmt.Errorf("%q is not a time before now such as now-9m", s)
	}
	if m[1] == "" {
		return 0, nil
	}
	return ParseInterval(m[1] + m[2])
}
