package main

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets scripts run this program as castaway.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"castaway": main})
}

// TestScripts runs testdata/script: each file is a session of a person with the
// program, and what must come of it.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Setup: func(e *testscript.Env) error { e.Setenv("HOME", e.WorkDir); return nil },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"ready":   ready,
			"status":  exitStatus,
			"running": running,
		},
	})
}

// scriptPatience is how long a dev cluster may take until it is ready.
const scriptPatience = 30 * time.Second

// ready DIR waits until every server of the dev cluster in DIR is ready, and sets
// CASTAWAY_ENDPOINTS and HTTP.
func ready(ts *testscript.TestScript, _ bool, args []string) {
	await(ts, "the cluster in "+args[0]+" to be ready", func() bool {
		return devReady(ts, filepath.Join(ts.MkAbs(args[0]), devFile))
	})
}

// await looks until it is so: another process can only be asked.
func await(ts *testscript.TestScript, what string, so func() bool) {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	deadline := time.After(scriptPatience)
	for !so() {
		select {
		case <-ticker.C:
		case <-deadline:
			ts.Fatalf("waited in vain for %s", what)
		}
	}
}

func devReady(ts *testscript.TestScript, path string) bool {
	data, err := os.ReadFile(path)
	var nodes []devNode
	if err != nil || json.Unmarshal(data, &nodes) != nil {
		return false
	}
	var endpoints []string
	for _, n := range nodes {
		r, err := http.Get("http://" + n.HTTP + "/readyz")
		if err != nil {
			return false
		}
		_ = r.Body.Close()
		if r.StatusCode != http.StatusOK {
			return false
		}
		endpoints = append(endpoints, n.Client)
	}
	ts.Setenv("CASTAWAY_ENDPOINTS", strings.Join(endpoints, ","))
	ts.Setenv("HTTP", nodes[0].HTTP)
	return true
}

// running DIR waits until a node has taken its data directory.
func running(ts *testscript.TestScript, _ bool, args []string) {
	await(ts, "a node to take the directory "+args[0], func() bool {
		entries, err := os.ReadDir(ts.MkAbs(args[0]))
		return err == nil && len(entries) > 1
	})
}

// exitStatus CODE ARGS… runs castaway, which must end with that code.
func exitStatus(ts *testscript.TestScript, _ bool, args []string) {
	var out, errs strings.Builder
	environ := []string{"CASTAWAY_ENDPOINTS=" + ts.Getenv("CASTAWAY_ENDPOINTS")}
	got := run(args[1:], strings.NewReader(""), &out, &errs, environ)
	ts.Logf("[stdout]\n%s[stderr]\n%s", out.String(), errs.String())
	if want := args[0]; want != strconv.Itoa(got) {
		ts.Fatalf("castaway %s ended with %d, want %s", strings.Join(args[1:], " "), got, want)
	}
}
