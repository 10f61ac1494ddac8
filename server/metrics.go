package server

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/shrike-project/shrike/pipeline"
)

// metrics are the numbers of a server, in Prometheus' form.
type metrics struct {
	registry *prometheus.Registry
	events   prometheus.Counter
	bytes    prometheus.Counter
	batches  prometheus.Counter
	repeated prometheus.Counter
	alerts   *prometheus.CounterVec
	latency  prometheus.Histogram
	storing  prometheus.Counter
}

func newMetrics() *metrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Namespace: "shrike", Name: name, Help: help})
	}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		events:   counter("events_total", "Events that were judged."),
		bytes:    counter("event_bytes_total", "Bytes of the events that were judged."),
		batches:  counter("batches_total", "Batches of the journal that were judged."),
		repeated: counter("alerts_repeated_total", "Alerts that were found again and were there already."),
		storing:  counter("store_failures_total", "Transactions that failed and were tried again."),
		alerts: prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "shrike", Name: "alerts_total",
			Help: "Alerts that were found, building blocks and repeated ones included."}, []string{"rule_id", "severity"}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "shrike", Name: "judged_seconds",
			Help:    "Time from the arrival of a batch of events until all of its alerts are stored.",
			Buckets: []float64{.001, .002, .003, .005, .0075, .01, .015, .02, .03, .05, .075, .1, .15, .2, .3, .5, 1, 2, 5, 10, 30, 60, 300, 3600}}),
	}
	m.registry.MustRegister(m.events, m.bytes, m.batches, m.repeated, m.storing, m.alerts, m.latency,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// stored counts what a commit held.
func (m *metrics) stored(c pipeline.Committed) {
	for _, b := range c.Batches {
		m.batches.Inc()
		m.events.Add(float64(b.Events))
		m.bytes.Add(float64(b.Bytes))
		if !b.Received.IsZero() {
			m.latency.Observe(c.At.Sub(b.Received).Seconds())
		}
	}
	for _, a := range c.Alerts {
		m.alerts.WithLabelValues(a.RuleID, a.Severity).Inc()
	}
	m.repeated.Add(float64(len(c.Alerts) - c.Fresh))
}

// gauge adds a number that is asked for when metrics are read.
func (m *metrics) gauge(name, help string, value func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "shrike", Name: name, Help: help}, value))
}

// labelled adds numbers by a label, asked for when metrics are read.
func (m *metrics) labelled(name, help, label string, kind prometheus.ValueType, values func() map[string]float64) {
	m.registry.MustRegister(&labelledValues{prometheus.NewDesc("shrike_"+name, help, []string{label}, nil), kind, values})
}

type labelledValues struct {
	desc   *prometheus.Desc
	kind   prometheus.ValueType
	values func() map[string]float64
}

func (l *labelledValues) Describe(ch chan<- *prometheus.Desc) { ch <- l.desc }

func (l *labelledValues) Collect(ch chan<- prometheus.Metric) {
	for label, v := range l.values() {
		ch <- prometheus.MustNewConstMetric(l.desc, l.kind, v, label)
	}
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}
