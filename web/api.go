// Package web is the JSON interface to alerts, rules and keys.
//
// Every request needs a key with the scope that its route names. The package is part
// of the program, not of its promised interface.
package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"strconv"
	"strings"
	"time"

	"github.com/shrike-project/shrike/store"
)

// Config says what an API stands on.
type Config struct {
	Store *store.Store
	// Status and Rules tell how the server and its rules stand, Reload reads the rules
	// anew before; each gives what is written as JSON.
	Status, Rules, Reload func(context.Context) (any, error)
	// Backfill starts one that the body of a request asks for.
	Backfill func(ctx context.Context, body []byte) (any, error)
	Metrics  http.Handler
	Log      *slog.Logger
}

// api answers requests.
type api struct{ cfg Config }

// maxBody bounds the body of a request.
const maxBody = 1 << 20

// New makes the handler of the API.
func New(cfg Config) http.Handler {
	a := &api{cfg}
	mux := http.NewServeMux()
	for _, route := range []struct {
		pattern, scope string
		answer         func(http.ResponseWriter, *http.Request, store.Key) (any, error)
	}{
		{"GET /v1/alerts", "read", a.alerts},
		{"GET /v1/alerts/{id}", "read", a.alert},
		{"PATCH /v1/alerts/{id}", "triage", a.triage},
		{"GET /v1/status", "read", a.of(cfg.Status)},
		{"GET /v1/rules", "read", a.of(cfg.Rules)},
		{"POST /v1/rules/reload", "rules", a.of(cfg.Reload)},
		{"POST /v1/backfill", "rules", a.backfill},
		{"GET /v1/keys", "admin", a.keys},
		{"POST /v1/keys", "admin", a.createKey},
		{"DELETE /v1/keys/{id}", "admin", a.revokeKey},
		{"GET /v1/sinks/{name}/dead", "read", a.dead},
		{"POST /v1/sinks/{name}/revive", "admin", a.revive},
	} {
		mux.Handle(route.pattern, a.route(route.scope, route.answer))
	}
	mux.Handle("GET /metrics", a.guard("read", func(w http.ResponseWriter, r *http.Request, _ store.Key) { cfg.Metrics.ServeHTTP(w, r) }))
	for path, profile := range map[string]http.HandlerFunc{"/debug/pprof/": pprof.Index, "/debug/pprof/profile": pprof.Profile, "/debug/pprof/trace": pprof.Trace} {
		mux.Handle("GET "+path, a.guard("admin", func(w http.ResponseWriter, r *http.Request, _ store.Key) { profile(w, r) }))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		a.write(w, http.StatusNotFound, problem{"no such address: " + r.Method + " " + r.URL.Path})
	})
	return mux
}

// problem is the answer to a request that failed.
type problem struct {
	Error string `json:"error"`
}

// BadRequest makes an error that is the client's fault.
func BadRequest(reason string) error { return badRequest{reason} }

// badRequest is a fault of the client.
type badRequest struct{ reason string }

func (b badRequest) Error() string { return b.reason }

// guard lets in who has a key with a scope.
func (a *api) guard(scope string, next func(http.ResponseWriter, *http.Request, store.Key)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key, err := a.key(r)
		switch {
		case errors.Is(err, store.ErrKey):
			w.Header().Add("WWW-Authenticate", `Basic realm="shrike", charset="UTF-8"`)
			w.Header().Add("WWW-Authenticate", "ApiKey")
			a.write(w, http.StatusUnauthorized, problem{"a valid key is needed"})
		case err != nil:
			a.fail(w, r, err)
		case !key.May(scope):
			a.write(w, http.StatusForbidden, problem{"the key has not the scope " + scope})
		default:
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			next(w, r, key)
		}
	})
}

func (a *api) route(scope string, answer func(http.ResponseWriter, *http.Request, store.Key) (any, error)) http.Handler {
	return a.guard(scope, func(w http.ResponseWriter, r *http.Request, key store.Key) {
		v, err := answer(w, r, key)
		if err != nil {
			a.fail(w, r, err)
			return
		}
		a.write(w, http.StatusOK, v)
	})
}

func (a *api) key(r *http.Request) (store.Key, error) {
	scheme, rest, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch strings.ToLower(scheme) {
	case "apikey", "bearer":
		return a.cfg.Store.Verify(r.Context(), strings.TrimSpace(rest))
	case "basic":
		if user, password, ok := r.BasicAuth(); ok {
			return a.cfg.Store.VerifyPair(r.Context(), user, password)
		}
	}
	return store.Key{}, store.ErrKey
}

// fail answers with the status that an error stands for.
func (a *api) fail(w http.ResponseWriter, r *http.Request, err error) {
	var bad badRequest
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &bad), errors.Is(err, store.ErrQuery):
		a.write(w, http.StatusBadRequest, problem{err.Error()})
	case errors.As(err, &large):
		a.write(w, http.StatusRequestEntityTooLarge, problem{"the body is too large"})
	case errors.Is(err, store.ErrNotFound):
		a.write(w, http.StatusNotFound, problem{err.Error()})
	case errors.Is(err, store.ErrConflict):
		a.write(w, http.StatusConflict, problem{err.Error()})
	default:
		a.cfg.Log.Error("a request failed", "method", r.Method, "path", r.URL.Path, "error", err)
		a.write(w, http.StatusInternalServerError, problem{"it failed; the reason is in the server's log"})
	}
}

func (a *api) write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(true)
	_ = enc.Encode(v) // a client that went away is no concern of ours
}

func (a *api) of(ask func(context.Context) (any, error)) func(http.ResponseWriter, *http.Request, store.Key) (any, error) {
	return func(_ http.ResponseWriter, r *http.Request, _ store.Key) (any, error) { return ask(r.Context()) }
}

func (a *api) backfill(_ http.ResponseWriter, r *http.Request, _ store.Key) (any, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	return a.cfg.Backfill(r.Context(), body)
}

// read reads a body strictly.
func read(r *http.Request, into any) error {
	dec := json.NewDecoder(r.Body)
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		var large *http.MaxBytesError
		if errors.As(err, &large) {
			return err
		}
		return badRequest{"the body: " + err.Error()}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return badRequest{"the body: something follows the object"}
	}
	return nil
}

// moment reads a time of an address: RFC 3339, or how long ago, as in 24h.
func moment(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		return now.Add(-d), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, badRequest{fmt.Sprintf("%q is no time: expected one as 2026-03-01T12:00:00Z, or how long ago, as 24h", text)}
	}
	return t, nil
}

func number(text string) (int, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, badRequest{fmt.Sprintf("%q is no number of alerts", text)}
	}
	return n, nil
}
