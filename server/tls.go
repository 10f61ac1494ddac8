package server

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// certificate gives the certificate in two PEM files, or one of the server's own that
// is kept in folder data, made on the first call and again when it is about to end.
func certificate(cert, key, data, host string, now time.Time) (tls.Certificate, error) {
	if cert != "" {
		c, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return c, fmt.Errorf("read the certificate: %w", err)
		}
		return c, nil
	}
	cert, key = filepath.Join(data, "tls.crt"), filepath.Join(data, "tls.key")
	c, err := tls.LoadX509KeyPair(cert, key)
	if err == nil && c.Leaf != nil && now.AddDate(0, 1, 0).Before(c.Leaf.NotAfter) && names(c.Leaf, host) {
		return c, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("read the server's own certificate: %w", err)
	}
	if err := makeCertificate(cert, key, host, now); err != nil {
		return c, fmt.Errorf("make a certificate: %w", err)
	}
	return tls.LoadX509KeyPair(cert, key)
}

// names reports whether a certificate is good for what the server listens on, which may
// be all addresses.
func names(c *x509.Certificate, host string) bool {
	ip := net.ParseIP(host)
	return host == "" || ip.IsUnspecified() || c.VerifyHostname(host) == nil
}

// makeCertificate writes a certificate that signs itself, for a host and the names of
// this machine.
func makeCertificate(certFile, keyFile, host string, now time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return err
	}
	c := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "shrike"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(2, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, IsCA: true,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	if name, err := os.Hostname(); err == nil {
		c.DNSNames = append(c.DNSNames, name)
	}
	if ip := net.ParseIP(host); ip != nil && !ip.IsUnspecified() {
		c.IPAddresses = append(c.IPAddresses, ip)
	} else if ip == nil && host != "" {
		c.DNSNames = append(c.DNSNames, host)
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		return err
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}), 0o600); err != nil {
		return err
	}
	return os.WriteFile(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
}

// fingerprint gives the SHA-256 of a certificate, as clients are given it to trust.
func fingerprint(c tls.Certificate) string {
	sum := sha256.Sum256(c.Certificate[0])
	return hex.EncodeToString(sum[:])
}
