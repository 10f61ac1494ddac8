package windows

// Lineage is what earlier records of the same host say about a process. A History
// fills it in; a Mapper adds it to the event where the record itself does not say.
type Lineage struct {
	EntityID string // of the process
	Start    string // the entity id under which the same start was reported before

	// Of the parent.
	ParentID, ParentExecutable, ParentCommandLine, ParentDirectory string

	// Ancestry holds the entity ids of the ancestors, the parent first.
	Ancestry []string
}

// lineageFields are the fields that a Lineage can fill.
var lineageFields = []string{
	lEntity: "process.entity_id", lStart: "shrike.same_start",
	lParent: "process.parent.entity_id", lParentPath: "process.parent.executable", lParentName: "process.parent.name",
	lParentLine: "process.parent.command_line", lParentArgs: "process.parent.args", lParentCount: "process.parent.args_count",
	lParentDirectory: "process.parent.working_directory", lAncestry: "process.Ext.ancestry",
}

const (
	lEntity = iota
	lStart
	lParent
	lParentPath
	lParentName
	lParentLine
	lParentArgs
	lParentCount
	lParentDirectory
	lAncestry
)

// lineage adds what a Lineage knows and the record does not say.
func (m *Mapper) lineage(l *Lineage) {
	if l.EntityID == "" && l.ParentID == "" {
		return
	}
	to := m.schema.life
	m.setText(to[lEntity], l.EntityID)
	m.setText(to[lStart], l.Start)
	m.setText(to[lParent], l.ParentID)
	if l.ParentExecutable != "" && !m.has(to[lParentPath]) {
		m.setText(to[lParentPath], l.ParentExecutable)
		m.setText(to[lParentName], baseName(l.ParentExecutable))
	}
	if l.ParentCommandLine != "" && !m.has(to[lParentLine]) {
		m.setCommand([]slot{to[lParentLine], to[lParentArgs], to[lParentCount]}, l.ParentCommandLine)
	}
	m.setText(to[lParentDirectory], l.ParentDirectory)
	from := len(m.list)
	m.list = append(m.list, l.Ancestry...)
	m.setList(to[lAncestry], from)
}
