package sink

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/event"
)

// Email is the configuration of mails about alerts.
type Email struct {
	Server   string   `toml:"server" comment:"Host and port of the SMTP server."`
	From     string   `toml:"from"`
	To       []string `toml:"to"`
	Security string   `toml:"security" comment:"starttls, tls or none; empty: starttls."`
	User     string   `toml:"user"`
	Password string   `toml:"password"`
	TLS      TLS      `toml:"tls"`
}

type email struct {
	cfg    Email
	client *mail.Client
}

func openEmail(c Email) (*email, error) {
	host, port, err := net.SplitHostPort(c.Server)
	n, portErr := strconv.Atoi(port)
	if err != nil || portErr != nil {
		return nil, fmt.Errorf("email.server: %q is no host and port", c.Server)
	}
	if c.From == "" || len(c.To) == 0 {
		return nil, errors.New("email: it needs from and to")
	}
	t, err := c.TLS.config()
	if err != nil {
		return nil, err
	}
	t.ServerName = host
	options := []mail.Option{mail.WithPort(n), mail.WithTLSConfig(t), mail.WithTimeout(20 * time.Second)}
	switch c.Security {
	case "", "starttls":
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	case "tls":
		options = append(options, mail.WithSSL())
	case "none":
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		return nil, fmt.Errorf("email.security: %q is none of starttls, tls, none", c.Security)
	}
	if c.User != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(c.User), mail.WithPassword(c.Password))
	}
	client, err := mail.NewClient(host, options...)
	if err != nil {
		return nil, fmt.Errorf("email: %w", err)
	}
	e := &email{c, client}
	_, err = e.message(nil)
	return e, err
}

// mostInMail is how many alerts a mail shows; the others are counted.
const mostInMail = 50

// Deliver sends one mail for all alerts.
func (e *email) Deliver(ctx context.Context, alerts []*alert.Kept) []error {
	m, err := e.message(alerts)
	if err != nil {
		return all(len(alerts), &Refusal{err.Error()})
	}
	if err := e.client.DialAndSendWithContext(ctx, m); err != nil {
		var sendErr *mail.SendError
		if errors.As(err, &sendErr) && !sendErr.IsTemp() && sendErr.Reason != mail.ErrConnCheck && sendErr.ErrorCode() >= 500 {
			return all(len(alerts), &Refusal{err.Error()})
		}
		return all(len(alerts), fmt.Errorf("send a mail: %w", err))
	}
	return nil
}

// mailed is what a mail shows of an alert.
type mailed struct {
	Severity, Rule, Time, Host, User, Process, Reason, ID string
	Risk                                                  float64
}

func (e *email) message(alerts []*alert.Kept) (*mail.Msg, error) {
	m := mail.NewMsg()
	if err := m.From(e.cfg.From); err != nil {
		return nil, fmt.Errorf("email.from: %w", err)
	}
	if err := m.To(e.cfg.To...); err != nil {
		return nil, fmt.Errorf("email.to: %w", err)
	}
	data := struct {
		Alerts     []mailed
		All, Shown int
	}{All: len(alerts)}
	for _, a := range alerts[:min(len(alerts), mostInMail)] {
		doc := document(event.Document(a.Document))
		one := mailed{
			Severity: a.Severity, Rule: oneLine(a.RuleName), Host: oneLine(doc.Get("host.name")), User: oneLine(doc.Get("user.name")),
			Process: oneLine(doc.Get("process.command_line")), Reason: oneLine(a.Reason), ID: a.ID, Risk: a.RiskScore,
		}
		if a.Timed {
			one.Time = a.Time.String()
		}
		data.Alerts = append(data.Alerts, one)
	}
	data.Shown = len(data.Alerts)
	m.Subject(subject(alerts))
	var text, page bytes.Buffer
	for _, a := range data.Alerts {
		fmt.Fprintf(&text, "%s  %s\n%s  host %s  user %s\n%s\n%s\n\n", strings.ToUpper(a.Severity), a.Rule, a.Time, a.Host, a.User, a.Process, a.Reason)
	}
	if data.All > data.Shown {
		fmt.Fprintf(&text, "and %d more\n", data.All-data.Shown)
	}
	if err := mailPage.Execute(&page, data); err != nil {
		return nil, err
	}
	m.SetBodyString(mail.TypeTextPlain, text.String())
	m.AddAlternativeString(mail.TypeTextHTML, page.String())
	return m, nil
}

// subject is one line, whatever a rule is called.
func subject(alerts []*alert.Kept) string {
	if len(alerts) == 0 {
		return "Shrike"
	}
	first := alerts[0]
	s := fmt.Sprintf("[%s] %s", first.Severity, first.RuleName)
	if len(alerts) > 1 {
		s += fmt.Sprintf(" and %d more", len(alerts)-1)
	}
	return cut(oneLine(s), 200)
}

// oneLine takes line ends and control characters out of a text.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 32 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, cut(text, 2000))
}

var mailPage = htmltemplate.Must(htmltemplate.New("mail").Parse(`<!doctype html><html><body style="font-family:sans-serif">
<table cellpadding="6" style="border-collapse:collapse">
<tr><th align="left">Severity</th><th align="left">Rule</th><th align="left">Time</th><th align="left">Host</th><th align="left">User</th><th align="left">What</th></tr>
{{range .Alerts}}<tr style="border-top:1px solid #ccc"><td>{{.Severity}} ({{.Risk}})</td><td>{{.Rule}}</td><td>{{.Time}}</td><td>{{.Host}}</td><td>{{.User}}</td><td><code>{{.Process}}</code><br>{{.Reason}}</td></tr>
{{end}}</table>{{if gt .All .Shown}}<p>{{.All}} alerts in all.</p>{{end}}</body></html>
`))

func (e *email) Close() error { return nil }
