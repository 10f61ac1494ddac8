// Package windows turns records of Windows event logs into events of the Elastic
// Common Schema, with the fields Elastic's own integrations give them.
//
//	log record (EVTX, or one of its JSON shapes) ─▶ Record ─Mapper─▶ ECS document
//
// The package is part of the program, not of its promised interface.
package windows
