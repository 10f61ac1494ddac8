package report_test

// The page in a browser: it opens 50,000 alerts in time, its script does what it
// should, and no alert gets anything to run.

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shrike-project/shrike/alert"
	"github.com/shrike-project/shrike/report"
	"github.com/shrike-project/shrike/rule"
)

// browser finds Chromium, or skips.
func browser(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Skip("no Chromium on this machine")
	return ""
}

// command gives the browser with a profile of its own.
func command(ctx context.Context, t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	profile, err := os.MkdirTemp("", "shrike-chromium-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(profile) }) // its helpers may still write there
	args = append([]string{"--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars", "--user-data-dir=" + profile}, args...)
	return exec.CommandContext(ctx, browser(t), args...)
}

// chromium runs the browser to its end, and gives what it prints.
func chromium(t *testing.T, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := command(ctx, t, args...).Output()
	if err != nil {
		t.Fatalf("%v: %.500s", err, out)
	}
	return string(out)
}

// many gives a maker of alerts that are all different, over a day.
func many() func(int) *alert.Alert {
	list := rules()
	return func(i int) *alert.Alert {
		return different(list[[...]int{3, 3, 2, 2, 2, 0, 0, 1}[i*2654435761>>7&7]], i)
	}
}

func different(r *rule.Rule, i int) *alert.Alert {
	host, user := fmt.Sprintf("WS-%04d", i*7919%211), fmt.Sprintf("user%02d", i*104729%83)
	word := strings.Map(func(r rune) rune { return 'g' + (r - '0') }, fmt.Sprint(i)) // digits would be one shape
	a := processAlert(r, i/5, host, user, `C:\Program Files\Chat\chat.exe`, `C:\Users\`+user+`\AppData\Local\Temp\`+word+`.exe`, word+".exe /silent --from "+word)
	padding := map[string]any{}
	for n := range 40 {
		padding[fmt.Sprint("field", n)] = fmt.Sprint("a value that fills an event ", n, word)
	}
	change(a, func(doc map[string]any) { doc["padding"] = padding })
	return a
}

// writePage writes a page of alerts to a file.
func writePage(t testing.TB, n int, make func(int) *alert.Alert) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	out := bufio.NewWriter(f)
	w, err := report.Open("html", out, report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := w.Write(make(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(summary); err != nil {
		t.Fatal(err)
	}
	if err := out.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// drive opens a page in a frame, and runs a script that has the frame's document as
// d, the milliseconds it took to open as ms, and what waits for a condition as until.
// It gives what the script returns.
func drive(t *testing.T, path, script string) string {
	t.Helper()
	said := make(chan string, 1)
	dir := http.FileServer(http.Dir(filepath.Dir(path)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			_, _ = fmt.Fprint(w, `<!DOCTYPE html><iframe id="f" width="1280" height="900"></iframe><script>
const f = document.getElementById("f"), start = performance.now();
const until = async (c) => { for (let i = 0; i < 500 && !c(); i++) await new Promise((r) => setTimeout(r, 10)); };
f.onload = () => f.contentWindow.requestAnimationFrame(() => setTimeout(async () => {
  const d = f.contentDocument, ms = (performance.now() - start).toFixed(0);
  let said;
  try { said = await (async () => {`+script+`})(); } catch (e) { said = String(e); }
  await fetch("/said", {method: "POST", body: said});
}));
f.src = "/report.html";</script>`)
		case "/said":
			body, err := io.ReadAll(io.LimitReader(r.Body, 1<<16))
			if err != nil {
				t.Error(err)
			}
			said <- string(body)
		default:
			dir.ServeHTTP(w, r)
		}
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	c := command(ctx, t, server.URL+"/") // which stays until it is ended
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		cancel()
		_ = c.Wait() // it was killed
	}()
	select {
	case text := <-said:
		return text
	case <-time.After(90 * time.Second):
		t.Fatal("the page was not loaded")
		return ""
	}
}

// TestOpensInTime measures in the browser itself how long a page of 50,000 alerts
// takes from its start to the end of its load event and the first frame after it; with the
// race detector a tenth of that.
func TestOpensInTime(t *testing.T) {
	browser(t)
	alerts := 50_000
	if raced {
		alerts /= 10
	}
	start := time.Now()
	path := writePage(t, alerts, many())
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("written in %v, %.1f MB", time.Since(start).Round(time.Millisecond), float64(info.Size())/1e6)
	text := drive(t, path, `return ms + " ms, " + d.querySelectorAll("article.alert").length + " shown, " + d.getElementById("pages").textContent;`)
	t.Logf("opened: %s", text)
	var ms int
	if _, err := fmt.Sscanf(text, "%d ms", &ms); err != nil || ms > 3000 || !strings.Contains(text, fmt.Sprintf(" 100 shown, of %d", alerts/100)) {
		t.Errorf("opened: %s; expected 3000 ms at most, and 100 shown, of %d", text, alerts/100)
	}
}

// TestPageScript turns pages and filters.
func TestPageScript(t *testing.T) {
	browser(t)
	path := writePage(t, 250, many())
	got := drive(t, path, `
const out = [], $ = (id) => d.getElementById(id), shown = () => d.querySelectorAll("article.alert");
const note = (what) => out.push(what + ": " + shown().length + " shown; " + $("status").textContent);
const after = async (what, act) => { const was = $("list").firstElementChild, text = $("status").textContent; act(); await until(() => $("list").firstElementChild !== was || $("status").textContent !== text); note(what); };
note("opened");
await after("next", () => $("next").click());
await after("last", () => { $("page").value = 3; $("page").dispatchEvent(new Event("change")); });
await after("critical", () => d.querySelector("button[data-filter=severity][data-value=critical]").click());
out.push([...shown()].every((a) => a.dataset.severity === "critical"));
await after("clear", () => d.querySelector("button[type=reset]").click());
await after("host", () => d.querySelector("button[data-filter=host]").click());
await after("cleared", () => d.querySelector("button[type=reset]").click());
await after("search", () => { $("f-text").value = "--FROM hii"; $("f-text").dispatchEvent(new Event("input")); });
return out.join("\n");`)
	const want = `opened: 100 shown; 250 groups, the gravest first, then by time.
next: 100 shown; 250 groups, the gravest first, then by time.
last: 50 shown; 250 groups, the gravest first, then by time.`
	if !strings.HasPrefix(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for _, part := range []string{"critical: 3", "\ntrue\n", "clear: 100 shown; 250 groups", "host: 2 shown; 2 of 250 groups", "cleared: 100 shown", "search: 1 shown; 1 of 250"} {
		if !strings.Contains(got, part) {
			t.Errorf("%q is not in\n%s", part, got)
		}
	}
	t.Log(got)
}

// TestHostilePage loads alerts that try to run something. The policy would stop
// them; here the document itself is asked whether there is anything to stop.
func TestHostilePage(t *testing.T) {
	list := rules()
	path := writePage(t, 150, func(i int) *alert.Alert {
		a := hostile(list[2])
		change(a, func(doc map[string]any) {
			doc["process"].(map[string]any)["command_line"] = strings.Repeat("x", i+1) + bad
		})
		return a
	})
	dom := chromium(t, "--timeout=10000", "--virtual-time-budget=5000", "--dump-dom", "file://"+path)
	if strings.Contains(dom, "<img") || strings.Contains(dom, "<script>alert") || strings.Count(dom, "<article class=\"alert\"") != 100 {
		t.Errorf("the page holds what an event brought, or %d alerts", strings.Count(dom, "<article class=\"alert\""))
	}
	got := drive(t, path, `
d.getElementById("next").click();
await until(() => d.querySelectorAll("article.alert").length === 50);
return d.querySelectorAll("article.alert").length + " alerts, " + d.querySelectorAll("main img, main script, main style, main iframe").length + " intruders, title " + d.title;`)
	if got != "50 alerts, 0 intruders, title Shrike report: 150 alerts" {
		t.Errorf("the second page has %s", got)
	}
}
