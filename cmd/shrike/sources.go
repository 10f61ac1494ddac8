package main

import "github.com/shrike-project/shrike/source/file"

// sources are the sorts of files that are read, beside JSON that holds events as
// they are. What the first recognises it takes.
func sources(e *eventLogs) file.Options {
	return file.Options{
		Kinds:  []file.Kind{e.kind()},
		Shapes: e.shapes(),
	}
}
