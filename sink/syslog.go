package sink

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/event"
)

// Syslog is the configuration of a syslog receiver, RFC 5424.
type Syslog struct {
	Address string `toml:"address" comment:"Host and port."`
	Network string `toml:"network" comment:"udp, tcp (octet counting, RFC 6587) or tls; empty: tcp."`
	Format  string `toml:"format" comment:"cef or json; empty: cef."`
	App     string `toml:"app" comment:"APP-NAME; empty: shrike."`
	// Most is how long a message may be.
	Most int `toml:"most" comment:"The most bytes of a message: longer texts are cut short; 0: 8192, or 2048 with udp."`
	TLS  TLS `toml:"tls"`
}

type syslog struct {
	cfg  Syslog
	tls  *tls.Config
	host string
	conn net.Conn
	now  func() time.Time
}

func openSyslog(c Syslog) (*syslog, error) {
	if _, _, err := net.SplitHostPort(c.Address); err != nil {
		return nil, fmt.Errorf("syslog.address: %q is no host and port", c.Address)
	}
	if c.Network == "" {
		c.Network = "tcp"
	}
	if c.Format == "" {
		c.Format = "cef"
	}
	if c.App == "" {
		c.App = "shrike"
	}
	if c.Network != "udp" && c.Network != "tcp" && c.Network != "tls" {
		return nil, fmt.Errorf("syslog.network: %q is none of udp, tcp, tls", c.Network)
	}
	if c.Format != "cef" && c.Format != "json" {
		return nil, fmt.Errorf("syslog.format: %q is none of cef, json", c.Format)
	}
	if c.Most == 0 {
		if c.Most = 8192; c.Network == "udp" {
			c.Most = 2048
		}
	}
	t, err := c.TLS.config()
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "-"
	}
	return &syslog{cfg: c, tls: t, host: host, now: time.Now}, nil
}

// Deliver sends each alert as a message. A connection that breaks is made again for
// the next; the alerts behind it are sent once more.
func (s *syslog) Deliver(ctx context.Context, alerts []*alert.Kept) []error {
	errs := make([]error, len(alerts))
	failed := false
	s.hangUp()
	for i, a := range alerts {
		if err := s.send(ctx, a); err != nil {
			_ = s.Close()
			errs[i], failed = err, true
			for k := i + 1; k < len(alerts); k++ {
				errs[k] = err
			}
			break
		}
	}
	if !failed {
		return nil
	}
	return errs
}

func (s *syslog) send(ctx context.Context, a *alert.Kept) error {
	if s.conn == nil {
		if err := s.dial(ctx); err != nil {
			return fmt.Errorf("connect to the syslog receiver: %w", err)
		}
	}
	m := s.message(a)
	if s.cfg.Network != "udp" {
		m = append(append(strconv.AppendInt(nil, int64(len(m)), 10), ' '), m...)
	}
	if err := s.conn.SetWriteDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	if _, err := s.conn.Write(m); err != nil {
		return fmt.Errorf("send to the syslog receiver: %w", err)
	}
	return nil
}

// hangUp closes a connection that the receiver has closed. A receiver of syslog answers
// nothing, and what is written to one that is gone is taken by the system and lost: so
// the connection is asked before each delivery whether it has ended.
func (s *syslog) hangUp() {
	if s.conn == nil || s.cfg.Network == "udp" {
		return
	}
	var answer [1]byte
	err := s.conn.SetReadDeadline(time.Now().Add(time.Millisecond))
	if err == nil {
		_, err = s.conn.Read(answer[:])
	}
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		_ = s.Close()
	}
}

func (s *syslog) dial(ctx context.Context) (err error) {
	d := &net.Dialer{Timeout: 10 * time.Second}
	switch s.cfg.Network {
	case "tls":
		s.conn, err = (&tls.Dialer{NetDialer: d, Config: s.tls}).DialContext(ctx, "tcp", s.cfg.Address)
	default:
		s.conn, err = d.DialContext(ctx, s.cfg.Network, s.cfg.Address)
	}
	if err != nil {
		s.conn = nil
	}
	return err
}

// The facility is security (4); severities are those of RFC 5424.
var syslogSeverity = map[string]int{"low": 5, "medium": 4, "high": 3, "critical": 2}

