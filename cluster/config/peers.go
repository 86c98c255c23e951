package config

import (
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"
)

var errPeerForm = errors.New("has a member that is not id=host:port or id=host:port/client-host:port, like 1=10.0.0.1:2380/10.0.0.1:2379")

// ParsePeers reads "1=host:port,2=host:port/client-host:port,…".
func ParsePeers(list string) ([]Peer, error) {
	var peers []Peer
	for item := range strings.SplitSeq(list, ",") {
		if strings.TrimSpace(item) == "" {
			continue
		}
		p, err := parsePeer(item)
		if err != nil {
			return nil, err
		}
		peers = append(peers, p)
	}
	return sortedPeers(peers), nil
}

// PeersText is the inverse of ParsePeers.
func PeersText(peers []Peer) string {
	items := make([]string, 0, len(peers))
	for _, p := range peers {
		items = append(items, p.String())
	}
	return strings.Join(items, ",")
}

// String is the peer as ParsePeers reads it.
func (p Peer) String() string {
	s := strconv.FormatUint(p.ID, 10) + "=" + p.Address
	if p.Client != "" {
		s += "/" + p.Client
	}
	return s
}

func parsePeer(item string) (Peer, error) {
	id, rest, ok := strings.Cut(strings.TrimSpace(item), "=")
	number, err := strconv.ParseUint(strings.TrimSpace(id), 10, 64)
	if !ok || err != nil {
		return Peer{}, fmt.Errorf("%w (here %q)", errPeerForm, strings.TrimSpace(item))
	}
	address, client, _ := strings.Cut(strings.TrimSpace(rest), "/")
	return Peer{ID: number, Address: strings.TrimSpace(address), Client: strings.TrimSpace(client)}, nil
}

// peersOf reads peers as any layer may give them: text, a list of texts, or a list
// of maps with id, address and client.
func peersOf(value any) ([]Peer, error) {
	switch v := value.(type) {
	case nil:
		return nil, nil
	case string:
		return ParsePeers(v)
	case []any:
		var peers []Peer
		for _, item := range v {
			p, err := peerOf(item)
			if err != nil {
				return nil, err
			}
			peers = append(peers, p)
		}
		return sortedPeers(peers), nil
	default:
		return nil, errPeerForm
	}
}

func peerOf(item any) (Peer, error) {
	if s, ok := item.(string); ok {
		return parsePeer(s)
	}
	m, ok := item.(map[string]any)
	if !ok {
		return Peer{}, fmt.Errorf("%w (here %v)", errPeerForm, item)
	}
	var p Peer
	fields := map[string]any{"id": &p.ID, "address": &p.Address, "client": &p.Client}
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		field, known := fields[name]
		if !known {
			return Peer{}, fmt.Errorf("has a member with the unknown field %q; there are id, address and client", name)
		}
		if err := assign(field, m[name]); err != nil {
			return Peer{}, fmt.Errorf("has a member whose %s %w", name, err)
		}
	}
	return p, nil
}

func sortedPeers(peers []Peer) []Peer {
	sort.SliceStable(peers, func(i, j int) bool { return peers[i].ID < peers[j].ID })
	return peers
}
