package sink

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"text/template"
	"time"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/event"
)

// Webhook is the configuration of an address that alerts are posted to.
type Webhook struct {
	URL     string            `toml:"url"`
	Headers map[string]string `toml:"headers"`
	// Template makes the body of an alert; empty: its document.
	Template string `toml:"template" comment:"A Go template of the body, over the alert's document: {{json .}}, {{.Get \"host.name\"}}. Empty: the document. With one, each alert is posted by itself."`
	Batch    int    `toml:"batch" comment:"How many documents are posted together, as a JSON array; 1 or less: each by itself."`
	// Secret signs bodies.
	Secret string `toml:"secret" comment:"Signs each body: header X-Shrike-Signature, t=SECONDS,v1=HEX of HMAC-SHA256 over SECONDS.BODY."`
	TLS    TLS    `toml:"tls"`
}

type webhook struct {
	cfg      Webhook
	client   *http.Client
	template *template.Template
	now      func() time.Time
}

func openWebhook(c Webhook) (*webhook, error) {
	if err := checkURL("webhook.url", c.URL); err != nil {
		return nil, err
	}
	client, err := httpClient(c.TLS)
	if err != nil {
		return nil, err
	}
	w := &webhook{cfg: c, client: client, now: time.Now}
	if c.Template != "" {
		w.template, err = template.New("body").Option("missingkey=zero").Funcs(template.FuncMap{"json": toJSON}).Parse(c.Template)
		if err != nil {
			return nil, fmt.Errorf("webhook.template: %w", err)
		}
	}
	return w, nil
}

func checkURL(key, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("%s: it is no address that begins with http:// or https://", key)
	}
	return nil
}

// httpClient makes a client that follows no redirect: what is sent is for one address.
func httpClient(t TLS) (*http.Client, error) {
	c, err := t.config()
	if err != nil {
		return nil, err
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = c
	return &http.Client{Transport: transport, Timeout: 30 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, nil
}

// toJSON is the function json of templates.
func toJSON(v any) (string, error) {
	if d, ok := v.(document); ok {
		v = map[string]any(d)
	}
	b, err := json.Marshal(v)
	return string(b), err
}

// document is what templates see of an alert.
type document map[string]any

// Get gives a field of the document as text, written with dots or nested.
func (d document) Get(name string) string {
	if v, ok := d[name]; ok {
		return fmt.Sprint(v)
	}
	for i := range len(name) {
		if name[i] == '.' {
			if inner, ok := d[name[:i]].(map[string]any); ok {
				return document(inner).Get(name[i+1:])
			}
		}
	}
	return ""
}

func (w *webhook) Deliver(ctx context.Context, alerts []*alert.Kept) []error {
	errs := make([]error, len(alerts))
	step := max(1, w.cfg.Batch)
	if w.template != nil {
		step = 1
	}
	for i := 0; i < len(alerts); i += step {
		some := alerts[i:min(i+step, len(alerts))]
		body, err := w.body(some)
		if err == nil {
			err = w.post(ctx, body)
		}
		for k := range some {
			errs[i+k] = err
		}
	}
	return errs
}

func (w *webhook) body(alerts []*alert.Kept) ([]byte, error) {
	var b bytes.Buffer
	switch {
	case w.template != nil:
		if err := w.template.Execute(&b, document(event.Document(alerts[0].Document))); err != nil {
			return nil, &Refusal{"the template fails: " + err.Error()}
		}
	case w.cfg.Batch <= 1:
		b.Write(alerts[0].Document)
	default:
		for i, a := range alerts {
			b.WriteByte("[,"[min(i, 1)])
			b.Write(a.Document)
		}
		b.WriteByte(']')
	}
	return b.Bytes(), nil
}

func (w *webhook) post(ctx context.Context, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.cfg.URL, bytes.NewReader(body))
	if err != nil {
		return &Refusal{err.Error()}
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "shrike")
	for name, value := range w.cfg.Headers {
		r.Header.Set(name, value)
	}
	if w.cfg.Secret != "" {
		r.Header.Set("X-Shrike-Signature", sign(w.cfg.Secret, w.now(), body))
	}
	answer, err := w.client.Do(r)
	if err != nil {
		return hideURL(err)
	}
	return outcome(answer)
}

// sign gives the header that tells where a body comes from and when it was sent.
func sign(secret string, now time.Time, body []byte) string {
	at := strconv.FormatInt(now.Unix(), 10)
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(at + "."))
	m.Write(body)
	return "t=" + at + ",v1=" + hex.EncodeToString(m.Sum(nil))
}

// hideURL takes the address out of an error: it may hold a secret.
func hideURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// outcome tells what an answer means, and ends it.
func outcome(answer *http.Response) error {
	defer answer.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(answer.Body, 1000))
	reason := fmt.Sprintf("the receiver answered %s: %.200s", answer.Status, text)
	switch code := answer.StatusCode; {
	case code < 300:
		return nil
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		return &later{reason, retryAfter(answer.Header.Get("Retry-After"))}
	case code == http.StatusRequestTimeout || code == http.StatusUnauthorized || code == http.StatusForbidden || code >= 500:
		return errors.New(reason) // may be put right
	}
	return &Refusal{reason}
}

// retryAfter reads the header of that name; an hour is the most.
func retryAfter(text string) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil && seconds >= 0 {
		return min(time.Duration(seconds)*time.Second, time.Hour)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(0, time.Until(at)), time.Hour)
	}
	return 0
}

func (w *webhook) Close() error {
	w.client.CloseIdleConnections()
	return nil
}
