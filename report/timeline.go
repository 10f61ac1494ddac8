package report

// When alerts happened: a histogram whose bars grow with the range of times, so
// that it stays small however many alerts there are and however far apart.

import (
	"maps"
	"slices"
)

// maxBins bounds the bars that are kept; a chart shows chartBars of them.
const (
	maxBins   = 2048
	chartBars = 72
)

// bin counts alerts by the rank of their severity.
type bin [4]int64

func (b bin) total() int64 { return b[0] + b[1] + b[2] + b[3] }

// histogram counts alerts by time. The zero value is empty.
type histogram struct {
	width int64 // of a bin, in seconds
	bins  map[int64]bin
}

func (h *histogram) add(sec int64, severity int) {
	if h.bins == nil {
		h.width, h.bins = 1, map[int64]bin{}
	}
	at := floor(sec, h.width)
	b := h.bins[at]
	b[max(0, severity)]++
	h.bins[at] = b
	if len(h.bins) > maxBins {
		h.widen()
	}
}

// widen doubles the width of the bins.
func (h *histogram) widen() {
	h.width *= 2
	wider := map[int64]bin{}
	for at, b := range h.bins {
		w := wider[floor(at, 2)]
		for i, n := range b {
			w[i] += n
		}
		wider[floor(at, 2)] = w
	}
	h.bins = wider
}

func floor(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// steps are the widths of bars that people can read a time from, in seconds.
var steps = [...]int64{1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400, 7 * 86400, 30 * 86400}

// chart gives bars of one width from the first alert to the last.
func (h *histogram) chart() (start, width int64, bars []bin) {
	if len(h.bins) == 0 {
		return 0, 0, nil
	}
	keys := slices.Sorted(maps.Keys(h.bins))
	from, to := keys[0]*h.width, (keys[len(keys)-1]+1)*h.width
	for _, width = range steps {
		if width >= h.width && floor(to-1, width)-floor(from, width) < chartBars {
			break
		}
	}
	for floor(to-1, width)-floor(from, width) >= chartBars {
		width *= 2
	}
	first := floor(from, width)
	bars = make([]bin, floor(to-1, width)-first+1)
	for at, b := range h.bins {
		for i, n := range b {
			bars[floor(at*h.width, width)-first][i] += n
		}
	}
	return first * width, width, bars
}

// widthText says how long a bar is.
func widthText(sec int64) string {
	switch {
	case sec%86400 == 0 && sec > 86400:
		return number(sec/86400) + " days"
	case sec == 86400:
		return "a day"
	case sec == 3600:
		return "an hour"
	case sec == 60:
		return "a minute"
	case sec%3600 == 0:
		return number(sec/3600) + " hours"
	case sec%60 == 0:
		return number(sec/60) + " minutes"
	case sec == 1:
		return "a second"
	}
	return number(sec) + " seconds"
}
