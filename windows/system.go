package windows

// System: the system.system data stream. Elastic's pipeline leaves its records as
// they come; what a service or a task is called becomes a field here, so that rules
// on services see them.

func system() source {
	return source{
		name: "system", providers: []string{"Service Control Manager"},
		module: "system", dataset: "system.system", nothing: isEmpty,
		kinds: []kind{
			{id: 7045, category: aConfiguration, types: creates, action: "service-installed",
				items: "ServiceName ImagePath ServiceType StartType AccountName",
				moves: []move{{item: "ServiceName", to: "service.name", keep: true}, {item: "ServiceType", to: "service.type", keep: true}}},
			{id: 7036, items: "param1 param2",
				moves: []move{{item: "param1", to: "service.name", keep: true}, {item: "param2", to: "service.state", keep: true}}},
			{id: 7040, items: "param1 param2 param3 param4",
				moves: []move{{item: "param1", to: "service.name", keep: true}}},
		},
		finish: []finish{{[]string{"user.id"}, writerID}},
	}
}
