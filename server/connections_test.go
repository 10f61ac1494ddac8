package server_test

import (
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestTenThousandConnections has 10,000 clients connect that say nothing, or little and
// slowly, while another one works.
func TestTenThousandConnections(t *testing.T) {
	cfg := settings(t)
	cfg.Limits.Connections = 500
	r := start(t, cfg, "")
	const most, dialers = 10_000, 20
	var mu sync.Mutex
	var open []net.Conn
	var connected, failed atomic.Int64
	var wg sync.WaitGroup
	address := strings.TrimPrefix(r.address, "http://")
	before := memory()
	for range dialers {
		wg.Go(func() {
			for connected.Load()+failed.Load() < most {
				c, err := net.DialTimeout("tcp", address, 10*time.Second)
				if err != nil {
					failed.Add(1) // the system's own bounds
					continue
				}
				mu.Lock()
				open = append(open, c)
				mu.Unlock()
				if n := connected.Add(1); n%2 == 0 {
					_, _ = c.Write([]byte("POST /_bulk HTTP/1.1\r\nHost: x\r\nX-Slow: "))
				}
			}
		})
	}
	stop := make(chan struct{})
	worked, slowest := 0, time.Duration(0)
	wg.Add(1)
	go func() {
		defer wg.Done()
		own := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 20 * time.Second}
		for {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
			}
			_, body := docs(0, 1)
			req, _ := http.NewRequest("POST", r.address+"/_bulk", strings.NewReader(string(body)))
			req.Header.Set("Authorization", "ApiKey "+r.key)
			begin := time.Now()
			answer, err := own.Do(req)
			if err != nil || answer.StatusCode != 200 {
				t.Errorf("a client that works: %v, %v", answer, err)
				return
			}
			_ = answer.Body.Close()
			worked++
			slowest = max(slowest, time.Since(begin))
		}
	}()
	for deadline := time.Now().Add(time.Minute); connected.Load()+failed.Load() < most && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
	}
	time.Sleep(300 * time.Millisecond) // the flood stands, and the client works
	grown := memory() - before
	close(stop)
	wg.Wait()
	for _, c := range open {
		_ = c.Close()
	}
	if worked < 5 || connected.Load() < most/2 {
		t.Errorf("%d connections, %d failed; a client's requests answered meanwhile: %d", connected.Load(), failed.Load(), worked)
	}
	if grown > 100<<20 {
		t.Errorf("memory has grown by %d bytes", grown)
	}
	if code := r.ask("GET", "/v1/status", "", nil); code != 200 {
		t.Errorf("status %d when the flood is over", code)
	}
	t.Logf("%d connections, %d failed; %d requests answered meanwhile, the slowest in %s; memory grown by %d KB", connected.Load(), failed.Load(), worked, slowest.Round(time.Millisecond), grown>>10)
}

// memory is what is in use, or was and is not yet given back.
func memory() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.Sys - m.HeapReleased)
}
