package cluster_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"castaway/cluster"
	"castaway/cluster/config"
	"castaway/cluster/remoting"
	"castaway/raft"
)

func TestThreeNodesTalkByTLS(t *testing.T) {
	configs := plan(t, 3)
	authority := newAuthority(t)
	var nodes []*cluster.Node
	for i := range configs {
		authority.certify(&configs[i], remoting.NodeName(raft.NodeID(configs[i].ID)))
		nodes = append(nodes, start(t, configs[i]))
	}
	c := connect(t, nodes...)
	put(t, c, "greeting", "ahoy")
	wantValue(t, c, "greeting", "ahoy")
}

func TestACertificateOfAnotherNodeIsRefusedAtTheStart(t *testing.T) {
	c := plan(t, 1)[0]
	newAuthority(t).certify(&c, remoting.NodeName(7))
	_, err := cluster.Start(t.Context(), cluster.Config{Config: c, Logger: testLogger(t)})
	if !errors.Is(err, config.ErrInvalid) {
		t.Errorf("got %v, want ErrInvalid", err)
	}
}

// authority signs certificates of nodes.
type authority struct {
	t           *testing.T
	dir         string
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir(), key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.write("ca.pem", "CERTIFICATE", der)
	return a
}

// certify gives a node a certificate for a name.
func (a *authority) certify(c *config.Config, name string) {
	a.t.Helper()
	key := newKey(a.t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(c.ID) + 1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	c.PeerTLSCA = filepath.Join(a.dir, "ca.pem")
	c.PeerTLSCert = a.write(c.Name+".pem", "CERTIFICATE", der)
	c.PeerTLSKey = a.write(c.Name+".key", "EC PRIVATE KEY", secret)
}

func (a *authority) write(name, kind string, der []byte) string {
	a.t.Helper()
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
