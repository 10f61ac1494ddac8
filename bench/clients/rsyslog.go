package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const rsyslogConfig = `
global(workDirectory=%q maxMessageSize="64k")
module(load="imfile" mode="inotify")
module(load="omelasticsearch")
template(name="plain" type="string" string="%%msg%%")
input(type="imfile" File=%q Tag="events" ruleset="send" reopenOnTruncate="on")
ruleset(name="send" queue.type="LinkedList" queue.size="200000" queue.dequeueBatchSize="500") {
    action(type="omelasticsearch" server="%s" serverport="%s" uid=%q pwd=%q bulkmode="on" searchIndex="logs-endpoint.events.process-default"
           searchType="" template="plain" action.resumeRetryCount="-1" action.resumeInterval="1"
           errorFile=%q)
}
`

// sendWithRsyslog has rsyslog read a file that grows and send its lines. It does not
// tell when it is done: the caller's count does.
func sendWithRsyslog(ctx context.Context, s *server, docs []string) error {
	decoded, err := base64.StdEncoding.DecodeString(s.key)
	if err != nil {
		return err
	}
	id, secret, _ := strings.Cut(string(decoded), ":")
	host, port, _ := strings.Cut(s.address, ":")
	file, config := filepath.Join(s.dir, "events.log"), filepath.Join(s.dir, "rsyslog.conf")
	text := fmt.Sprintf(rsyslogConfig, s.dir, file, host, port, id, secret, filepath.Join(s.dir, "rsyslog.errors"))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "rsyslogd", "-n", "-f", config, "-i", filepath.Join(s.dir, "rsyslog.pid"))
	return feed(cmd, file, docs)
}

// feed starts a shipper that follows a file, and writes documents to the file, spread over
// several restarts of the server.
func feed(cmd *exec.Cmd, file string, docs []string) error {
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }()
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer out.Close()
	for i, doc := range docs {
		if _, err := fmt.Fprintln(out, doc); err != nil {
			return err
		}
		if i%1000 == 999 {
			time.Sleep(100 * time.Millisecond)
		}
	}
	return nil
}
