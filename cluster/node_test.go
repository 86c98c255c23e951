package cluster_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"castaway/cluster"
	"castaway/cluster/config"
	"castaway/cluster/httpapi"
	"castaway/persistence"
)

func TestWhatANodeAcknowledgedIsThereAfterItsRestart(t *testing.T) {
	c := plan(t, 1)[0]
	first := start(t, c)
	put(t, connect(t, first), "greeting", "ahoy")
	stop(t, first)

	second := start(t, c)
	wantValue(t, connect(t, second), "greeting", "ahoy")
}

func TestADirectoryInUseIsRefusedAndTheNodeInItGoesOn(t *testing.T) {
	c := plan(t, 1)[0]
	n := start(t, c)
	_, err := cluster.Start(t.Context(), cluster.Config{Config: c, Logger: testLogger(t)})
	if !errors.Is(err, persistence.ErrLocked) || cluster.ExitCode(err) != cluster.ExitLocked {
		t.Fatalf("got %v (exit code %d), want ErrLocked", err, cluster.ExitCode(err))
	}
	if !strings.Contains(err.Error(), "data directory of its own") {
		t.Errorf("the error does not say what to do: %v", err)
	}
	put(t, connect(t, n), "greeting", "still here")
}

func TestADirectoryOfAnotherClusterOrNodeIsRefused(t *testing.T) {
	for what, change := range map[string]func(*config.Config){
		"another cluster": func(c *config.Config) { c.ClusterName = "other" },
		"another node": func(c *config.Config) {
			c.ID, c.Peers[0].ID = 2, 2
		},
		"other members": func(c *config.Config) {
			c.Peers = append(c.Peers, config.Peer{ID: 7, Address: "127.0.0.1:7"})
		},
	} {
		c := plan(t, 1)[0]
		stop(t, start(t, c))
		change(&c)
		_, err := cluster.Start(t.Context(), cluster.Config{Config: c, Logger: testLogger(t)})
		if !errors.Is(err, persistence.ErrMismatch) || cluster.ExitCode(err) != cluster.ExitMismatch {
			t.Errorf("%s: got %v (exit code %d), want ErrMismatch", what, err, cluster.ExitCode(err))
		}
	}
}

func TestAnAddressThatIsTakenIsNamedAndNothingIsLeftBehind(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for key, set := range map[string]func(*config.Config){
		"listen-client": func(c *config.Config) { c.ListenClient = taken.Addr().String() },
		"listen-http":   func(c *config.Config) { c.ListenHTTP = taken.Addr().String() },
	} {
		c := plan(t, 1)[0]
		set(&c)
		_, err := cluster.Start(t.Context(), cluster.Config{Config: c, Logger: testLogger(t)})
		if cluster.ExitCode(err) != cluster.ExitListen || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: got %v (exit code %d)", key, err, cluster.ExitCode(err))
		}
		if _, err := os.Stat(c.DataDir); !os.IsNotExist(err) {
			t.Errorf("%s: a node that never ran has made a data directory (%v)", key, err)
		}
	}
}

func TestAConfigurationThatIsNotValidStartsNothing(t *testing.T) {
	c := plan(t, 1)[0]
	c.ListenHTTP = "0.0.0.0:0"
	_, err := cluster.Start(t.Context(), cluster.Config{Config: c})
	if !errors.Is(err, config.ErrInvalid) || cluster.ExitCode(err) != cluster.ExitUsage {
		t.Errorf("got %v (exit code %d), want ErrInvalid", err, cluster.ExitCode(err))
	}
}

func TestANodeThatIsStoppedTwiceHasStoppedOnce(t *testing.T) {
	n := start(t, plan(t, 1)[0])
	stop(t, n)
	stop(t, n)
	<-n.Done()
	if err := n.Err(); err != nil {
		t.Errorf("a stop in order leaves the error %v", err)
	}
}

func TestAStopWithoutTimeStillEndsTheNode(t *testing.T) {
	n := start(t, plan(t, 1)[0])
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = n.Stop(ctx) // may say that parts had no time
	select {
	case <-n.Done():
	case <-time.After(bound):
		t.Fatal("the node did not end")
	}
}

func TestTheHTTPDoorTellsWhatTheNodeKnows(t *testing.T) {
	n := start(t, plan(t, 1)[0])
	put(t, connect(t, n), "greeting", "ahoy") // returns once there is a leader
	code, body := fetch(t, n, "/readyz?verbose")
	if code != http.StatusOK || !strings.Contains(body, "[+]leader ok") {
		t.Errorf("readyz: %d\n%s", code, body)
	}
	_, body = fetch(t, n, "/status")
	var r httpapi.Report
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		t.Fatal(err)
	}
	if r.Role != "leader" || r.Leader != 1 || r.Applied < 2 || r.HashApplied != r.Applied || r.StateHash == "" || r.Problem != "" {
		t.Errorf("the status is %s", body)
	}
	_, body = fetch(t, n, "/metrics")
	for _, want := range []string{`castaway_role{role="leader"} 1`, `castaway_request_seconds_count{operation="propose",outcome="done"} 1`, "castaway_store_sync_seconds_count", "castaway_leader_changes_total 1"} {
		if !strings.Contains(body, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

func fetch(t *testing.T, n *cluster.Node, path string) (int, string) {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	r, err := (&http.Client{Transport: transport}).Get("http://" + n.HTTPAddress() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(body)
}
