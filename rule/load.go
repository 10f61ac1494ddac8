package rule

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Set is what a load has found.
type Set struct {
	// Rules are in the order of their files' names and of the files' lines.
	Rules []*Rule
	// Lists, Items and Connectors come from exports.
	Lists      []ExceptionList
	Items      []ExceptionItem
	Connectors []map[string]any
	// Files counts the files that were read, Details the lines of counts in
	// exports, Unknown the objects in exports of no known kind.
	Files, Details, Unknown int
	// Skipped are files that hold no rule, by reason.
	Skipped map[string][]string
	// Problems are those of files; a rule has its own.
	Problems []Problem
}

// AllProblems gives the problems of files and of rules.
func (s *Set) AllProblems() []Problem {
	list := slices.Clone(s.Problems)
	for _, r := range s.Rules {
		list = append(list, r.Problems...)
	}
	return list
}

// MaxFileBytes is the largest rule file that is read.
const MaxFileBytes = 64 << 20

// Loader reads rules from several places into one Set.
type Loader struct {
	// Each, if it is set, calls do for 0 to n-1, in any order or at the same time, and
	// returns when all calls have: it lets files be read on several goroutines. What
	// is read does not depend on it.
	Each func(n int, do func(i int))

	set   *Set
	byID  map[string]*Rule
	texts *shared
}

// NewLoader makes a Loader.
func NewLoader() *Loader {
	return &Loader{set: &Set{Skipped: map[string][]string{}}, byID: map[string]*Rule{}, texts: &shared{}}
}

// Set gives what was read so far.
func (l *Loader) Set() *Set { return l.set }

// Load reads one rule file, or a folder of them, as Loader.Load does.
func Load(fsys fs.FS, name, display string) (*Set, error) {
	l := NewLoader()
	err := l.Load(fsys, name, display)
	return l.set, err
}

// Load reads one rule file, or all those below a folder. A file named by name is
// read whatever its ending; in a folder, files that end in .toml, .ndjson, .json
// and .md are. Folders and files whose name begins with a dot are passed over.
// Display is what messages put before the names of files, such as the folder fsys
// is rooted in.
//
// Faults of files and rules are in the Set; the error is that of a name that
// cannot be read at all.
func (l *Loader) Load(fsys fs.FS, name, display string) error {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return fmt.Errorf("read rules: %w", err)
	}
	if !info.IsDir() {
		l.merge(l.readOne(func(one *Loader) { one.file(fsys, name, display) }))
		return nil
	}
	var names []string
	err = fs.WalkDir(fsys, name, func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			l.fileProblem(Problem{File: path.Join(display, p), Code: "unreadable", Message: cause(err)})
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
		case p != name && strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
		case d.IsDir():
		case slices.Contains([]string{".toml", ".ndjson", ".json", ".md"}, path.Ext(p)):
			names = append(names, p)
		}
		return nil
	})
	files := make([]*Set, len(names))
	l.each(len(names), func(i int) {
		files[i] = l.readOne(func(one *Loader) { one.file(fsys, names[i], display) })
	})
	for _, set := range files {
		l.merge(set)
	}
	return err
}

func (l *Loader) each(n int, do func(i int)) {
	if l.Each != nil {
		l.Each(n, do)
		return
	}
	for i := range n {
		do(i)
	}
}

// merge adds what was read of another file.
func (l *Loader) merge(set *Set) {
	for _, r := range set.Rules {
		l.add(r)
	}
	l.set.Lists = append(l.set.Lists, set.Lists...)
	l.set.Items = append(l.set.Items, set.Items...)
	l.set.Connectors = append(l.set.Connectors, set.Connectors...)
	l.set.Files += set.Files
	l.set.Details += set.Details
	l.set.Unknown += set.Unknown
	for reason, names := range set.Skipped {
		l.set.Skipped[reason] = append(l.set.Skipped[reason], names...)
	}
	l.set.Problems = append(l.set.Problems, set.Problems...)
}

// Read reads the rules of one file that the caller has in memory.
func Read(name string, text []byte) *Set {
	l := NewLoader()
	l.merge(l.readOne(func(one *Loader) { one.text(name, text) }))
	return l.set
}

// readOne reads one file by a Loader of its own, which tells nothing of other files.
func (l *Loader) readOne(read func(one *Loader)) *Set {
	one := NewLoader()
	one.byID, one.texts = nil, l.texts
	read(one)
	return one.set
}

// cause leaves out of an error the name of the file, which stands before it anyway.
func cause(err error) string {
	var onPath *fs.PathError
	if errors.As(err, &onPath) {
		err = onPath.Err
	}
	return err.Error()
}

func (l *Loader) file(fsys fs.FS, name, display string) {
	shown := path.Join(display, name)
	info, err := fs.Stat(fsys, name)
	if err == nil && info.Size() > MaxFileBytes {
		err = fmt.Errorf("larger than %d bytes", MaxFileBytes)
	}
	var text []byte
	if err == nil {
		text, err = fs.ReadFile(fsys, name)
	}
	if err != nil {
		l.fileProblem(Problem{File: shown, Code: "unreadable", Message: cause(err)})
		return
	}
	l.text(shown, text)
}

// text reads a file by what it holds rather than by its name.
func (l *Loader) text(name string, text []byte) {
	l.set.Files++
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	trimmed := bytes.TrimSpace(text)
	switch {
	case len(trimmed) == 0:
		l.fileProblem(Problem{File: name, Code: "empty-file", Message: "the file is empty"})
	case isPage(text):
		l.pageFile(name, text)
	case path.Ext(name) == ".md":
		l.skipFile(name, "a Markdown file that is no rule page")
	case trimmed[0] == '{' || trimmed[0] == '[' && path.Ext(name) != ".toml":
		l.jsonFile(name, text)
	default:
		l.tomlFile(name, text)
	}
}

func (l *Loader) add(r *Rule) {
	if l.byID == nil {
		l.set.Rules = append(l.set.Rules, r)
		return
	}
	if first := l.byID[r.RuleID]; first != nil {
		p := Problem{File: r.File, Line: r.Line, Column: 1, Code: "duplicate-rule", Rule: r.Name, Warning: true,
			Message: fmt.Sprintf("rule_id %s is that of %q in %s too", r.RuleID, first.Name, first.File), Hint: "the first one is used"}
		r.Problems = append(r.Problems, p)
		if r.Blocked == "" {
			r.Blocked = "another rule has the same rule_id"
		}
	} else {
		l.byID[r.RuleID] = r
	}
	l.set.Rules = append(l.set.Rules, r)
}

func (l *Loader) fileProblem(p Problem) { l.set.Problems = append(l.set.Problems, p) }

func (l *Loader) skipFile(name, reason string) {
	l.set.Skipped[reason] = append(l.set.Skipped[reason], name)
}
