package bulk

import (
	"net/http"
	"strings"
)

// call is a request that clients make before they send, or between, and what they are
// told. Nothing of what they set up is kept: there is no index behind this interface
// whose fields a template would describe.
type call struct {
	methods string // with blanks between them
	path    string // parts of an address; * stands for one part, ** for all that follow
	status  int
	// answer is JSON. {version}, {uuid} and {path} stand for what they say.
	answer string
}

const acknowledged = `{"acknowledged":true}`

// calls are looked at in order.
var calls = []call{
	{"GET HEAD", "/", 200, `{"name":"shrike","cluster_name":"shrike","cluster_uuid":"{uuid}","version":{"number":"{version}","build_flavor":"default","build_type":"tar","build_hash":"0000000000000000000000000000000000000000","build_date":"2024-12-11T12:08:05Z","build_snapshot":false,"lucene_version":"9.12.0","minimum_wire_compatibility_version":"7.17.0","minimum_index_compatibility_version":"7.0.0"},"tagline":"You Know, for Search"}`},
	{"GET HEAD", "/_license", 200, `{"license":{"status":"active","uid":"{uuid}","type":"basic","issue_date":"2024-01-01T00:00:00.000Z","issue_date_in_millis":1704067200000,"max_nodes":1000,"issued_to":"shrike","issuer":"elasticsearch","start_date_in_millis":-1}}`},
	{"GET HEAD", "/_xpack", 200, `{"build":{"hash":"0000000000000000000000000000000000000000","date":"2024-12-11T12:08:05Z"},"license":{"uid":"{uuid}","type":"basic","mode":"basic","status":"active"},"features":{"ilm":{"available":true,"enabled":true},"security":{"available":true,"enabled":true},"data_streams":{"available":true,"enabled":true}},"tagline":"You know, for X"}`},
	{"GET", "/_cluster/health/**", 200, `{"cluster_name":"shrike","status":"green","timed_out":false,"number_of_nodes":1,"number_of_data_nodes":1,"active_primary_shards":1,"active_shards":1,"relocating_shards":0,"initializing_shards":0,"unassigned_shards":0,"delayed_unassigned_shards":0,"number_of_pending_tasks":0,"number_of_in_flight_fetch":0,"task_max_waiting_in_queue_millis":0,"active_shards_percent_as_number":100.0}`},
	{"GET", "/_cluster/settings", 200, `{"persistent":{},"transient":{},"defaults":{}}`},
	{"GET", "/_cat/health", 200, `[{"cluster":"shrike","status":"green","node.total":"1","node.data":"1"}]`},
	{"GET", "/_nodes/**", 200, `{"_nodes":{"total":1,"successful":1,"failed":0},"cluster_name":"shrike","nodes":{"{uuid}":{"name":"shrike","version":"{version}","roles":["data","ingest","master"]}}}`},
	{"GET POST", "/_security/_authenticate", 200, `{"username":"shrike","roles":[],"full_name":null,"email":null,"metadata":{},"enabled":true,"authentication_type":"api_key"}`},
	{"GET POST", "/_security/user/_has_privileges", 200, `{"username":"shrike","has_all_requested":true,"cluster":{},"index":{},"application":{}}`},
	{"GET HEAD", "/_ilm/policy/**", 404, `{"error":{"root_cause":[{"type":"resource_not_found_exception","reason":"Lifecycle policy not found"}],"type":"resource_not_found_exception","reason":"Lifecycle policy not found"},"status":404}`},
	{"PUT", "/_ilm/policy/*", 200, acknowledged},
	{"GET", "/_ilm/status", 200, `{"operation_mode":"RUNNING"}`},
	{"GET", "/_data_stream/**", 200, `{"data_streams":[]}`},
	{"PUT", "/_data_stream/*", 200, acknowledged},
	{"PUT POST", "/_data_stream/*/_lifecycle", 200, acknowledged},
	{"GET HEAD", "/_index_template/**", 404, `{"error":{"root_cause":[{"type":"resource_not_found_exception","reason":"index template not found"}],"type":"resource_not_found_exception","reason":"index template not found"},"status":404}`},
	{"PUT POST", "/_index_template/*", 200, acknowledged},
	{"GET HEAD", "/_component_template/**", 404, `{"error":{"root_cause":[{"type":"resource_not_found_exception","reason":"component template not found"}],"type":"resource_not_found_exception","reason":"component template not found"},"status":404}`},
	{"PUT POST", "/_component_template/*", 200, acknowledged},
	{"GET HEAD", "/_template/**", 404, `{}`},
	{"PUT POST", "/_template/*", 200, acknowledged},
	{"GET HEAD", "/_ingest/pipeline/**", 404, `{}`},
	{"PUT", "/_ingest/pipeline/*", 200, acknowledged},
	{"GET HEAD", "/_alias/**", 404, `{"error":"alias [missing] missing","status":404}`},
	{"POST", "/_aliases", 200, acknowledged},
	{"POST GET", "/_refresh", 200, `{"_shards":{"total":1,"successful":1,"failed":0}}`},
	{"POST GET", "/_flush", 200, `{"_shards":{"total":1,"successful":1,"failed":0}}`},
	{"POST GET", "/*/_refresh", 200, `{"_shards":{"total":1,"successful":1,"failed":0}}`},
	{"POST GET", "/*/_flush", 200, `{"_shards":{"total":1,"successful":1,"failed":0}}`},
	{"PUT POST", "/*/_mapping", 200, acknowledged},
	{"GET", "/*/_mapping", 200, `{}`},
	{"PUT", "/*/_settings", 200, acknowledged},
	{"PUT POST", "/*/_alias/*", 200, acknowledged},
	{"GET", "/_bulk", 405, ""},
	{"GET POST PUT DELETE HEAD", "/_*/**", 400, ""},
	{"HEAD GET", "/*", 404, `{"error":{"root_cause":[{"type":"index_not_found_exception","reason":"no such index [{path}]"}],"type":"index_not_found_exception","reason":"no such index [{path}]"},"status":404}`},
	{"PUT", "/*", 200, `{"acknowledged":true,"shards_acknowledged":true,"index":"{path}"}`},
}

