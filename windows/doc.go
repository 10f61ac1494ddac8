// Package windows turns records of Windows event logs into events of the Elastic
// Common Schema, with the fields Elastic's own integrations give them.
//
//	record of EVTX ───────────────┐
//	JSON ─Recognise, Parser─▶ Record ─History─▶ Record with its Lineage ─Mapper─▶ ECS document
//
// What records become is written in tables, one file per provider (sysmon.go,
// security.go, …): which category a number has, which field an item fills, how its
// text is read. compile turns them into what a Mapper follows; Profiles reads from
// them what a source can supply, so that the two cannot differ.
//
// # Who may run beside whom
//
// A Parser and a Mapper reuse their memory and belong to one goroutine each; any
// number of them may work side by side. A History needs the records of a host in the
// order of their time, so there is one, or one for each share of the hosts; it comes
// before the Mappers and hands its findings over in the Record.
//
// # Memory
//
// The texts of a Record belong to whoever made it. A document that a Mapper appended
// shares nothing with it. A Lineage shares memory with its History, which never
// changes what it gave away.
//
// The package is part of the program, not of its promised interface.
package windows
