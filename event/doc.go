// Package event turns one JSON document into typed fields.
//
//	document bytes ─Decoder─▶ Event ─Values(Field)─▶ []Value
//	                  ▲
//	              FieldSet (the fields somebody asked for, with their Types)
//
// A document may nest its fields, write them with dots, or mix both:
// {"process":{"name":"a"}}, {"process.name":"a"} and {"process":{"x":1},
// "process.name":"a"} all hold the field process.name. Arrays, arrays of
// arrays and arrays of objects flatten: a field holds zero or more values.
// JSON null and empty arrays hold none.
//
// # Types
//
// Types knows the Elasticsearch type of the fields of the Elastic Common Schema
// and of Elastic Defend, and of the other fields public rules name. A known
// field is read as Elasticsearch would read it: "443" in a long is the number,
// 443 in a keyword is the text. A value that its type cannot read is dropped
// and counted (Event.Unreadable). An unknown field has the type of its value.
//
// # What is checked
//
// The decoder walks only the objects that can hold a wanted field and checks
// their syntax. Other values are passed by balancing brackets and strings, so
// their inner syntax is not checked. A document that is truncated, is not one
// object, or nests deeper than MaxDepth is refused with an *Error.
//
// # Memory
//
// An Event belongs to one goroutine and is reused from document to document.
// Its values may point into the document's bytes: they are valid until the next
// Decode, or until the bytes change. Value.Clone makes a copy to keep.
//
// # Whole documents
//
// A TreeReader reads all of a document, into Nodes that can be looked at and written
// again; Document gives the same as maps. They read whatever a Decoder accepts.
//
// The package is part of Shrike's promised interface for other Go programs.
package event
