package rule

import "sync"

// shared are texts that many rules have, such as tags, references to ATT&CK and the parts
// of index patterns: each is kept once, as the value of a parameter. Of what is kept, the
// number of pieces counts more than the bytes: whoever collects garbage has to look at
// each of them.
type shared struct {
	mu    sync.Mutex
	texts map[string]any
}

// The bounds of what is shared: bytes of a text, and texts.
const (
	maxSharedText  = 200
	maxSharedTexts = 1 << 16
)

// in replaces the texts in a document by shared ones.
func (s *shared) in(doc map[string]any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.texts == nil {
		s.texts = map[string]any{}
	}
	s.replace(doc)
}

// replace gives what stands for a value, in which texts are replaced.
func (s *shared) replace(v any) any {
	switch list := v.(type) {
	case string:
		if known, ok := s.texts[list]; ok {
			return known
		}
		if len(list) <= maxSharedText && len(s.texts) < maxSharedTexts {
			s.texts[list] = v
		}
	case []any:
		for i, e := range list {
			list[i] = s.replace(e)
		}
	case map[string]any:
		for key, e := range list {
			list[key] = s.replace(e)
		}
	}
	return v
}
