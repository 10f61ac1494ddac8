package rule

// Threat is a branch of the ATT&CK tree: a tactic and the techniques below it.
type Threat struct {
	Framework  string
	Tactic     Reference
	Techniques []Technique
}

// Technique is an ATT&CK technique with its sub-techniques.
type Technique struct {
	Reference
	Subtechniques []Reference
}

// Reference names something of ATT&CK.
type Reference struct {
	ID, Name, URL string
}

// threats reads the API's list of threats.
func (r *reader) threats(key string) []Threat {
	var list []Threat
	for _, t := range r.objects(key) {
		threat := Threat{Framework: t.str("framework"), Tactic: t.object("tactic").reference()}
		for _, tech := range t.objects("technique") {
			technique := Technique{Reference: tech.reference()}
			for _, sub := range tech.objects("subtechnique") {
				technique.Subtechniques = append(technique.Subtechniques, sub.reference())
			}
			threat.Techniques = append(threat.Techniques, technique)
		}
		list = append(list, threat)
	}
	return list
}

func (r *reader) reference() Reference {
	return Reference{ID: r.str("id"), Name: r.str("name"), URL: r.str("reference")}
}
