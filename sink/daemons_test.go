package sink_test

// The sinks against the programs they are for: Debian's exim and rsyslog.

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http/httptest"
	"net/mail"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/sink"
)

// daemon is a program that listens.
type daemon struct {
	t       *testing.T
	args    []string
	address string
	cmd     *exec.Cmd
}

// free gives an address that nobody listens at, for TCP and UDP.
func free(t *testing.T) (address, port string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return l.Addr().String(), port
}

// installed skips the test where a program is not there.
func installed(t *testing.T, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		path = "/usr/sbin/" + program
		if _, err = os.Stat(path); err != nil {
			t.Skip(program + " is not installed")
		}
	}
	return path
}

func (d *daemon) start() {
	d.t.Helper()
	d.cmd = exec.Command(d.args[0], d.args[1:]...)
	var said strings.Builder
	d.cmd.Stdout, d.cmd.Stderr = &said, &said
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	for range 100 {
		if c, err := net.Dial("tcp", d.address); err == nil {
			_ = c.Close()
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	d.kill()
	d.t.Fatalf("%s does not listen: %s", d.args[0], said.String())
}

func (d *daemon) kill() {
	_ = d.cmd.Process.Kill()
	_ = d.cmd.Wait()
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const eximConfig = `primary_hostname = localhost
exim_path = EXIM
spool_directory = DIR/spool
log_file_path = DIR/spool/log-%s
pid_file_path = DIR/spool/pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = PORT
tls_certificate = DIR/spool/cert.pem
tls_privatekey = DIR/spool/key.pem
tls_advertise_hosts = *
acl_smtp_rcpt = rcpt
begin acl
rcpt:
  require encrypted = *
  require authenticated = *
  require domains = example.com
  accept
begin routers
all:
  driver = accept
  transport = keep
begin transports
keep:
  driver = appendfile
  directory = DIR/spool/mail
  maildir_format
  user = OWNER
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{soc}}{eq{$auth3}{secret}}}}
  server_set_id = $auth2
`

// newExim prepares an SMTP server that takes mail over TLS from whoever has the password.
func newExim(t *testing.T) (d *daemon, dir string) {
	exim := installed(t, "exim4")
	owner, err := user.Lookup("Debian-exim")
	if err != nil || os.Getuid() != 0 {
		t.Skip("exim takes a configuration of one's own from root alone")
	}
	dir = t.TempDir()
	for d := dir; d != os.TempDir() && len(d) > 1; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	spool := filepath.Join(dir, "spool")
	if err := os.Mkdir(spool, 0o700); err != nil {
		t.Fatal(err)
	}
	web := httptest.NewTLSServer(nil) // has a certificate for 127.0.0.1
	web.Close()
	cert := web.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(spool, "cert.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Certificate[0]})))
	write(t, filepath.Join(spool, "key.pem"), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})))
	uid, _ := strconv.Atoi(owner.Uid)
	gid, _ := strconv.Atoi(owner.Gid)
	for _, path := range []string{spool, filepath.Join(spool, "cert.pem"), filepath.Join(spool, "key.pem")} {
		if err := os.Chown(path, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	address, port := free(t)
	config := filepath.Join(dir, "exim.conf")
	write(t, config, strings.NewReplacer("EXIM", exim, "DIR", dir, "PORT", port, "OWNER", owner.Username).Replace(eximConfig))
	if err := os.Chmod(config, 0o644); err != nil {
		t.Fatal(err)
	}
	return &daemon{t: t, args: []string{exim, "-C", config, "-bdf", "-odi"}, address: address}, dir
}

// TestMailServer sends mails over TLS with a password, and while the server is down.
func TestMailServer(t *testing.T) {
	d, dir := newExim(t)
	config := func(password, to string) sink.Config {
		return sink.Config{Kind: "email", Email: sink.Email{
			Server: d.address, From: "shrike@example.com", To: []string{to}, User: "soc", Password: password, TLS: sink.TLS{CA: filepath.Join(dir, "spool/cert.pem")},
		}}
	}
	s := open(t, config("secret", "soc@example.com"))
	var refusal *sink.Refusal
	if errs := s.Deliver(t.Context(), []*alert.Kept{hostile("1")}); len(errs) != 1 || errs[0] == nil || errors.As(errs[0], &refusal) {
		t.Errorf("nobody listens: %v", errs)
	}
	d.start()
	defer func() { d.kill() }()
	var many []*alert.Kept
	for i := range 60 {
		many = append(many, hostile(fmt.Sprint("alert-", i)))
	}
	for _, list := range [][]*alert.Kept{many[:1], many} {
		if errs := s.Deliver(t.Context(), list); errs != nil {
			t.Fatal(errs)
		}
	}
	if errs := open(t, config("wrong", "soc@example.com")).Deliver(t.Context(), many[:1]); len(errs) != 1 || errs[0] == nil || errors.As(errs[0], &refusal) {
		t.Errorf("a wrong password, which may be mended: %v", errs)
	}
	if errs := open(t, config("secret", "soc@elsewhere.org")).Deliver(t.Context(), many[:1]); len(errs) != 1 || !errors.As(errs[0], &refusal) {
		t.Errorf("an address the server refuses: %v", errs)
	}
	d.kill()
	if errs := s.Deliver(t.Context(), many[:2]); len(errs) != 2 || errs[1] == nil {
		t.Errorf("the server is down: %v", errs)
	}
	d.start()
	if errs := s.Deliver(t.Context(), many[:2]); errs != nil {
		t.Fatal(errs)
	}
	box := filepath.Join(dir, "spool/mail/new/*")
	files, _ := filepath.Glob(box)
	for range 100 {
		if len(files) >= 3 {
			break
		}
		time.Sleep(100 * time.Millisecond)
		files, _ = filepath.Glob(box)
	}
	if len(files) != 3 {
		t.Fatalf("%d mails, three were sent", len(files))
	}
	subjects := map[string]int{}
	for _, file := range files {
		subjects[readMail(t, file)]++
	}
	for _, more := range []string{"", " and 59 more", " and 1 more"} {
		if subjects["[high] Rule  Bcc: all@example.com"+more] != 1 {
			t.Errorf("subjects %v", subjects)
		}
	}
}

// readMail reads a mail as a mail program does, and gives its subject.
func readMail(t *testing.T, file string) string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := mail.ReadMessage(f)
	if err != nil {
		t.Fatal(err)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" || m.Header.Get("Bcc") != "" || len(m.Header["Subject"]) != 1 || !strings.Contains(m.Header.Get("Received"), "esmtpsa") {
		t.Errorf("%v: header %v", err, m.Header)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, want := range []string{"text/plain", "text/html"} {
		p, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(p)
		if err != nil || !strings.HasPrefix(p.Header.Get("Content-Type"), want) || !strings.Contains(string(text), "Rule  Bcc: all@example.com") {
			t.Errorf("part %v, %v: %s", p.Header, err, text)
		}
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		t.Error(err)
	}
	return subject
}

const rsyslogConfig = `global(workDirectory="DIR")
module(load="imtcp" maxSessions="50")
module(load="imudp")
template(name="line" type="list") {
  property(name="pri") constant(value="|") property(name="app-name") constant(value="|") property(name="msgid") constant(value="|")
  property(name="msg") constant(value="\n")
}
input(type="imtcp" port="PORT" address="127.0.0.1")
input(type="imudp" port="PORT" address="127.0.0.1")
action(type="omfile" file="DIR/got" template="line")
`

// TestSyslogDaemon sends messages over TCP and UDP, and over a daemon that is killed
// between two deliveries.
func TestSyslogDaemon(t *testing.T) {
	dir := t.TempDir()
	address, port := free(t)
	config := filepath.Join(dir, "rsyslog.conf")
	write(t, config, strings.NewReplacer("DIR", dir, "PORT", port).Replace(rsyslogConfig))
	d := &daemon{t: t, args: []string{installed(t, "rsyslogd"), "-n", "-f", config, "-i", filepath.Join(dir, "pid")}, address: address}
	d.start()
	defer func() { d.kill() }()
	tcp := open(t, sink.Config{Kind: "syslog", Syslog: sink.Syslog{Address: address}})
	udp := open(t, sink.Config{Kind: "syslog", Syslog: sink.Syslog{Address: address, Network: "udp", Format: "json"}})
	var list []*alert.Kept
	for i := range 300 {
		list = append(list, hostile(fmt.Sprintf("tcp-%03d", i)))
	}
	got := func(want string) int {
		text, _ := os.ReadFile(filepath.Join(dir, "got"))
		return strings.Count(string(text), want)
	}
	await := func(want string, n int) {
		t.Helper()
		for range 100 {
			if got(want) >= n {
				break
			}
			time.Sleep(100 * time.Millisecond)
		}
		if got(want) != n {
			text, _ := os.ReadFile(filepath.Join(dir, "got"))
			t.Fatalf("%d messages with %q, expected %d\n%.2000s", got(want), want, n, text)
		}
	}
	deliver := func(s sink.Sink, list []*alert.Kept) {
		t.Helper()
		if errs := s.Deliver(t.Context(), list); errs != nil {
			t.Fatal(errs)
		}
	}
	deliver(tcp, list[:100])
	await("35|shrike|alert|CEF:0|Shrike|Shrike|1|rule\\|1|Rule  Bcc: all@example.com|8|externalId=tcp-0", 100)
	deliver(udp, []*alert.Kept{hostile("udp-1")})
	await(`35|shrike|alert|{"host":{"name":"h|1\n"}`, 1)
	d.kill()
	if errs := tcp.Deliver(t.Context(), list[100:200]); len(errs) != 100 || errs[0] == nil || errs[99] == nil {
		t.Fatalf("the daemon is down: %v", errs)
	}
	d.start()
	deliver(tcp, list[100:200])
	await("externalId=tcp-1", 100)
	d.kill()
	d.start() // the connection is gone, and nobody has said so
	deliver(tcp, list[200:])
	await("externalId=tcp-2", 100)
	text, _ := os.ReadFile(filepath.Join(dir, "got"))
	if n := strings.Count(string(text), "\n"); n != 301 {
		t.Errorf("%d lines in the daemon's file, expected 301", n)
	}
}
