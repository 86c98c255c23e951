package remoting

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/remote"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"castaway/raft"
)

// authority signs certificates for a test.
type authority struct {
	t    *testing.T
	dir  string
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	file string
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, dir: t.TempDir()}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true,
		BasicConstraintsValid: true, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	a.key = newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, template, template, &a.key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	a.cert, _ = x509.ParseCertificate(der)
	a.file = a.write("ca.pem", "CERTIFICATE", der)
	return a
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a *authority) write(name, kind string, der []byte) string {
	path := filepath.Join(a.dir, name)
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		a.t.Fatal(err)
	}
	return path
}

// node makes a certificate that names id, and says which files hold it.
func (a *authority) node(id raft.NodeID) *TLS {
	a.t.Helper()
	key := newKey(a.t)
	template := &x509.Certificate{SerialNumber: big.NewInt(int64(id) + 1), DNSNames: []string{NodeName(id)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	keyDER, _ := x509.MarshalPKCS8PrivateKey(key)
	return &TLS{CertFile: a.write(NodeName(id)+".pem", "CERTIFICATE", der),
		KeyFile: a.write(NodeName(id)+"-key.pem", "PRIVATE KEY", keyDER), CAFile: a.file}
}

func TestNodesWithCertificatesTalkAndOthersDoNot(t *testing.T) {
	ca := newAuthority(t)
	peers := freeAddresses(t, 1, 2, 3)
	a := newNode(t, 1, peers, func(c *Config) { c.TLS = ca.node(1) })
	b := newNode(t, 2, peers, func(c *Config) { c.TLS = ca.node(2) })
	a.awaitUp(2, true)
	b.awaitUp(1, true)
	servesStill(t, a, b)

	t.Run("node 3 in node 1's name", func(t *testing.T) {
		h := newHostile(t, peers[2], dialAs(t, ca.node(3)))
		h.send(connectRequest(peers[1]))
		if _, err := h.stream.Recv(); status.Code(err) != codes.PermissionDenied {
			t.Errorf("the stream ended with %v", err)
		}
		if b.dropped(dropCertificate) != 1 {
			t.Error("it was not counted")
		}
	})
	for name, option := range map[string]grpc.DialOption{
		"another authority's node 1": dialAs(t, newAuthority(t).node(1)),
		"plaintext":                  grpc.WithTransportCredentials(insecure.NewCredentials()),
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := grpc.NewClient("passthrough:///"+peers[2], option)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			_, err = remote.NewRemotingClient(conn).ListProcesses(t.Context(), &remote.ListProcessesRequest{})
			if status.Code(err) != codes.Unavailable {
				t.Errorf("the call ended with %v, want no connection at all", err)
			}
		})
	}
	servesStill(t, a, b)
}

// dialAs connects with a node's certificate, to anyone.
func dialAs(t *testing.T, files *TLS) grpc.DialOption {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(files.CertFile, files.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	return grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{pair}, InsecureSkipVerify: true})) //nolint:gosec // an enemy's client
}

// Whoever answers at a node's address without its certificate is told nothing.
func TestAnImpostorAtAPeersAddressGetsNothing(t *testing.T) {
	ca := newAuthority(t)
	peers := freeAddresses(t, 1, 2, 3)
	swapped := map[raft.NodeID]string{1: peers[1], 2: peers[3], 3: peers[2]}
	a := newNode(t, 1, peers, func(c *Config) { c.TLS = ca.node(1) })
	newNode(t, 3, swapped, func(c *Config) { c.TLS = ca.node(3) }) // where node 2 should be
	deadline := time.Now().Add(patience)
	for !strings.Contains(a.remoting.Stats().Peers[0].LastConnectFailure, NodeName(2)) {
		if time.Now().After(deadline) {
			t.Fatalf("the failure is not told: %+v", a.remoting.Stats().Peers)
		}
		time.Sleep(5 * time.Millisecond) // a counter has no event
	}
	if a.isUp(2) {
		t.Error("node 3 was taken for node 2")
	}
}

func TestCertificatesThatPeersWouldRefuseAreRefusedAtStart(t *testing.T) {
	ca, other := newAuthority(t), newAuthority(t)
	for name, files := range map[string]*TLS{
		"node-1":         ca.node(2),
		"signed by":      {CertFile: other.node(1).CertFile, KeyFile: other.dir + "/node-1-key.pem", CAFile: ca.file},
		"TLS.CAFile":     {CertFile: ca.node(1).CertFile, KeyFile: ca.dir + "/node-1-key.pem", CAFile: "/nowhere"},
		"TLS.KeyFile":    {CertFile: ca.node(1).CertFile, KeyFile: "/nowhere", CAFile: ca.file},
		"no certificate": {CertFile: ca.node(1).CertFile, KeyFile: ca.dir + "/node-1-key.pem", CAFile: ca.dir + "/node-1-key.pem"},
	} {
		c := DefaultConfig()
		c.ID, c.Peers, c.TLS = 1, map[raft.NodeID]string{1: "127.0.0.1:1"}, files
		if _, err := Start(quietSystem(), c); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), name) {
			t.Errorf("want an error with %q, got %v", name, err)
		}
	}
}
