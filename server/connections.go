package server

import (
	"container/list"
	"context"
	"net"
	"net/http"
	"sync"
)

// connections bounds how many clients are connected. Beyond the bound the one that has
// waited longest goes: that has yet to send a request as a whole, or its next one. So
// whoever connects and says nothing, or says it slowly, keeps nobody out.
type connections struct {
	most int

	mu      sync.Mutex
	all     map[net.Conn]*list.Element // in waiting; nil: a request is being answered
	waiting list.List                  // of net.Conn, the one that has waited longest first
	dropped int64
}

func newConnections(most int) *connections {
	return &connections{most: most, all: map[net.Conn]*list.Element{}}
}

type connectionKey struct{}

// bound has a server keep to the bound.
func (c *connections) bound(s *http.Server) {
	s.ConnState = c.changed
	s.ConnContext = func(ctx context.Context, conn net.Conn) context.Context {
		return context.WithValue(ctx, connectionKey{}, conn)
	}
	next := s.Handler
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _ := r.Context().Value(connectionKey{}).(net.Conn)
		c.busy(conn)
		defer c.waits(conn)
		next.ServeHTTP(w, r)
	})
}

func (c *connections) changed(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		c.mu.Lock()
		defer c.mu.Unlock()
		c.all[conn] = c.waiting.PushBack(conn)
		for len(c.all) > c.most {
			c.drop(conn)
		}
	case http.StateClosed, http.StateHijacked:
		c.mu.Lock()
		defer c.mu.Unlock()
		c.forget(conn)
	}
}

// drop closes the connection that has waited longest: the new one, if no other waits.
func (c *connections) drop(fresh net.Conn) {
	victim := fresh
	if first := c.waiting.Front(); first != nil {
		victim, _ = first.Value.(net.Conn)
	}
	c.forget(victim)
	c.dropped++
	go func() { _ = victim.Close() }() // with TLS it may take a moment
}

func (c *connections) forget(conn net.Conn) {
	if e := c.all[conn]; e != nil {
		c.waiting.Remove(e)
	}
	delete(c.all, conn)
}

// busy says that a request of a connection is answered from now on.
func (c *connections) busy(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.all[conn]; e != nil {
		c.waiting.Remove(e)
		c.all[conn] = nil
	}
}

// waits says that the next request is waited for.
func (c *connections) waits(conn net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, there := c.all[conn]; there && e == nil {
		c.all[conn] = c.waiting.PushBack(conn)
	}
}

// counts tells how many connections there are, and how many were closed for others.
func (c *connections) counts() (open int, dropped int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.all), c.dropped
}