// message writes a message of RFC 5424.
func (s *syslog) message(a *alert.Kept) []byte {
	severity, ok := syslogSeverity[a.Severity]
	if !ok {
		severity = 5
	}
	head := fmt.Sprintf("<%d>1 %s %s %s - alert - ", 4*8+severity, s.now().UTC().Format("2006-01-02T15:04:05.000Z"), printableASCII(s.host, 255), printableASCII(s.cfg.App, 48))
	body := string(a.Document)
	if s.cfg.Format == "cef" {
		body = cef(a, s.cfg.Most-len(head))
	} else if len(head)+len(body) > s.cfg.Most {
		body = summary(a)
	}
	return append([]byte(head), cut(body, s.cfg.Most-len(head))...)
}

func printableASCII(text string, most int) string {
	text = strings.Map(func(r rune) rune {
		if r > 32 && r < 127 {
			return r
		}
		return '_'
	}, text)
	if text == "" {
		return "-"
	}
	return text[:min(len(text), most)]
}

// cut cuts a text to a number of bytes, not within a character.
func cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	most = max(0, most)
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}

// summary is the document of an alert that is too large for a message.
func summary(a *alert.Kept) string {
	b := event.AppendQuoted([]byte(`{"kibana.alert.uuid":`), a.ID)
	b = event.AppendQuoted(append(b, `,"kibana.alert.rule.rule_id":`...), a.RuleID)
	b = event.AppendQuoted(append(b, `,"kibana.alert.rule.name":`...), cut(a.RuleName, 300))
	b = event.AppendQuoted(append(b, `,"kibana.alert.severity":`...), a.Severity)
	b = event.AppendQuoted(append(b, `,"kibana.alert.reason":`...), cut(a.Reason, 600))
	return string(append(b, '}'))
}

// cefSeverity maps severities to those of CEF, 0 to 10.
var cefSeverity = map[string]int{"low": 3, "medium": 5, "high": 8, "critical": 10}

// cefFields are the extensions and the fields they come from.
var cefFields = []struct{ key, field string }{
	{"dhost", "host.name"}, {"duser", "user.name"}, {"dproc", "process.name"}, {"dpid", "process.pid"}, {"sproc", "process.parent.name"},
	{"filePath", "process.executable"}, {"src", "source.ip"}, {"dst", "destination.ip"}, {"dpt", "destination.port"}, {"fname", "file.name"}, {"cs2", "process.command_line"},
}

// cef writes an alert in ArcSight's Common Event Format, in so many bytes: extensions
// that do not fit are left out, so that none is cut.
func cef(a *alert.Kept, most int) string {
	doc := document(event.Document(a.Document))
	head := fmt.Sprintf("CEF:0|Shrike|Shrike|1|%s|%s|%d|", cefHeader(cut(a.RuleID, 200)), cefHeader(cut(a.RuleName, 300)), cefSeverity[a.Severity])
	var b strings.Builder
	b.WriteString(head)
	add := func(key, value string) {
		if value == "" {
			return
		}
		text := key + "=" + cefExtension(cut(value, 1000))
		if b.Len() > len(head) {
			text = " " + text
		}
		if b.Len()+len(text) <= most {
			b.WriteString(text)
		}
	}
	add("externalId", a.ID)
	if a.Timed {
		add("rt", strconv.FormatInt(a.Time.Std().UnixMilli(), 10))
	}
	add("cn1Label", "risk_score")
	add("cn1", strconv.Itoa(int(a.RiskScore)))
	for _, f := range cefFields {
		if value := doc.Get(f.field); value != "" {
			if f.key == "cs2" {
				add("cs2Label", "command_line")
			}
			add(f.key, value)
		}
	}
	add("msg", a.Reason)
	return b.String()
}

var (
	cefHeaders    = strings.NewReplacer(`\`, `\\`, "|", `\|`, "\n", " ", "\r", " ")
	cefExtensions = strings.NewReplacer(`\`, `\\`, "=", `\=`, "\n", `\n`, "\r", `\r`)
)

func cefHeader(text string) string    { return cefHeaders.Replace(withoutControls(text)) }
func cefExtension(text string) string { return cefExtensions.Replace(withoutControls(text)) }

// withoutControls replaces control characters but line ends.
func withoutControls(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 32 && r != '\n' && r != '\r' || r >= 0x7f && r < 0xa0 || r == utf8.RuneError {
			return '?'
		}
		return r
	}, text)
}

func (s *syslog) Close() error {
	if s.conn == nil {
		return nil
	}
	err := s.conn.Close()
	if s.conn = nil; errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
