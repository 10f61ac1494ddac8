package report

// The chart over time: bars by severity, as SVG made of numbers alone.

import (
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/shrike-project/shrike/rule"
)

const chartWidth, chartHeight = 1080, 150

func (v *pageView) chart(h *histogram) {
	start, width, bars := h.chart()
	if len(bars) == 0 {
		return
	}
	for _, b := range bars {
		v.Peak = max(v.Peak, b.total())
	}
	at := func(i int) string { return time.Unix(start+int64(i)*width, 0).UTC().Format(timeLayout) }
	room := max(len(bars), chartBars/3) // a few bars do not fill the chart
	v.BarWidth, v.BarsFrom, v.BarsTo = widthText(width), at(0), at(room)
	step := float64(chartWidth) / float64(room)
	var s strings.Builder
	for i, b := range bars {
		if b.total() == 0 {
			continue
		}
		fmt.Fprintf(&s, "<g><title>%s: %s</title>", at(i), barText(b))
		y := float64(chartHeight)
		for rank, n := range b {
			if n == 0 {
				continue
			}
			height := max(1.5, float64(n)/float64(v.Peak)*(chartHeight-4))
			y -= height
			fmt.Fprintf(&s, `<rect class="fill-%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, rule.Severities[rank], float64(i)*step+0.5, y, max(1, step-1), height)
		}
		s.WriteString("</g>")
	}
	v.Chart = template.HTML(s.String())
}

func barText(b bin) string {
	var parts []string
	for rank := len(b) - 1; rank >= 0; rank-- {
		if b[rank] > 0 {
			parts = append(parts, number(b[rank])+" "+rule.Severities[rank])
		}
	}
	return strings.Join(parts, ", ")
}
