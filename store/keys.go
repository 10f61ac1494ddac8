package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"
)

// Scopes are what a key can be for. Whoever has admin may do everything.
var Scopes = []string{"ingest", "read", "triage", "rules", "admin"}

// ErrKey is in the error of a key that is unknown, revoked, expired or wrong. It does
// not say which.
var ErrKey = errors.New("the key is not valid")

// Key is who may do what.
type Key struct {
	ID      string    `json:"id"`
	Name    string    `json:"name"`
	Scopes  []string  `json:"scopes"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires,omitzero"`
	Revoked bool      `json:"revoked"`
}

// May tells whether the key is for something.
func (k *Key) May(scope string) bool {
	return slices.Contains(k.Scopes, scope) || slices.Contains(k.Scopes, "admin")
}

// Work of argon2id on a secret: 19 MiB, as OWASP advises for a single pass on one lane
// with two iterations. The secrets are random, so this is more than they need.
const (
	argonTime   = 2
	argonMemory = 19 << 10 // KiB
)

func hashSecret(secret string, salt []byte) []byte {
	return argon2.IDKey([]byte(secret), salt, argonTime, argonMemory, 1, 32)
}

// CreateKey makes a key and gives its secret in the form of Elasticsearch's API keys,
// base64 of "id:secret". It cannot be asked for again.
func (s *Store) CreateKey(ctx context.Context, name string, scopes []string, expires time.Time) (Key, string, error) {
	for _, scope := range scopes {
		if !slices.Contains(Scopes, scope) {
			return Key{}, "", fmt.Errorf("scope %q is none of %s", scope, strings.Join(Scopes, ", "))
		}
	}
	if len(scopes) == 0 || name == "" {
		return Key{}, "", errors.New("a key needs a name and a scope at least")
	}
	text := func(n int) string {
		b := make([]byte, n)
		_, _ = rand.Read(b) // never fails
		return base64.RawURLEncoding.EncodeToString(b)
	}
	k := Key{ID: text(12), Name: name, Scopes: scopes, Created: s.now().UTC().Truncate(time.Millisecond), Expires: expires}
	secret, salt := text(24), []byte(text(12))
	until := int64(0)
	if !expires.IsZero() {
		until = expires.UnixMilli()
	}
	err := s.inTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := s.exec(ctx, tx, "INSERT INTO keys (id, name, salt, hash, scopes, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?)",
			k.ID, plain(name), salt, hashSecret(secret, salt), strings.Join(scopes, " "), k.Created.UnixMilli(), until)
		return err
	})
	if err != nil {
		return Key{}, "", fmt.Errorf("store key %q: %w", name, err)
	}
	return k, base64.StdEncoding.EncodeToString([]byte(k.ID + ":" + secret)), nil
}

// Verify gives the key of a secret that CreateKey gave. While the database does not
// answer, a key that was right within the last quarter of an hour stays right, so that
// events go on to be taken.
func (s *Store) Verify(ctx context.Context, encoded string) (Key, error) {
	text, err := base64.StdEncoding.DecodeString(encoded)
	id, secret, ok := strings.Cut(string(text), ":")
	if err != nil || !ok || len(text) > 200 {
		return Key{}, ErrKey
	}
	return s.VerifyPair(ctx, id, secret)
}

// VerifyPair is Verify for a secret that came as a pair of id and secret, as a user
// and a password do.
func (s *Store) VerifyPair(ctx context.Context, id, secret string) (Key, error) {
	sum := sha256.Sum256([]byte(id + "\x00" + secret))
	before, known := s.keys.find(sum)
	k, salt, hash, err := s.key(ctx, id)
	switch {
	case errors.Is(err, ErrKey):
		return Key{}, err
	case err != nil && known && s.now().Sub(before.seen) < trustedFor && !before.key.expired(s.now()):
		return before.key, nil
	case err != nil:
		return Key{}, err
	}
	if !known || !bytes.Equal(before.hash, hash) {
		if !s.keys.hashing(func() bool { return subtle.ConstantTimeCompare(hashSecret(secret, salt), hash) == 1 }) {
			return Key{}, ErrKey
		}
	}
	if k.Revoked || k.expired(s.now()) {
		s.keys.forget(sum)
		return Key{}, ErrKey
	}
	s.keys.remember(sum, knownKey{hash, k, s.now()})
	return k, nil
}

func (k *Key) expired(now time.Time) bool { return !k.Expires.IsZero() && !now.Before(k.Expires) }

// trustedFor is how long a key is trusted that the database knew last.
const trustedFor = 15 * time.Minute

// keyCache remembers secrets that were found right, so that not each request costs
// what guessing should cost.
type keyCache struct {
	mu    sync.Mutex
	right map[[32]byte]knownKey
	turn  sync.Mutex // one hash at a time: each takes memory
}

// knownKey is a key that was right when it was seen.
type knownKey struct {
	hash []byte
	key  Key
	seen time.Time
}

const mostKnownKeys = 10_000

func (c *keyCache) find(sum [32]byte) (k knownKey, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, ok = c.right[sum]
	return k, ok
}

func (c *keyCache) remember(sum [32]byte, k knownKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.right == nil || len(c.right) >= mostKnownKeys {
		c.right = map[[32]byte]knownKey{}
	}
	c.right[sum] = k
}

func (c *keyCache) forget(sum [32]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.right, sum)
}

func (c *keyCache) hashing(check func() bool) bool {
	c.turn.Lock()
	defer c.turn.Unlock()
	return check()
}

// key reads a key; ErrKey if there is none.
func (s *Store) key(ctx context.Context, id string) (k Key, salt, hash []byte, err error) {
	row := s.read.QueryRowContext(ctx, s.dialect.sql("SELECT id, name, scopes, created, expires, revoked, salt, hash FROM keys WHERE id = ?"), plain(id))
	k, err = scanKey(row.Scan, &salt, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return k, nil, nil, ErrKey
	}
	return k, salt, hash, err
}

func scanKey(scan func(...any) error, more ...any) (Key, error) {
	var k Key
	var scopes string
	var created, expires int64
	if err := scan(append([]any{&k.ID, &k.Name, &scopes, &created, &expires, &k.Revoked}, more...)...); err != nil {
		return k, err
	}
	k.Scopes, k.Created = strings.Fields(scopes), time.UnixMilli(created).UTC()
	if expires > 0 {
		k.Expires = time.UnixMilli(expires).UTC()
	}
	return k, nil
}

// Keys gives all keys, the oldest first.
func (s *Store) Keys(ctx context.Context) ([]Key, error) {
	rows, err := s.read.QueryContext(ctx, "SELECT id, name, scopes, created, expires, revoked FROM keys ORDER BY created, id")
	if err != nil {
		return nil, fmt.Errorf("list keys: %w", err)
	}
	defer rows.Close()
	var list []Key
	for rows.Next() {
		k, err := scanKey(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("list keys: %w", err)
		}
		list = append(list, k)
	}
	return list, rows.Err()
}

// RevokeKey makes a key invalid from now on; ErrNotFound if there is none.
func (s *Store) RevokeKey(ctx context.Context, id string) error {
	return s.inTx(ctx, func(ctx context.Context, tx *sql.Tx) error {
		n, err := s.exec(ctx, tx, "UPDATE keys SET revoked = TRUE WHERE id = ?", plain(id))
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		if err != nil {
			return fmt.Errorf("revoke key %s: %w", id, err)
		}
		return nil
	})
}
