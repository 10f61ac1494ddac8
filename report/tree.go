package report

// Process trees: the processes an alert's events name, parents above children.

import (
	"slices"
	"strings"

	"github.com/shrike-project/shrike/alert"
)

// treeLine is a process in a tree.
type treeLine struct {
	Depth              int
	Name, PID, Command string
	Alerted            bool // the process an event is about
}

// process is a process that some event names.
type process struct {
	line   treeLine
	parent string
}

// levels are where an event names processes, the youngest first.
var levels = [...]string{"process.", "process.parent.", "process.parent.parent."}

// tree gives the processes of an alert, roots first.
func tree(a *alert.Alert) []treeLine {
	seen := map[string]*process{}
	var order []string
	add := func(field fieldOf) {
		child := ""
		for i, level := range levels {
			key, p := named(field, level)
			if key == "" {
				break
			}
			if old := seen[key]; old != nil {
				old.merge(p)
			} else {
				seen[key] = p
				order = append(order, key)
			}
			seen[key].line.Alerted = seen[key].line.Alerted || i == 0
			if child != "" && child != key {
				seen[child].parent = key
			}
			child = key
		}
	}
	if len(a.Steps) == 0 {
		add(a.Field)
	}
	for i := range a.Steps {
		if !a.Steps[i].Missing {
			add(a.Steps[i].Field)
		}
	}
	return walk(seen, order)
}

func named(field fieldOf, level string) (key string, p *process) {
	line := treeLine{Name: field.first(level+"executable", level+"name"), PID: field.first(level + "pid"), Command: field.first(level + "command_line")}
	if line.Name == "" && line.PID == "" {
		return "", nil
	}
	if key = field.first(level + "entity_id"); key == "" {
		key = line.PID + " " + strings.ToLower(base(line.Name))
	}
	return key, &process{line: line}
}

// merge takes over what another event knows.
func (p *process) merge(q *process) {
	if p.line.Command == "" {
		p.line.Command = q.line.Command
	}
	if len(p.line.Name) < len(q.line.Name) {
		p.line.Name = q.line.Name
	}
}

// walk lists processes depth first. What claims to descend from itself is a root.
func walk(seen map[string]*process, order []string) []treeLine {
	var out []treeLine
	done := map[string]bool{}
	var visit func(key string, depth int)
	visit = func(key string, depth int) {
		if done[key] {
			return
		}
		done[key] = true
		line := seen[key].line
		line.Depth = depth
		out = append(out, line)
		for _, other := range order {
			if seen[other].parent == key {
				visit(other, depth+1)
			}
		}
	}
	for _, key := range order {
		if seen[key].parent == "" {
			visit(key, 0)
		}
	}
	for _, key := range order {
		visit(key, 0)
	}
	return slices.Clip(out)
}
