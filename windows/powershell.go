package windows

import "strings"

// PowerShell: the windows.powershell_operational data stream (4103, 4104) and the
// older windows.powershell (400, 600, 800), whose records hold their items as lines
// of text.

func powershell() source {
	kinds := []kind{
		{id: 4103, category: aProcess, types: informs, task: "Executing Pipeline", items: "ContextInfo UserData Payload",
			moves: []move{
				{item: "ContextInfo", how: asDropped}, {item: "Payload", how: asDropped}, {item: "UserData", how: asNamed, to: "UserData"},
			},
			finish: []finish{{contextFields(operationalContext), pipelineContext}}},
		{id: 4104, category: aProcess, types: informs, task: "Execute a Remote Command",
			items: "MessageNumber MessageTotal ScriptBlockText ScriptBlockId Path"},
		{id: 4105, category: aProcess, types: starts, task: "Starting Command", items: "ScriptBlockId RunspaceId"},
		{id: 4106, category: aProcess, types: ends, task: "Stopping Command", items: "ScriptBlockId RunspaceId"},
	}
	return source{
		name: "powershell", providers: []string{"Microsoft-Windows-PowerShell", "PowerShellCore"},
		module: "powershell", dataset: "windows.powershell_operational", nothing: isEmpty,
		vocabulary: []move{
			{item: "MessageNumber", how: asNumber, to: "powershell.sequence"},
			{item: "MessageTotal", how: asNumber, to: "powershell.total"},
			{item: "ScriptBlockText", to: "powershell.file.script_block_text"},
			{item: "ScriptBlockId", to: "powershell.file.script_block_id"},
			{item: "RunspaceId", to: "powershell.runspace_id"},
			{item: "Path", how: asFile, to: "file.path"},
		},
		kinds: kinds, other: kind{category: aProcess, types: informs},
		finish: []finish{{[]string{"user.id"}, writerID}},
	}
}

func powershellClassic() source {
	context := finish{contextFields(classicContext), classicLines}
	classic := func(id uint32, types []string, task string) kind {
		return kind{id: id, category: aProcess, types: types, task: task, items: "param1 param2 param3",
			moves:  []move{{item: "param1", how: asDropped}, {item: "param2", how: asDropped}, {item: "param3", how: asDropped}},
			finish: []finish{context}}
	}
	return source{
		name: "powershell classic", providers: []string{"PowerShell"},
		module: "powershell", dataset: "windows.powershell", nothing: isEmpty,
		kinds: []kind{
			classic(400, starts, "Engine Lifecycle"), classic(403, ends, "Engine Lifecycle"),
			classic(600, informs, "Provider Lifecycle"), classic(800, informs, "Pipeline Execution Details"),
		},
		other: kind{category: aProcess, types: informs},
	}
}

// line says which field a line "name=value" of a context fills.
type line struct {
	name string
	how  reading
	to   string
}

var operationalContext = []line{
	{"Host ID", asText, "process.entity_id"},
	{"Host Application", asCommand, "process.command_line"},
	{"Host Name", asText, "process.title"},
	{"Host Version", asText, "powershell.process.executable_version"},
	{"Engine Version", asText, "powershell.engine.version"},
	{"Runspace ID", asText, "powershell.runspace_id"},
	{"Pipeline ID", asText, "powershell.pipeline_id"},
	{"Command Name", asText, "powershell.command.name"},
	{"Command Type", asText, "powershell.command.type"},
	{"Command Path", asText, "powershell.command.path"},
	{"Script Name", asFile, "file.path"},
	{"Sequence Number", asNumber, "event.sequence"},
	{"Shell ID", asText, "powershell.id"},
	// Elastic's pipeline swaps the two accounts where both are there: user is then
	// who connected. Here user stays who runs the command.
	{"User", asAccount, "user"},
	{"Connected User", asAccount, "source.user"},
	{"Severity", asDropped, ""},
}

