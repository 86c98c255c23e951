package cluster

import (
	"context"
	"fmt"
	"time"

	"castaway/actors"
	"castaway/cluster/httpapi"
	"castaway/raft"
)

// Report is the node's /status.
func (n *Node) Report(ctx context.Context) httpapi.Report {
	r := httpapi.Report{
		ID:        n.cfg.ID,
		Name:      n.cfg.Name,
		Cluster:   n.cfg.ClusterName,
		ClusterID: fmt.Sprintf("%016x", n.cluster),
		Version:   n.cfg.Version,
		Uptime:    time.Since(n.started).Seconds(),
		Addresses: httpapi.Addresses{Peer: n.PeerAddress(), Client: n.ClientAddress(), HTTP: n.HTTPAddress()},
		DataDir:   n.cfg.DataDir,
	}
	s, err := n.group.Status(ctx)
	if err != nil {
		r.Problem = "parts are missing, since the group did not answer: " + err.Error()
	}
	reportRaft(&r, s)
	reportActors(&r, s)
	n.reportWire(&r)
	return r
}

func reportRaft(r *httpapi.Report, s actors.Status) {
	c := s.Raft
	r.Role, r.Behavior = s.Behaviour, s.Behaviour
	if c.ID != raft.None {
		r.Role = c.Role.String()
	}
	r.Incarnation = uint64(c.Incarnation)
	r.Term, r.Vote, r.Leader = uint64(c.HardState.Term), uint64(c.HardState.Vote), uint64(s.Leader)
	r.First, r.Last, r.LastTerm = uint64(c.First), uint64(c.Last.Index), uint64(c.Last.Term)
	r.Durable, r.Commit, r.Applied = uint64(c.Durable), uint64(c.Commit), uint64(s.Applied)
	if s.HasStateHash {
		r.StateHash, r.HashApplied = fmt.Sprintf("%016x", s.StateHash), uint64(s.Applied)
	}
	r.Sessions, r.SessionsHash = s.Sessions, fmt.Sprintf("%016x", s.SessionsHash)
	r.WaitingFor, r.Halted = s.WaitingFor, s.Halted
	for _, v := range c.Configuration.Voters {
		r.Voters = append(r.Voters, uint64(v))
	}
	for _, p := range c.Progress {
		r.Progress = append(r.Progress, httpapi.Progress{
			ID: uint64(p.ID), State: p.State, Match: uint64(p.Match), Next: uint64(p.Next),
			Inflight: p.InflightCount, InflightBytes: p.InflightBytes, RecentlyActive: p.RecentlyActive,
		})
	}
}

func reportActors(r *httpapi.Report, s actors.Status) {
	r.Queues = map[string]int64{
		"server_commands":  int64(s.Queues.ServerCommands),
		"server_reads":     int64(s.Queues.ServerReads),
		"log_persists":     int64(s.Queues.LogPersists),
		"machine_spans":    int64(s.Queues.MachineSpans),
		"machine_bytes":    int64(s.Queues.MachineBytes),
		"machine_reads":    int64(s.Queues.MachineReads),
		"proposed":         int64(s.Inflight.Proposed),
		"forwarded":        int64(s.Inflight.Forwarded),
		"confirming_reads": int64(s.Inflight.ConfirmedReads),
	}
	r.Restarts = map[string]uint64{
		"server": uint64(s.Restarts.Server), "log": uint64(s.Restarts.Log), "machine": uint64(s.Restarts.Machine),
	}
	r.Snapshots = reportSnapshots(&s.Snapshots)
	r.Disk = httpapi.Disk{Free: s.Space.Free, Reserve: s.Space.Reserve}
}

func reportSnapshots(s *actors.SnapshotStats) httpapi.Snapshots {
	return httpapi.Snapshots{
		Taken: s.Taken, TakeFailures: s.TakeFailures, Damaged: s.Damaged,
		LastTakeSeconds: s.LastTaken.Seconds(), LastTakeBytes: s.LastTakenBytes,
		Sent: reportTransfers(&s.Sent), Received: reportTransfers(&s.Received),
	}
}

func reportTransfers(t *actors.TransferStats) httpapi.Transfers {
	return httpapi.Transfers{
		Begun: t.Begun, Done: t.Done, Failed: t.Failed, Chunks: t.Chunks, Bytes: t.Bytes, LastSeconds: t.LastDuration.Seconds(),
	}
}
