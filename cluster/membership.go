package cluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"

	"castaway/cluster/config"
	"castaway/cluster/member"
	"castaway/persistence"
	"castaway/raft"
)

// Membership is what a node knows of its cluster before its log says more: whose
// messages and data are its own, and whom it can ask. What the log says later goes
// over Members.
type Membership struct {
	// Cluster is the cluster's id.
	Cluster uint64
	// Members are the founding ones; of a node that joined, those that there were then.
	Members []KnownMember
	// Joined says that the node is no founding member: it takes part in nothing until
	// the log makes it a member.
	Joined bool
}

// KnownMember is a member's id, and what is said of it.
type KnownMember struct {
	ID uint64
	member.Info
}

// The files in a data directory that are the node's, beside the store's own.
const (
	// membershipFile is there if the membership does not follow from the
	// configuration.
	membershipFile = "membership"
	// removedFile is there once the node has learned that it is no member any more.
	removedFile = "removed"
)

// ErrRemoved means that the node is not a member of its cluster any more, and never
// will be again: ids are not used twice.
var ErrRemoved = errors.New("cluster: this node was removed")

// founding is the membership of a cluster's first members.
func founding(c *config.Config) Membership {
	m := Membership{Cluster: ID(c.ClusterName, c.Peers)}
	for _, p := range c.Peers {
		known := KnownMember{ID: p.ID, Info: member.Info{Peer: p.Address}}
		if p.Client != "" {
			known.Clients = []string{p.Client}
		}
		m.Members = append(m.Members, known)
	}
	return m
}

// founders are the members as the log knows them. One whose port is left to the
// system, as of a node alone, has nothing to say.
func (m Membership) founders() []raft.Member {
	var list []raft.Member
	for _, k := range m.Members {
		if k.Validate() == nil {
			list = append(list, raft.Member{ID: raft.NodeID(k.ID), Context: k.Encode()})
		}
	}
	return list
}

// voters are the ids of all members.
func (m Membership) voters() []raft.NodeID {
	ids := make([]raft.NodeID, 0, len(m.Members))
	for _, k := range m.Members {
		ids = append(ids, raft.NodeID(k.ID))
	}
	return ids
}

// wireMembership is the file's content; names are stable.
type wireMembership struct {
	Cluster string       `json:"cluster"`
	Server  uint64       `json:"server"`
	Members []wireMember `json:"members"`
}

type wireMember struct {
	ID      uint64   `json:"id"`
	Name    string   `json:"name,omitempty"`
	Peer    string   `json:"peer"`
	Bulk    string   `json:"bulk,omitempty"`
	Clients []string `json:"clients,omitempty"`
}

// WriteMembership notes in a data directory that server id belongs to a cluster that
// its configuration does not tell. It is durable on return.
func WriteMembership(dir string, id uint64, m Membership) error {
	w := wireMembership{Cluster: fmt.Sprintf("%016x", m.Cluster), Server: id}
	for _, k := range m.Members {
		w.Members = append(w.Members, wireMember{ID: k.ID, Name: k.Name, Peer: k.Peer, Bulk: k.Bulk, Clients: k.Clients})
	}
	text, err := json.MarshalIndent(w, "", "  ")
	if err != nil {
		return err
	}
	return publish(dir, membershipFile, append(text, '\n'))
}

// readMembership reads what WriteMembership wrote; false if there is nothing.
func readMembership(dir string, id uint64) (Membership, bool, error) {
	text, there, err := readFile(dir, membershipFile)
	if err != nil || !there {
		return Membership{}, false, err
	}
	var w wireMembership
	m := Membership{Joined: true}
	damaged := func(why any) error {
		return fmt.Errorf("%w: the %s file in %s cannot be read (%v)", persistence.ErrCorrupt, membershipFile, dir, why)
	}
	if err := json.Unmarshal(text, &w); err != nil {
		return Membership{}, false, damaged(err)
	}
	if _, err := fmt.Sscanf(w.Cluster, "%016x", &m.Cluster); err != nil {
		return Membership{}, false, damaged(err)
	}
	if w.Server != id {
		return Membership{}, false, fmt.Errorf("%w: %s belongs to server %d of cluster %016x, but server %d opens it; give each server its own data directory",
			persistence.ErrMismatch, dir, w.Server, m.Cluster, id)
	}
	for _, k := range w.Members {
		m.Members = append(m.Members, KnownMember{k.ID, member.Info{Name: k.Name, Peer: k.Peer, Bulk: k.Bulk, Clients: k.Clients}})
	}
	return m, true, nil
}

// markRemoved notes that the node is no member any more, for later starts.
func markRemoved(dir, why string) error { return publish(dir, removedFile, []byte(why+"\n")) }

// checkRemoved refuses the directory of a node that is no member any more.
func checkRemoved(dir string) error {
	why, there, err := readFile(dir, removedFile)
	if err != nil || !there {
		return err
	}
	return fmt.Errorf("%w: %s; its data directory %s is of no use to the cluster any more: to bring this machine back, add it as a new member (`castaway member add`), with an empty directory",
		ErrRemoved, trimmed(why), dir)
}

// publish writes a file so that after a crash it is there whole or not at all. Its
// last line is a checksum of the rest.
func publish(dir, name string, text []byte) error {
	text = fmt.Appendf(bytes.Clone(text), "%s%08x\n", checksumMark, crc32.ChecksumIEEE(text))
	temporary := filepath.Join(dir, name+".tmp")
	err := os.MkdirAll(dir, 0o700)
	var f *os.File
	if err == nil {
		f, err = os.OpenFile(temporary, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	}
	if err == nil {
		_, err = f.Write(text)
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err == nil {
		err = os.Rename(temporary, filepath.Join(dir, name))
	}
	if err == nil {
		err = syncDirectory(dir)
	}
	if err != nil {
		return fmt.Errorf("%w: write %s: %w", persistence.ErrDirectory, filepath.Join(dir, name), err)
	}
	return nil
}

const checksumMark = "checksum "

func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// readFile reads what publish wrote; false if there is no such file.
func readFile(dir, name string) ([]byte, bool, error) {
	content, err := os.ReadFile(filepath.Join(dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("%w: read %s: %w", persistence.ErrDirectory, filepath.Join(dir, name), err)
	}
	at := bytes.LastIndex(content, []byte(checksumMark))
	if at < 0 || string(content[at:]) != fmt.Sprintf("%s%08x\n", checksumMark, crc32.ChecksumIEEE(content[:at])) {
		return nil, false, fmt.Errorf("%w: the checksum of the %s file in %s is wrong", persistence.ErrCorrupt, name, dir)
	}
	return content[:at], true, nil
}

func trimmed(b []byte) string { return string(bytes.TrimSpace(b)) }

// String lists the members.
func (m Membership) String() string {
	var peers []config.Peer
	for _, k := range m.Members {
		p := config.Peer{ID: k.ID, Address: k.Peer}
		if len(k.Clients) > 0 {
			p.Client = k.Clients[0]
		}
		peers = append(peers, p)
	}
	return config.PeersText(peers)
}