var classicContext = []line{
	{"HostId", asText, "process.entity_id"},
	{"HostApplication", asCommand, "process.command_line"},
	{"HostName", asText, "process.title"},
	{"HostVersion", asText, "powershell.process.executable_version"},
	{"EngineVersion", asText, "powershell.engine.version"},
	{"NewEngineState", asText, "powershell.engine.new_state"},
	{"PreviousEngineState", asText, "powershell.engine.previous_state"},
	{"NewProviderState", asText, "powershell.provider.new_state"},
	{"ProviderName", asText, "powershell.provider.name"},
	{"RunspaceId", asText, "powershell.runspace_id"},
	{"PipelineId", asText, "powershell.pipeline_id"},
	{"CommandName", asText, "powershell.command.name"},
	{"CommandType", asText, "powershell.command.type"},
	{"CommandPath", asText, "powershell.command.path"},
	{"CommandLine", asText, "powershell.command.value"},
	{"ScriptName", asFile, "file.path"},
	{"SequenceNumber", asNumber, "event.sequence"},
	{"DetailSequence", asNumber, "powershell.sequence"},
	{"DetailTotal", asNumber, "powershell.total"},
	{"UserId", asAccount, "user"},
}

// invocationField holds what a pipeline did, as a list of objects.
const invocationField = "powershell.command.invocation_details"

// contextFields gives the fields of a context in the order of its lines, that of
// the invocation first.
func contextFields(lines []line) []string {
	out := []string{invocationField}
	for _, l := range lines {
		out = append(out, move{how: l.how, to: l.to}.fields()...)
	}
	return out
}

// pipelineContext reads 4103.
func pipelineContext(m *Mapper, r *Record, to []slot) {
	m.readContext(r.Get("ContextInfo"), operationalContext, to[1:])
	m.invocation(r.Get("Payload"), to[0])
}

// classicLines reads the records of the older log: their third text is the context,
// of 800 the second, and the third what was done.
func classicLines(m *Mapper, r *Record, to []slot) {
	context := r.Get("param3")
	if r.EventID == 800 {
		m.invocation(context, to[0])
		context = r.Get("param2")
	}
	m.readContext(context, classicContext, to[1:])
}

// readContext reads lines "name = value"; others are passed over.
func (m *Mapper) readContext(text string, lines []line, to []slot) {
	for text != "" {
		var one string
		one, text, _ = strings.Cut(text, "\n")
		name, s, ok := strings.Cut(one, "=")
		if !ok {
			continue
		}
		name, s = strings.TrimSpace(name), strings.TrimSpace(s)
		if s == "" {
			continue
		}
		if !m.readLine(name, s, lines, to) {
			m.data = append(m.data, datum{name: m.withoutSpaces(name), text: s})
		}
	}
}

// readLine reads a line into its fields, which stand in to in the order of lines.
func (m *Mapper) readLine(name, s string, lines []line, to []slot) bool {
	at := 0
	for _, l := range lines {
		n := l.how.fieldCount()
		if l.name == name {
			m.move(&compiledMove{how: l.how, to: to[at : at+n]}, s)
			return true
		}
		at += n
	}
	return false
}

func (m *Mapper) withoutSpaces(s string) string {
	if !strings.Contains(s, " ") {
		return s
	}
	start := len(m.text)
	for i := 0; i < len(s); i++ {
		if s[i] != ' ' {
			m.text = append(m.text, s[i])
		}
	}
	return view(m.text[start:])
}

// invocation reads lines such as
//
//	CommandInvocation(Get-Item): "Get-Item"
//	ParameterBinding(Get-Item): name="Path"; value="C:\"
func (m *Mapper) invocation(text string, to slot) {
	start := len(m.text)
	for text != "" {
		var one string
		one, text, _ = strings.Cut(text, "\n")
		one = strings.TrimRight(one, "\r")
		if one == "" {
			continue
		}
		if len(m.text) == start {
			m.text = append(m.text, '[')
		} else {
			m.text = append(m.text, ',')
		}
		m.detail(one)
	}
	if len(m.text) > start {
		m.text = append(m.text, ']')
		m.setRaw(to, view(m.text[start:]))
	}
}

func (m *Mapper) detail(one string) {
	head, value, ok := strings.Cut(one, "): ")
	if !ok {
		head, ok = strings.CutSuffix(one, "):")
	}
	typ, command, parts := strings.Cut(head, "(")
	if !ok || !parts || typ == "" || command == "" {
		m.text = append(appendString(append(m.text, `{"value":`...), one), '}')
		return
	}
	m.text = appendString(append(m.text, `{"type":`...), typ)
	m.text = appendString(append(m.text, `,"related_command":`...), command)
	if typ == "ParameterBinding" {
		name, rest, ok := strings.Cut(strings.TrimPrefix(value, "name="), "; value=")
		if ok {
			m.text = appendString(append(m.text, `,"name":`...), name)
			value = rest
		}
	}
	if value != "" {
		m.text = appendString(append(m.text, `,"value":`...), value)
	}
	m.text = append(m.text, '}')
}
