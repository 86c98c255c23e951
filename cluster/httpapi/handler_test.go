package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"castaway/cluster/httpapi"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// node is a source whose answers a test sets.
type node struct {
	live, ready []httpapi.Check
	report      httpapi.Report
	hang        bool // until the context ends
	crash       bool
}

func (n *node) Live(context.Context) []httpapi.Check  { return n.live }
func (n *node) Ready(context.Context) []httpapi.Check { return n.ready }
func (n *node) Report(ctx context.Context) httpapi.Report {
	if n.crash {
		panic("a bug in the status")
	}
	if n.hang {
		<-ctx.Done()
		return httpapi.Report{ID: n.report.ID, Problem: "the server actor did not answer in time"}
	}
	return n.report
}

func get(t *testing.T, n *node, path string) (int, string) {
	t.Helper()
	r := httptest.NewRecorder()
	httpapi.NewHandler(n, slog.New(slog.DiscardHandler)).ServeHTTP(r, httptest.NewRequest(http.MethodGet, path, nil))
	return r.Code, r.Body.String()
}

func TestReadinessListsItsChecksWhenAskedAndWhenOneFails(t *testing.T) {
	n := &node{ready: []httpapi.Check{{Name: "recovered"}, {Name: "leader"}}}
	if code, body := get(t, n, "/readyz"); code != http.StatusOK || body != "ok\n" {
		t.Errorf("ready: %d %q", code, body)
	}
	if _, body := get(t, n, "/readyz?verbose"); body != "[+]recovered ok\n[+]leader ok\nok\n" {
		t.Errorf("verbose: %q", body)
	}
	n.ready[1].Err = errors.New("no leader is known")
	code, body := get(t, n, "/readyz")
	if code != http.StatusServiceUnavailable || body != "[+]recovered ok\n[-]leader failed: no leader is known\nreadyz failed: 1\n" {
		t.Errorf("not ready: %d %q", code, body)
	}
	if code, _ := get(t, n, "/livez"); code != http.StatusOK {
		t.Errorf("a node that is not ready is alive all the same, got %d", code)
	}
}

func TestStatusIsJSONWithStableNames(t *testing.T) {
	n := &node{report: httpapi.Report{ID: 3, Role: "leader", Term: 7, Leader: 3, Commit: 12, Applied: 11, StateHash: "00ff", HashApplied: 11}}
	code, body := get(t, n, "/status")
	var got map[string]any
	if err := json.Unmarshal([]byte(body), &got); err != nil || code != http.StatusOK {
		t.Fatalf("%d, %v: %s", code, err, body)
	}
	for name, want := range map[string]any{"id": 3.0, "role": "leader", "term": 7.0, "leader": 3.0, "commit": 12.0, "applied": 11.0, "state_hash": "00ff", "hash_applied": 11.0} {
		if got[name] != want {
			t.Errorf("%s is %v, want %v", name, got[name], want)
		}
	}
}

func TestANodeThatDoesNotAnswerStillHasAStatusInTime(t *testing.T) {
	start := time.Now()
	code, body := get(t, &node{hang: true, report: httpapi.Report{ID: 3}}, "/status")
	if code != http.StatusOK || !strings.Contains(body, `"id": 3`) || !strings.Contains(body, "did not answer in time") {
		t.Errorf("%d %s", code, body)
	}
	if took := time.Since(start); took > 5*httpapi.AnswerTimeout {
		t.Errorf("it took %v", took)
	}
}

func TestMetricsSayWhatTheStatusSays(t *testing.T) {
	n := &node{report: httpapi.Report{
		ID: 1, Behavior: "leader", Term: 7, Leader: 1, Commit: 12, Applied: 11,
		Restarts: map[string]uint64{"log": 2}, Dropped: map[string]uint64{"other cluster": 5},
		Queues: map[string]int64{"server_commands": 4}, Peers: []httpapi.Peer{{ID: 2, Gate: "up"}, {ID: 3, Gate: "down"}},
		Progress: []httpapi.Progress{{ID: 2, Match: 9}}, Received: 8,
		Snapshots: httpapi.Snapshots{Taken: 6, Sent: httpapi.Transfers{Failed: 4, Bytes: 70}, Received: httpapi.Transfers{Done: 5, LastSeconds: 1.5}},
	}}
	_, body := get(t, n, "/metrics")
	for _, want := range []string{
		`castaway_role{role="leader"} 1`, `castaway_role{role="follower"} 0`, "castaway_term 7", "castaway_commit_index 12",
		`castaway_actor_restarts_total{actor="log"} 2`, `castaway_dropped_messages_total{reason="other cluster"} 5`,
		`castaway_queue_length{queue="server_commands"} 4`, `castaway_peer_up{peer="2"} 1`, `castaway_peer_up{peer="3"} 0`,
		`castaway_peer_match_index{peer="2"} 9`, "castaway_received_messages_total 8", "go_goroutines",
		"castaway_snapshots_taken_total 6", `castaway_snapshot_transfers_failed_total{direction="sent"} 4`,
		`castaway_snapshot_transfer_bytes_total{direction="sent"} 70`, `castaway_snapshot_transfers_done_total{direction="received"} 5`,
		`castaway_snapshot_last_transfer_seconds{direction="received"} 1.5`,
	} {
		if !strings.Contains(body, want+"\n") && !strings.Contains(body, want+" ") {
			t.Errorf("the metrics lack %s", want)
		}
	}
}

func TestAPanicEndsItsRequestOnly(t *testing.T) {
	var logged bytes.Buffer
	h := httpapi.NewHandler(&node{crash: true}, slog.New(slog.NewTextHandler(&logged, nil)))
	for _, page := range []string{"/status", "/metrics"} {
		logged.Reset()
		r := httptest.NewRecorder()
		h.ServeHTTP(r, httptest.NewRequest(http.MethodGet, page, nil))
		if r.Code != http.StatusInternalServerError || !strings.Contains(logged.String(), "a bug in the status") {
			t.Errorf("%s: got %d, logged %q", page, r.Code, logged.String())
		}
	}
}

func TestTheIndexNamesEveryPageAndNothingElseExists(t *testing.T) {
	_, body := get(t, &node{}, "/")
	for _, page := range []string{"/livez", "/readyz", "/status", "/metrics"} {
		if !strings.Contains(body, page) {
			t.Errorf("the index lacks %s", page)
		}
		if code, _ := get(t, &node{}, page); code != http.StatusOK {
			t.Errorf("%s answers %d", page, code)
		}
	}
	if code, _ := get(t, &node{}, "/debug/pprof"); code != http.StatusNotFound {
		t.Errorf("an unknown page answers %d", code)
	}
}
