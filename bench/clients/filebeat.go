package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const filebeatConfig = `filebeat.inputs:
  - type: log
    paths: [%q]
    json.keys_under_root: true
    json.overwrite_keys: true
    scan_frequency: 1s
setup.template.enabled: false
setup.ilm.enabled: false
logging.level: error
output.elasticsearch:
  hosts: ["http://%s"]
  api_key: %q
  index: "logs-endpoint.events.process-default"
  bulk_max_size: 500
  backoff.init: 200ms
  backoff.max: 1s
`

// sendWithFilebeat has Elastic's Filebeat follow a file that grows. It does not tell when it
// is done: the caller's count does.
func sendWithFilebeat(ctx context.Context, s *server, docs []string) error {
	key, err := base64.StdEncoding.DecodeString(s.key) // Beats take "id:key"
	if err != nil {
		return err
	}
	file, config, home := filepath.Join(s.dir, "events.ndjson"), filepath.Join(s.dir, "filebeat.yml"), filepath.Join(s.dir, "filebeat")
	if err := os.WriteFile(config, fmt.Appendf(nil, filebeatConfig, file, s.address, key), 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, s.filebeat, "-e", "--strict.perms=false", "-c", config, "--path.home", home, "--path.data", home)
	return feed(cmd, file, docs)
}
