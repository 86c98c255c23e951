package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

// maxElectionTimeout is the largest randomized election timeout of the servers
// that these tests start: they run with the defaults.
const maxElectionTimeout = 2 * time.Second

// cluster is some processes of the real binary.
type cluster struct {
	t       *testing.T
	network *network // nil: all on loopback
	binary  string
	dir     string
	flags   []string  // what every server is started with, beside who and where it is
	servers []*server // the members, and those that are about to be
	founded string    // the founding members, as --peers has them
	highest int       // the highest id that was given so far
}

type server struct {
	id                 int
	peer, client, http string // host:port
	join               string // client addresses to join at; empty for a founding member
	alone              bool   // its data directory says all
	cmd                *exec.Cmd
}

func startCluster(t *testing.T, size int, network *network, flags ...string) *cluster {
	t.Helper()
	castaway, _ := build(t)
	c := &cluster{t: t, network: network, binary: castaway, dir: t.TempDir(), flags: flags}
	var founders []string
	for id := 1; id <= size; id++ {
		s := c.newServer(id)
		c.servers = append(c.servers, s)
		founders = append(founders, fmt.Sprintf("%d=%s/%s", s.id, s.peer, s.client))
	}
	c.founded = strings.Join(founders, ",")
	for _, s := range c.servers {
		c.start(s)
	}
	c.awaitReady(c.servers...)
	return c
}

// newServer finds addresses for a server, which is killed with the test at the latest.
// It is not started, and not one of the cluster's.
func (c *cluster) newServer(id int) *server {
	s := &server{id: id}
	if c.network != nil {
		host := c.network.address(id)
		s.peer, s.client, s.http = host+":7000", host+":2379", host+":8080"
	} else {
		s.peer, s.client, s.http = freeAddress(c.t), freeAddress(c.t), freeAddress(c.t)
	}
	c.t.Cleanup(func() {
		c.kill(s)
		if c.t.Failed() {
			c.keepLog(s)
		}
	})
	return s
}

// given holds the ports that freeAddress has found.
var given sync.Map

// freeAddress gives each address once, with a port that no system gives to anybody by
// itself, such as to a client's connection: it is still free when a server wants it.
func freeAddress(t *testing.T) string {
	t.Helper()
	const first, count = 10000, 22000
	for range count {
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(first+rand.IntN(count)))
		l, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		_ = l.Close()
		if _, before := given.LoadOrStore(address, true); !before {
			return address
		}
	}
	t.Fatalf("no port from %d on is free", first)
	return ""
}

// start starts a server's process, on the data that it has.
func (c *cluster) start(s *server) {
	c.t.Helper()
	args := []string{
		c.binary, "start", "--id", strconv.Itoa(s.id), "--data-dir", c.dataDir(s),
		"--listen-peer", s.peer, "--listen-client", s.client, "--listen-http", s.http,
	}
	switch {
	case s.alone:
	case s.join != "":
		args = append(args, "--join", s.join)
	default:
		args = append(args, "--peers", c.founded)
	}
	args = append(args, c.flags...)
	if c.network != nil {
		args = append([]string{"ip", "netns", "exec", c.network.namespace(s.id)}, append(args, "--insecure-network")...)
	}
	log, err := os.OpenFile(c.logFile(s), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	s.cmd = exec.Command(args[0], args[1:]...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cluster) dataDir(s *server) string { return filepath.Join(c.dir, strconv.Itoa(s.id)) }
func (c *cluster) logFile(s *server) string {
	return filepath.Join(c.dir, fmt.Sprintf("%d.log", s.id))
}

// kill is kill -9.
func (c *cluster) kill(s *server) {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

// terminate asks a server to stop, and waits until it has.
func (c *cluster) terminate(s *server) {
	c.t.Helper()
	c.signal(s, syscall.SIGTERM)
	if err := s.cmd.Wait(); err != nil {
		c.t.Errorf("server %d was asked to stop, and ended with %v", s.id, err)
	}
	s.cmd = nil
}

func (c *cluster) signal(s *server, sig syscall.Signal) {
	if s.cmd != nil {
		_ = s.cmd.Process.Signal(sig)
	}
}

// keepLog shows the end of a server's log when its test failed.
func (c *cluster) keepLog(s *server) {
	const tail = 4 << 10
	log, _ := os.ReadFile(c.logFile(s))
	c.t.Logf("the end of server %d's log:\n%s", s.id, log[max(0, len(log)-tail):])
}

// status is what a server's /status tells of what these tests need.
type status struct {
	Role        string `json:"role"`
	Term        uint64 `json:"term"`
	Leader      uint64 `json:"leader"`
	Commit      uint64 `json:"commit"`
	Applied     uint64 `json:"applied"`
	StateHash   string `json:"state_hash"`
	HashApplied uint64 `json:"hash_applied"`
}

var statusClient = http.Client{Timeout: time.Second}

func (s *server) status() (status, error) {
	var st status
	resp, err := statusClient.Get("http://" + s.http + "/status")
	if err != nil {
		return st, err
	}
	defer func() { _ = resp.Body.Close() }()
	err = json.NewDecoder(resp.Body).Decode(&st)
	return st, err
}

// leader gives the server that says that it leads in the newest term, or nil.
func (c *cluster) leader() *server {
	var leader *server
	var term uint64
	for _, s := range c.servers {
		if s.cmd == nil {
			continue
		}
		if st, err := s.status(); err == nil && st.Role == "leader" && st.Term > term {
			leader, term = s, st.Term
		}
	}
	return leader
}

func (c *cluster) awaitLeader() *server {
	c.t.Helper()
	var leader *server
	c.await("a leader", func() bool { leader = c.leader(); return leader != nil })
	return leader
}

func (c *cluster) awaitReady(servers ...*server) {
	c.t.Helper()
	for _, s := range servers {
		c.await(fmt.Sprintf("server %d to be ready", s.id), func() bool {
			resp, err := statusClient.Get("http://" + s.http + "/readyz")
			if err != nil {
				return false
			}
			_ = resp.Body.Close()
			return resp.StatusCode == http.StatusOK
		})
	}
}

// await asks other processes until they have come so far; their state cannot be
// subscribed to, so it is asked for, a bounded number of times.
func (c *cluster) await(what string, reached func() bool) {
	c.t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(20 * maxElectionTimeout)
	for !reached() {
		select {
		case <-ticker.C:
		case <-deadline:
			c.t.Fatalf("no sign of %s", what)
		}
	}
}

// quiet is what etcd's clients log to.
var quiet = zap.NewNop()

func (c *cluster) endpoints() []string {
	var endpoints []string
	for _, s := range c.servers {
		endpoints = append(endpoints, s.client)
	}
	return endpoints
}

func (c *cluster) newClient(endpoints ...string) *clientv3.Client {
	c.t.Helper()
	client, err := clientv3.New(clientv3.Config{Endpoints: endpoints, DialTimeout: 5 * time.Second, Logger: quiet})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = client.Close() })
	return client
}

// without gives the others.
func without(servers []*server, gone *server) []*server {
	return slices.DeleteFunc(slices.Clone(servers), func(s *server) bool { return s == gone })
}
