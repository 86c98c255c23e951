package remoting

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	"castaway/raft"
)

// TLS names the PEM files of a node: its certificate, which names the node among
// its DNS names as NodeName does, the key to it, and the authority that signs the
// certificates of all nodes, and of nobody else.
type TLS struct {
	CertFile, KeyFile, CAFile string
}

// NodeName is the DNS name that a node's certificate must hold.
func NodeName(id raft.NodeID) string { return fmt.Sprintf("node-%d", id) }

// load reads the files, and makes sure that they would convince our peers.
func (t *TLS) load(self raft.NodeID) (*tls.Config, error) {
	certificate, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
	if err != nil {
		return nil, fmt.Errorf("%w: TLS.CertFile %s and TLS.KeyFile %s do not load: %w", ErrConfig, t.CertFile, t.KeyFile, err)
	}
	pem, err := os.ReadFile(t.CAFile)
	if err != nil {
		return nil, fmt.Errorf("%w: TLS.CAFile does not load: %w", ErrConfig, err)
	}
	authorities := x509.NewCertPool()
	if !authorities.AppendCertsFromPEM(pem) {
		return nil, invalid("TLS.CAFile", t.CAFile, "has no certificate in it; it must hold the authority's, as PEM")
	}
	leaf := certificate.Leaf
	if err := leaf.VerifyHostname(NodeName(self)); err != nil {
		return nil, invalid("TLS.CertFile", t.CertFile, fmt.Sprintf("its certificate is not this node's: make one with the DNS name %s (%v)", NodeName(self), err))
	}
	chain := x509.NewCertPool()
	for _, der := range certificate.Certificate[1:] {
		if c, err := x509.ParseCertificate(der); err == nil {
			chain.AddCert(c)
		}
	}
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth} {
		options := x509.VerifyOptions{Roots: authorities, Intermediates: chain, KeyUsages: []x509.ExtKeyUsage{usage}}
		if _, err := leaf.Verify(options); err != nil {
			return nil, invalid("TLS.CertFile", t.CertFile, fmt.Sprintf(
				"its peers would refuse it (%v); it must be signed by the authority in TLS.CAFile, valid now, and good for both client and server authentication", err))
		}
	}
	return &tls.Config{
		Certificates: []tls.Certificate{certificate},
		RootCAs:      authorities,
		ClientCAs:    authorities,
		ClientAuth:   tls.RequireAndVerifyClientCert,
		MinVersion:   tls.VersionTLS13,
	}, nil
}

// dialCredentials are for the connections that we make: whoever answers at a
// node's address must have that node's certificate.
type dialCredentials struct {
	credentials.TransportCredentials
	remoting *Remoting
}

func (c *dialCredentials) ClientHandshake(ctx context.Context, authority string, conn net.Conn) (net.Conn, credentials.AuthInfo, error) {
	to := c.remoting.linkAt(authority)
	if to == nil {
		return nil, nil, fmt.Errorf("remoting: %s is no peer's address", authority)
	}
	secured, info, err := c.TransportCredentials.ClientHandshake(ctx, NodeName(to.id), conn)
	if err != nil && ctx.Err() == nil && !c.remoting.stopping() {
		c.remoting.stats.connectFailed(to.id, err)
	}
	return secured, info, err
}

func (c *dialCredentials) Clone() credentials.TransportCredentials {
	return &dialCredentials{c.TransportCredentials.Clone(), c.remoting}
}

var errNoCertificate = errors.New("without a certificate")

// certified checks that the other end of a stream has the node's certificate.
// Without TLS there is nothing to check: see Config.InsecureNetwork.
func (r *Remoting) certified(ctx context.Context, id raft.NodeID) error {
	if r.tls == nil {
		return nil
	}
	p, ok := peer.FromContext(ctx)
	if !ok {
		return errNoCertificate
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.VerifiedChains) == 0 {
		return errNoCertificate
	}
	return info.State.PeerCertificates[0].VerifyHostname(NodeName(id))
}
