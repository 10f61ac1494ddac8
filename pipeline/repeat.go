package pipeline

// mostIDs bounds the alert ids that are kept to find repetitions, of two
// generations together.
const mostIDs = 500_000

// repetitions finds alerts that were given before, as Elasticsearch does when it
// refuses to create a document whose id is taken. It remembers at least the last
// mostIDs/2 ids; the zero value is ready for use.
type repetitions struct {
	young, old map[string]struct{}
	count      int64
}

// again tells whether an id was seen before, and remembers it.
func (r *repetitions) again(id string) bool {
	if _, seen := r.young[id]; seen {
		r.count++
		return true
	}
	if _, seen := r.old[id]; seen {
		r.count++
		return true
	}
	r.remember(id)
	return false
}

// remember notes an id.
func (r *repetitions) remember(id string) {
	if r.young == nil || len(r.young) == mostIDs/2 {
		r.old, r.young = r.young, map[string]struct{}{}
	}
	r.young[id] = struct{}{}
}
