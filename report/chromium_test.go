package report_test

// The page in a browser: it opens 50,000 alerts in time, its script does what it
// should, and no alert gets anything to run.

import (
	"bufio"
	"context"
	"fmt"
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

// chromium runs the browser with a profile of its own and gives what it prints.
func chromium(t *testing.T, args ...string) (string, time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	args = append([]string{"--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars", "--user-data-dir=" + t.TempDir()}, args...)
	c := exec.CommandContext(ctx, browser(t), args...)
	start := time.Now()
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v: %.500s", err, out)
	}
	return string(out), time.Since(start)
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
	a.Document["padding"] = map[string]any{}
	for n := range 40 {
		a.Document["padding"].(map[string]any)[fmt.Sprint("field", n)] = fmt.Sprint("a value that fills an event ", n, word)
	}
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

// TestOpensInTime measures in the browser itself how long a page of 50,000 alerts
// takes from its start to the end of its load event and the first frame after it.
func TestOpensInTime(t *testing.T) {
	browser(t)
	start := time.Now()
	path := writePage(t, 50_000, many())
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("written in %v, %.1f MB", time.Since(start).Round(time.Millisecond), float64(info.Size())/1e6)
	// A frame on a page beside it takes the time.
	took := make(chan string, 1)
	dir := http.FileServer(http.Dir(filepath.Dir(path)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/":
			_, _ = fmt.Fprint(w, `<!DOCTYPE html><iframe id="f" width="1280" height="900"></iframe><script>
const f = document.getElementById("f"), start = performance.now();
f.onload = () => f.contentWindow.requestAnimationFrame(() => setTimeout(() => {
  const d = f.contentDocument;
  document.title = (performance.now() - start).toFixed(0) + " ms, " + d.querySelectorAll("article.alert").length + " shown, " + d.getElementById("pages").textContent;
  fetch("/took", {method: "POST", body: document.title});
}));
f.src = "/report.html";</script>`)
		case "/took":
			body := make([]byte, 200)
			n, _ := r.Body.Read(body)
			took <- string(body[:n])
		default:
			dir.ServeHTTP(w, r)
		}
	}))
	defer server.Close()
	_, all := chromium(t, "--virtual-time-budget=1", "--timeout=60000", "--dump-dom", server.URL+"/")
	select {
	case text := <-took:
		t.Logf("opened: %s; the browser ran for %v", text, all.Round(time.Millisecond))
		var ms int
		if _, err := fmt.Sscanf(text, "%d ms", &ms); err != nil || ms > 3000 || !strings.Contains(text, " 100 shown, of 500") {
			t.Errorf("opened: %s; expected 3000 ms at most, and 100 shown, of 500", text)
		}
	case <-time.After(30 * time.Second):
		t.Error("the page was not loaded")
	}
}

// TestHostilePage loads alerts that try to run something. The policy would stop
// them; here the document itself is asked whether there is anything to stop.
func TestHostilePage(t *testing.T) {
	list := rules()
	path := writePage(t, 150, func(i int) *alert.Alert {
		a := hostile(list[2])
		a.Document["process"].(map[string]any)["command_line"] = strings.Repeat("x", i+1) + bad
		return a
	})
	dom, _ := chromium(t, "--timeout=10000", "--virtual-time-budget=5000", "--dump-dom", "file://"+path)
	if strings.Contains(dom, "<img") || strings.Contains(dom, "<script>alert") || strings.Count(dom, "<article class=\"alert\"") != 100 {
		t.Errorf("the page holds what an event brought, or %d alerts", strings.Count(dom, "<article class=\"alert\""))
	}
	if !strings.Contains(dom, `class="scripted"`) {
		t.Error("the page's own script did not run")
	}
}
