package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
)

// hashicorpVoter is hashicorp/raft over raft-wal, set up as its documentation has
// it for throughput: a batching FSM, batched applies, larger appends.
type hashicorpVoter struct{ raft *raft.Raft }

func startHashicorp(id int, dir string, peers []string) (voter, error) {
	config := raft.DefaultConfig()
	config.LocalID = raft.ServerID(fmt.Sprint(id))
	config.LogLevel = "ERROR"
	config.BatchApplyCh = true
	config.MaxAppendEntries = 512
	config.SnapshotThreshold = 1 << 40 // neither system snapshots here
	walDir := filepath.Join(dir, "wal")
	if err := os.MkdirAll(walDir, 0o755); err != nil {
		return nil, err
	}
	log, err := wal.Open(walDir)
	if err != nil {
		return nil, err
	}
	address, err := net.ResolveTCPAddr("tcp", peers[id-1])
	if err != nil {
		return nil, err
	}
	transport, err := raft.NewTCPTransport(peers[id-1], address, 3, 10*time.Second, os.Stderr)
	if err != nil {
		return nil, err
	}
	snapshots := raft.NewInmemSnapshotStore()
	var servers []raft.Server
	for i, peer := range peers {
		servers = append(servers, raft.Server{ID: raft.ServerID(fmt.Sprint(i + 1)), Address: raft.ServerAddress(peer)})
	}
	if err := raft.BootstrapCluster(config, log, log, snapshots, transport, raft.Configuration{Servers: servers}); err != nil {
		return nil, err
	}
	r, err := raft.NewRaft(config, &mapFSM{values: map[string][]byte{}}, log, log, snapshots, transport)
	if err != nil {
		return nil, err
	}
	return &hashicorpVoter{raft: r}, nil
}

func (v *hashicorpVoter) leads() bool { return v.raft.State() == raft.Leader }

func (v *hashicorpVoter) put(_ context.Context, key, value []byte) error {
	command := make([]byte, 0, len(key)+len(value))
	command = append(append(command, key...), value...)
	return v.raft.Apply(command, 0).Error()
}

// mapFSM is the in-memory map that both systems apply to.
type mapFSM struct{ values map[string][]byte }

func (m *mapFSM) Apply(l *raft.Log) any {
	if l.Type == raft.LogCommand {
		m.values[string(l.Data[:keyBytes])] = l.Data[keyBytes:]
	}
	return nil
}

func (m *mapFSM) ApplyBatch(logs []*raft.Log) []any {
	for _, l := range logs {
		m.Apply(l)
	}
	return make([]any, len(logs))
}

func (m *mapFSM) Snapshot() (raft.FSMSnapshot, error) {
	return nil, errors.New("no snapshots in this measurement")
}

func (m *mapFSM) Restore(io.ReadCloser) error {
	return errors.New("no snapshots in this measurement")
}
