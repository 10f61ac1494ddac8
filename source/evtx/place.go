package evtx

// Places: where in the tree of a record an element stands decides what it means.

// place is where binary XML is put.
type place struct {
	kind   placeKind
	prefix string // of names, in inTree
}

type placeKind uint8

const (
	inRoot      placeKind = iota // Event is expected
	inEvent                      // below Event
	inSystem                     // below System
	inData                       // below EventData
	inUserData                   // below UserData: the one element there
	inTree                       // below that element, or deeper in any data
	inRendering                  // below RenderingInfo
	inKeywords                   // below RenderingInfo/Keywords
	inNothing                    // what is of no interest
)

// inside is the place of what an element contains. key is the name of its item.
func (p place) inside(name, key string) place {
	switch p.kind {
	case inRoot:
		return place{kind: inEvent}
	case inEvent:
		switch name {
		case "System":
			return place{kind: inSystem}
		case "EventData", "ProcessingErrorData":
			return place{kind: inData}
		case "UserData":
			return place{kind: inUserData}
		case "RenderingInfo":
			return place{kind: inRendering}
		}
	case inUserData:
		return place{kind: inTree}
	case inRendering:
		if name == "Keywords" {
			return place{kind: inKeywords}
		}
		return place{kind: inNothing}
	case inSystem, inKeywords, inNothing:
		return place{kind: inNothing}
	}
	return place{kind: inTree, prefix: key + "."}
}

// field is one field of windows.Record.
type field uint8

const (
	noField field = iota
	fieldProvider
	fieldProviderGUID
	fieldChannel
	fieldComputer
	fieldUserID
	fieldActivityID
	fieldRelatedID
	fieldMessage
	fieldLevelName
	fieldTaskName
	fieldOpcodeName
	fieldKeyword
	firstNumber // the fields from here on are numbers
	fieldEventID
	fieldVersion
	fieldLevel
	fieldTask
	fieldOpcode
	fieldKeywords
	fieldRecordID
	fieldTime
	fieldProcessID
	fieldThreadID
)

// elementField says which field the text of an element is.
func elementField(p place, name string) field {
	switch p.kind {
	case inSystem:
		return systemField(name)
	case inRendering:
		switch name {
		case "Message":
			return fieldMessage
		case "Level":
			return fieldLevelName
		case "Task":
			return fieldTaskName
		case "Opcode":
			return fieldOpcodeName
		}
	case inKeywords:
		if name == "Keyword" {
			return fieldKeyword
		}
	}
	return noField
}

func systemField(name string) field {
	switch name {
	case "EventID":
		return fieldEventID
	case "Version":
		return fieldVersion
	case "Level":
		return fieldLevel
	case "Task":
		return fieldTask
	case "Opcode":
		return fieldOpcode
	case "Keywords":
		return fieldKeywords
	case "EventRecordID":
		return fieldRecordID
	case "Channel":
		return fieldChannel
	case "Computer":
		return fieldComputer
	}
	return noField
}

// attributeField says which field an attribute of an element is.
func attributeField(p place, element, name string) field {
	if p.kind != inSystem {
		return noField
	}
	switch element + "@" + name {
	case "Provider@Name":
		return fieldProvider
	case "Provider@Guid":
		return fieldProviderGUID
	case "TimeCreated@SystemTime":
		return fieldTime
	case "Correlation@ActivityID":
		return fieldActivityID
	case "Correlation@RelatedActivityID":
		return fieldRelatedID
	case "Execution@ProcessID":
		return fieldProcessID
	case "Execution@ThreadID":
		return fieldThreadID
	case "Security@UserID":
		return fieldUserID
	}
	return noField
}
