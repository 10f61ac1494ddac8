// Package bulk is the Elasticsearch ingest interface: what Elastic Agent, Beats,
// Logstash, Fluent Bit, Vector and rsyslog send to Elasticsearch, they can send here by
// changing an address.
//
//	request ─▶ who may ─▶ body (gzip, zstd, within bounds) ─▶ items ─▶ Journal.Accept ─▶ answer, item by item
//
// Events are answered for after the journal has them. They keep the name of the index
// or data stream they were sent to, as search hits do:
//
//	{"_index":"logs-endpoint.events.process-default","_id":"…","_source":{…}}
//
// Nothing is kept of what clients set up before they send, such as templates and
// pipelines: handshake.go lists what is answered so that they go on.
//
// # Bounds
//
// Bodies have a size, before and after decompression, and all bodies under way take a
// bounded amount of memory together; a client beyond that is told to wait, with 429
// and Retry-After, before its body is read.
//
// The package is part of the program, not of its promised interface.
package bulk
