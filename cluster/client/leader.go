package client

import (
	"context"
	"sync"
	"time"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
)

// leaderSearch keeps searches for the leader apart: one at a time, and not too often.
type leaderSearch struct {
	mu      sync.Mutex
	running bool
	closed  bool
	next    time.Time
	done    sync.WaitGroup
}

// leaderSearchTimeout bounds a search.
const leaderSearchTimeout = time.Second

// begin says whether a search is due, and if so, that it has begun.
func (l *leaderSearch) begin(interval time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if l.running || l.closed || interval < 0 || now.Before(l.next) {
		return false
	}
	l.running = true
	l.next = now.Add(interval)
	l.done.Add(1)
	return true
}

func (l *leaderSearch) end() {
	l.mu.Lock()
	l.running = false
	l.mu.Unlock()
	l.done.Done()
}

// soon is how long after an attempt failed the next search may be.
const soon = 250 * time.Millisecond

// expire brings the next search forward.
func (l *leaderSearch) expire() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at := time.Now().Add(soon); at.Before(l.next) {
		l.next = at
	}
}

// wait lets no search begin any more, and waits for the one that runs.
func (l *leaderSearch) wait() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.done.Wait()
}

// lookForLeader searches for the leader in the background, if it is time.
func (c *Client) lookForLeader() {
	if !c.leader.begin(c.opts.LeaderInterval) {
		return
	}
	go func() {
		defer c.leader.end()
		ctx, cancel := context.WithTimeout(context.Background(), leaderSearchTimeout)
		defer cancel()
		c.findLeader(ctx)
	}()
}

// findLeader asks the preferred endpoint who leads and where that is, and prefers it
// from then on. Whatever goes wrong leaves things as they are: any server will do.
func (c *Client) findLeader(ctx context.Context) {
	at := c.endpoint()
	status, err := pb.NewMaintenanceClient(at.conn).Status(ctx, &pb.StatusRequest{})
	if err != nil || status.Leader == 0 || status.Leader == status.GetHeader().GetMemberId() {
		return
	}
	members, err := pb.NewClusterClient(at.conn).MemberList(ctx, &pb.MemberListRequest{})
	if err != nil {
		return
	}
	for _, m := range members.Members {
		if m.ID != status.Leader || len(m.ClientURLs) == 0 {
			continue
		}
		e, err := c.endpointFor(m.ClientURLs[0])
		if err != nil {
			return
		}
		// Only a leader that can be reached is worth preferring.
		if _, err := pb.NewMaintenanceClient(e.conn).Status(ctx, &pb.StatusRequest{}); err == nil {
			c.prefer(e, "it leads")
		}
	}
}
