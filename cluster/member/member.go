package member

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strconv"
)

// Info is what is known of a member.
type Info struct {
	Name string // for people; may be empty
	Peer string // host:port, where its peers reach it; the same string everywhere
	// Bulk is host:port, where its peers send what is large; empty if it takes none.
	Bulk string
	// Clients are the addresses, host:port, of its door for clients; none if it has
	// not said.
	Clients []string
}

// Bounds of what Validate and Decode let through.
const (
	MaxTextBytes = 255 // of a name, and of an address
	MaxClients   = 8
)

// ErrInfo is in every error of this package.
var ErrInfo = errors.New("member: not valid")

// version is the first byte of an encoding.
const version = 1

// Encode gives the bytes that Decode reads. Info must be valid.
func (i Info) Encode() []byte {
	b := appendText(appendText(appendText([]byte{version}, i.Name), i.Peer), i.Bulk)
	b = binary.AppendUvarint(b, uint64(len(i.Clients)))
	for _, c := range i.Clients {
		b = appendText(b, c)
	}
	return b
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// Decode reads what Encode wrote.
func Decode(b []byte) (Info, error) {
	var i Info
	if len(b) == 0 || b[0] != version {
		return i, fmt.Errorf("%w: what is known of the member does not begin with version %d; is it of a newer castaway?", ErrInfo, version)
	}
	r := reader{rest: b[1:]}
	i.Name, i.Peer, i.Bulk = r.text(), r.text(), r.text()
	count := r.number()
	if count > MaxClients {
		return Info{}, fmt.Errorf("%w: %d client addresses, and %d are allowed", ErrInfo, count, MaxClients)
	}
	for range count {
		i.Clients = append(i.Clients, r.text())
	}
	if r.failed || len(r.rest) > 0 {
		return Info{}, fmt.Errorf("%w: what is known of the member is cut off, or too long", ErrInfo)
	}
	if err := i.Validate(); err != nil {
		return Info{}, err
	}
	return i, nil
}

// reader reads until something does not fit.
type reader struct {
	rest   []byte
	failed bool
}

func (r *reader) number() uint64 {
	n, size := binary.Uvarint(r.rest)
	if size <= 0 {
		r.failed = true
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

func (r *reader) text() string {
	n := r.number()
	if r.failed || n > MaxTextBytes || n > uint64(len(r.rest)) {
		r.failed = true
		return ""
	}
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s
}

// Validate says what is wrong with an Info.
func (i Info) Validate() error {
	if len(i.Name) > MaxTextBytes {
		return fmt.Errorf("%w: the name has %d bytes, and %d are allowed", ErrInfo, len(i.Name), MaxTextBytes)
	}
	if err := checkAddress("peer", i.Peer); err != nil {
		return err
	}
	if i.Bulk != "" {
		if err := checkAddress("bulk", i.Bulk); err != nil {
			return err
		}
	}
	if len(i.Clients) > MaxClients {
		return fmt.Errorf("%w: %d client addresses, and %d are allowed", ErrInfo, len(i.Clients), MaxClients)
	}
	for _, c := range i.Clients {
		if err := checkAddress("client", c); err != nil {
			return err
		}
	}
	return nil
}

func checkAddress(which, address string) error {
	host, port, err := net.SplitHostPort(address)
	number, bad := strconv.ParseUint(port, 10, 16)
	switch {
	case err != nil || host == "" || bad != nil || number == 0:
		return fmt.Errorf("%w: the %s address %q is not host:port with a port from 1 to 65535, like 10.0.0.1:2380", ErrInfo, which, address)
	case len(address) > MaxTextBytes:
		return fmt.Errorf("%w: the %s address has %d bytes, and %d are allowed", ErrInfo, which, len(address), MaxTextBytes)
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		return fmt.Errorf("%w: the %s address %q is a wildcard; give one that others can reach", ErrInfo, which, address)
	}
	return nil
}