// handshake answers what brings no events.
func (h *Handler) handshake(w http.ResponseWriter, r *http.Request) {
	for i := range calls {
		c := &calls[i]
		if !fits(c.path, r.URL.Path) || !fitsMethod(c.methods, r.Method) {
			continue
		}
		if c.answer == "" {
			h.unknown(w, r, c.status)
			return
		}
		path := string(appendText(nil, shown(strings.Trim(r.URL.Path, "/"))))
		answer := strings.NewReplacer("{version}", h.cfg.Version, "{uuid}", h.uuid, "{path}", path[1:len(path)-1]).Replace(c.answer)
		if r.Method == http.MethodPut || r.Method == http.MethodPost {
			h.cfg.Log.Debug("set up by a client, and not kept", "method", r.Method, "path", shown(r.URL.Path))
		}
		h.answer(w, r, c.status, []byte(answer))
		return
	}
	h.unknown(w, r, http.StatusBadRequest)
}

// unknown answers what this interface has not got.
func (h *Handler) unknown(w http.ResponseWriter, r *http.Request, status int) {
	h.stats.refuse("unknown request", 1)
	kind, reason := "illegal_argument_exception", "no handler found for uri ["+shown(r.URL.Path)+"] and method ["+shown(r.Method)+"]: events are taken here, and nothing else of Elasticsearch"
	h.fail(w, r, &failure{status, kind, reason, 0})
}

func fitsMethod(methods, method string) bool {
	for _, m := range strings.Fields(methods) {
		if m == method {
			return true
		}
	}
	return false
}

// fits compares an address with the path of a call.
func fits(pattern, path string) bool {
	want, have := strings.Split(strings.Trim(pattern, "/"), "/"), strings.Split(strings.Trim(path, "/"), "/")
	for i, part := range want {
		switch {
		case part == "**":
			return true
		case i >= len(have):
			return false
		case part == "*" && have[i] != "" && have[i][0] != '_':
		case strings.HasSuffix(part, "*") && len(part) > 1 && strings.HasPrefix(have[i], part[:len(part)-1]):
		case part != have[i]:
			return false
		}
	}
	return len(want) == len(have)
}
