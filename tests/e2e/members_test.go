package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// addMember adds a member with castaway, starts it, and waits until it has a vote.
func (c *cluster) addMember() *server {
	c.t.Helper()
	s := c.newServer(c.nextID())
	out := c.castaway("member", "add", s.peer, "--client-address", s.client, "--endpoints", strings.Join(c.endpoints(), ","), "--timeout", "30s", "-o", "json")
	var added struct {
		ID uint64 `json:"id"`
	}
	if err := json.Unmarshal([]byte(out), &added); err != nil || added.ID != uint64(s.id) {
		c.t.Fatalf("member add was to add %d, and says (%v):\n%s", s.id, err, out)
	}
	c.join(s)
	c.awaitVote(s)
	return s
}

// nextID is the one that the cluster will give: ids are not used twice.
func (c *cluster) nextID() int {
	c.highest = max(c.highest, len(strings.Split(c.founded, ",")))
	c.highest++
	return c.highest
}

// join starts a server that was added.
func (c *cluster) join(s *server) {
	c.t.Helper()
	s.join = strings.Join(c.endpoints(), ",")
	c.servers = append(c.servers, s)
	c.start(s)
	c.awaitReady(s)
}

// awaitVote waits until a member is a voter.
func (c *cluster) awaitVote(s *server) {
	c.t.Helper()
	c.await(fmt.Sprintf("server %d to become a voter", s.id), func() bool {
		m, ok := c.member(s)
		return ok && !m.IsLearner
	})
}

// member is what the cluster says of a server.
func (c *cluster) member(s *server) (*memberInfo, bool) {
	for _, m := range c.members() {
		if m.ID == uint64(s.id) {
			return &m, true
		}
	}
	return nil, false
}

type memberInfo struct {
	ID                   uint64
	PeerURLs, ClientURLs []string
	IsLearner            bool
}

// members asks the cluster who its members are; nothing if it does not answer now.
func (c *cluster) members() []memberInfo {
	client, err := clientv3.New(clientv3.Config{Endpoints: c.endpoints(), DialTimeout: time.Second, Logger: quiet})
	if err != nil {
		return nil
	}
	defer func() { _ = client.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), operationTimeout)
	defer cancel()
	r, err := client.MemberList(ctx)
	if err != nil {
		return nil
	}
	var list []memberInfo
	for _, m := range r.Members {
		list = append(list, memberInfo{m.ID, m.PeerURLs, m.ClientURLs, m.IsLearner})
	}
	return list
}

// exitRemoved is the exit code of a server that is no member any more.
const exitRemoved = 77

// removeMember removes a member with castaway, and waits until its process has ended by
// itself, saying why.
func (c *cluster) removeMember(s *server) {
	c.t.Helper()
	c.servers = slices.DeleteFunc(c.servers, func(o *server) bool { return o == s })
	c.castaway("member", "rm", strconv.Itoa(s.id), "--endpoints", strings.Join(c.endpoints(), ","), "--timeout", "30s")
	c.awaitRemoved(s)
}

// awaitRemoved waits until the process of a removed member has ended.
func (c *cluster) awaitRemoved(s *server) {
	c.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- s.cmd.Wait() }()
	select {
	case <-ended:
		if code := s.cmd.ProcessState.ExitCode(); code != exitRemoved {
			c.t.Errorf("server %d was removed, and ended with %d, not %d", s.id, code, exitRemoved)
		}
		s.cmd = nil
	case <-time.After(10 * maxElectionTimeout):
		c.t.Errorf("server %d was removed, and has not ended", s.id)
		_ = s.cmd.Process.Kill()
		<-ended
		s.cmd = nil
	}
}
