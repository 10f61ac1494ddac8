package web

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/shrike-project/shrike/store"
)

func (a *api) keys(_ http.ResponseWriter, r *http.Request, _ store.Key) (any, error) {
	list, err := a.cfg.Store.Keys(r.Context())
	return map[string]any{"keys": list}, err
}

func (a *api) createKey(_ http.ResponseWriter, r *http.Request, _ store.Key) (any, error) {
	var want struct {
		Name    string    `json:"name"`
		Scopes  []string  `json:"scopes"`
		Expires time.Time `json:"expires"`
	}
	if err := read(r, &want); err != nil {
		return nil, err
	}
	if want.Name == "" || len(want.Scopes) == 0 {
		return nil, badRequest{"a key needs a name and a scope at least"}
	}
	for _, s := range want.Scopes {
		if !slices.Contains(store.Scopes, s) {
			return nil, badRequest{"a scope is one of " + strings.Join(store.Scopes, ", ")}
		}
	}
	key, secret, err := a.cfg.Store.CreateKey(r.Context(), want.Name, want.Scopes, want.Expires)
	return struct {
		store.Key
		Encoded string `json:"encoded"`
	}{key, secret}, err
}

func (a *api) revokeKey(_ http.ResponseWriter, r *http.Request, _ store.Key) (any, error) {
	id := r.PathValue("id")
	return map[string]string{"revoked": id}, a.cfg.Store.RevokeKey(r.Context(), id)
}
