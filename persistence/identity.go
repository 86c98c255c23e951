package persistence

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"castaway/raft"
)

// identityFile is written once, when the directory is made, and never changed.
// It is text, so that people can see whose data they look at.
const identityFile = "identity"

const identityFormat = "castaway data directory, version 1\ncluster %016x\nserver %d\nnonce %016x\n"

// identity is whose data a directory holds. The nonce is random, and marks our
// records among the bytes that clients store.
type identity struct {
	cluster uint64
	server  raft.NodeID
	nonce   uint64
}

func (id identity) encode() []byte {
	text := fmt.Sprintf(identityFormat, id.cluster, uint64(id.server), id.nonce)
	return fmt.Appendf(nil, "%schecksum %08x\n", text, crc32.Checksum([]byte(text), castagnoli))
}

func decodeIdentity(b []byte) (identity, error) {
	var id identity
	var server uint64
	if _, err := fmt.Sscanf(string(b), identityFormat, &id.cluster, &server, &id.nonce); err != nil {
		return identity{}, corrupt("the %s file cannot be read (%s)", identityFile, brief(err))
	}
	id.server = raft.NodeID(server)
	if !bytes.Equal(id.encode(), b) {
		return identity{}, corrupt("the checksum of the %s file is wrong", identityFile)
	}
	return id, nil
}

// claim gives the directory's identity, which must be the one that is asked for;
// a directory without data gets one.
func claim(dir string, cluster uint64, server raft.NodeID) (identity, error) {
	b, err := os.ReadFile(filepath.Join(dir, identityFile))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(filepath.Join(dir, logDirectory)); err == nil {
			return identity{}, corrupt("%s holds a log, but its %s file is gone", dir, identityFile)
		}
		return found(dir, cluster, server)
	}
	if err != nil {
		return identity{}, fmt.Errorf("persistence: read whose data is in %s: %w", dir, err)
	}
	id, err := decodeIdentity(b)
	if err != nil {
		return identity{}, err
	}
	if id.cluster != cluster || id.server != server {
		return identity{}, fmt.Errorf("%w: %s belongs to server %d of cluster %016x, but server %d of cluster %016x opens it: "+
			"give each server its own data directory, or correct id, cluster name and members to what they were at its first start",
			ErrMismatch, dir, id.server, id.cluster, server, cluster)
	}
	return id, nil
}

// found makes a new directory's identity and witness.
func found(dir string, cluster uint64, server raft.NodeID) (identity, error) {
	var nonce [8]byte
	if _, err := rand.Read(nonce[:]); err != nil {
		return identity{}, fmt.Errorf("persistence: draw a nonce for %s: %w", dir, err)
	}
	id := identity{cluster: cluster, server: server, nonce: binary.LittleEndian.Uint64(nonce[:])}
	if err := createWitness(dir, id.nonce); err != nil {
		return identity{}, err
	}
	if err := publish(dir, identityFile, id.encode()); err != nil {
		return identity{}, err
	}
	return id, nil
}

// publish writes a file so that after a crash it is there whole or not at all.
func publish(dir, name string, content []byte) error {
	temporary := filepath.Join(dir, name+".tmp")
	f, err := os.OpenFile(temporary, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err == nil {
		_, err = f.Write(content)
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err == nil {
		err = os.Rename(temporary, filepath.Join(dir, name))
	}
	if err == nil {
		err = syncDirectory(dir)
	}
	if err != nil {
		return fmt.Errorf("persistence: write %s: %w", filepath.Join(dir, name), err)
	}
	return nil
}

// syncDirectory makes the names in dir durable.
func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// corruptFile marks a directory whose damage was found when it was too late to
// leave everything as it was: it is refused until someone has dealt with it.
const corruptFile = "corrupt"

// checkMark refuses a marked directory.
func checkMark(dir string) error {
	b, err := os.ReadFile(filepath.Join(dir, corruptFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("persistence: look for a mark of damage in %s: %w", dir, err)
	}
	return fmt.Errorf("%w: found earlier: %s", ErrCorrupt, strings.TrimSpace(string(b)))
}

// Claimed says whether dir is some server's data directory already.
func Claimed(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, identityFile))
	return err == nil
}
