package cluster

import (
	"context"
	"errors"
	"fmt"

	"castaway/actors"
	"castaway/cluster/httpapi"
	"castaway/raft"
)

var _ httpapi.Source = (*Node)(nil)

// maxLag is how many committed entries a node that is ready may still have to
// apply.
const maxLag raft.Index = 10_000

// Live says whether the node runs; when it does not, restarting the process is
// the right thing.
func (n *Node) Live(context.Context) []httpapi.Check {
	var err error
	select {
	case <-n.failed:
		err = errors.Join(errors.New("the node is ending"), n.Err())
	default:
	}
	return []httpapi.Check{{Name: "running", Err: err}}
}

// Ready says whether the node can serve reads and writes.
func (n *Node) Ready(ctx context.Context) []httpapi.Check {
	s, err := n.group.Status(ctx)
	if err != nil {
		err = fmt.Errorf("the group did not answer: %w", err)
	}
	checks := append(n.Live(ctx), httpapi.Check{Name: "answering", Err: err})
	if err != nil {
		return checks
	}
	return append(checks,
		httpapi.Check{Name: "recovered", Err: recovered(s)},
		httpapi.Check{Name: "leader", Err: hasLeader(s)},
		httpapi.Check{Name: "applied", Err: caughtUp(s)},
		httpapi.Check{Name: "disk", Err: hasRoom(s)},
	)
}

func recovered(s actors.Status) error {
	if s.Halted != "" {
		return fmt.Errorf("the group is halted: %s", s.Halted)
	}
	if s.Behaviour == "recovering" {
		return errors.New("the server is still reading its log")
	}
	return nil
}

func hasLeader(s actors.Status) error {
	if s.Leader == raft.None {
		return fmt.Errorf("no leader is known in term %d; a majority of the members must reach each other", s.Raft.HardState.Term)
	}
	return nil
}

func caughtUp(s actors.Status) error {
	if s.Raft.Commit > s.Applied+maxLag {
		return fmt.Errorf("%d committed entries are not applied yet", s.Raft.Commit-s.Applied)
	}
	return nil
}

func hasRoom(s actors.Status) error {
	if s.Space.Low() {
		return fmt.Errorf("%d bytes are free on the data directory's disk, less than the reserve of %d; writes are refused until some are freed", s.Space.Free, s.Space.Reserve)
	}
	return nil
}
