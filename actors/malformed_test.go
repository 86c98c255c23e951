package actors

import (
	"log/slog"
	"strings"
	"sync"
	"testing"

	"castaway/messages"
)

// lines is a log that can be counted while it is written.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), what)
}

// A faulty peer sends what is no message. All of it is counted; one line a peer is
// logged; and the server goes on.
func TestMalformedEnvelopesAreLoggedOncePerPeer(t *testing.T) {
	var log lines
	c := newCluster(t, 3, func(h *HostConfig, _ *GroupConfig) {
		if h.ID == 1 {
			h.Logger = slog.New(slog.NewTextHandler(&log, nil))
		}
	})
	n := c.nodes[1]
	for range 100 {
		for _, from := range []uint64{2, 3} {
			n.group.send(n.group.pids.server, &messages.Envelope{ClusterId: n.host.cfg.ClusterID, Group: uint64(n.group.cfg.Group),
				From: from, To: 1, Term: 1, Kind: &messages.Envelope_AppendEntries{
					AppendEntries: &messages.AppendEntries{Previous: &messages.Position{}, Entries: []byte("no frames")},
				}})
		}
	}
	c.eventually(10, "the last of them", func() bool {
		for _, d := range n.host.TransportStats().Dropped {
			if d.Reason == dropMalformed.String() {
				return d.Count == 200
			}
		}
		return false
	})
	if got := log.count("reason=malformed"); got != 2 {
		t.Errorf("%d lines for two peers, want 2", got)
	}
	c.put(c.leader(), "after")
}
