package config_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"castaway/cluster/config"
)

// sources is a node that is told things in all three ways.
func sources(t *testing.T, yaml string, environ []string, args ...string) config.Sources {
	t.Helper()
	s := config.Sources{Environ: environ, Flags: pflag.NewFlagSet("start", pflag.ContinueOnError)}
	config.AddFlags(s.Flags)
	if err := s.Flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	if yaml != "" {
		s.File = filepath.Join(t.TempDir(), "node.yaml")
		if err := os.WriteFile(s.File, []byte(yaml), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func TestFlagsOverEnvironmentOverFileOverDefaults(t *testing.T) {
	const file = "tick-interval: 30ms\nelection-ticks: 30\nheartbeat-ticks: 3\n"
	environ := []string{"CASTAWAY_TICK_INTERVAL=40ms", "CASTAWAY_HEARTBEAT_TICKS=", "CASTAWAY_ELECTION_TICKS=40", "PATH=/bin"}
	l, err := config.Load(sources(t, file, environ, "--tick-interval=50ms"))
	if err != nil {
		t.Fatal(err)
	}
	got := []any{l.TickInterval, l.ElectionTicks, l.HeartbeatTicks, l.MaxInflightMessages}
	want := []any{50 * time.Millisecond, 40, 3, 64}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("each layer must win over the ones before it (-want +got):\n%s", d)
	}
	layers := map[string]config.Layer{}
	for _, row := range l.Rows(true) {
		layers[row.Key] = row.Origin.Layer
	}
	for key, layer := range map[string]config.Layer{
		"tick-interval": config.FromFlag, "election-ticks": config.FromEnv,
		"heartbeat-ticks": config.FromFile, "max-inflight-messages": config.FromDefault, "name": config.FromDerived,
	} {
		if layers[key] != layer {
			t.Errorf("%s comes from the %s, want %s", key, layers[key], layer)
		}
	}
}

func TestAFlagThatEqualsItsDefaultStillCounts(t *testing.T) {
	l, err := config.Load(sources(t, "election-ticks: 30", nil, "--election-ticks=50"))
	if err != nil || l.ElectionTicks != 50 {
		t.Fatalf("election-ticks is %d (%v), want the flag's 50", l.ElectionTicks, err)
	}
}

func TestEveryKeyHasAWorkingDefaultUnitAndDoc(t *testing.T) {
	c := config.Default()
	if err := c.Validate(); err != nil {
		t.Fatalf("the defaults must be valid: %v", err)
	}
	seen := map[string]bool{}
	for _, k := range config.Keys() {
		if k.Doc == "" || k.Unit == "" || k.Section == "" || seen[k.Name] {
			t.Errorf("key %q needs a doc, a unit, a section and a name of its own", k.Name)
		}
		if k.Default == "" && !strings.Contains(k.Doc, "default") && k.Section != "security" {
			t.Errorf("key %q has no default: its doc must say what it follows from", k.Name)
		}
		seen[k.Name] = true
	}
}

func TestAllProblemsAreReportedAtOnceWithOriginAndFix(t *testing.T) {
	const file = "tick-intervall: 5ms\nelection-ticks: soon\n"
	_, err := config.Load(sources(t, file, []string{"CASTAWAY_MAX_ENTRY_BYTES=lots"}, "--pre-vote=true", "--heartbeat-ticks=many"))
	if !errors.Is(err, config.ErrInvalid) {
		t.Fatalf("got %v, want ErrInvalid", err)
	}
	for _, want := range []string{
		`tick-intervall = "5ms" (file `, "did you mean tick-interval?",
		`election-ticks = "soon" (file `, "whole number",
		`max-entry-bytes = "lots" (environment CASTAWAY_MAX_ENTRY_BYTES)`, "KiB",
		`heartbeat-ticks = "many" (flag --heartbeat-ticks)`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q:\n%v", want, err)
		}
	}
}

func TestLimitsThatContradictEachOtherNameBothKeys(t *testing.T) {
	_, err := config.Load(sources(t, "", nil, "--election-ticks=10", "--max-uncommitted-bytes=1KiB", "--log-level=loud"))
	var problems config.Problems
	if !errors.As(err, &problems) || len(problems) != 3 {
		t.Fatalf("want three problems, got %v", err)
	}
	for i, want := range []string{"heartbeat-ticks", "max-entry-bytes", "debug info warn error"} {
		if !strings.Contains(problems[i].String(), want) || problems[i].Origin.Layer != config.FromFlag {
			t.Errorf("problem %d must speak of %s and of the flag: %s", i, want, problems[i])
		}
	}
}

func TestPlaintextBeyondLoopbackNeedsAWordOfConsent(t *testing.T) {
	for _, key := range []string{"listen-peer", "listen-client", "listen-http"} {
		args := []string{"--" + key + "=0.0.0.0:7001"}
		if key == "listen-peer" {
			args = append(args, "--advertise-peer=10.0.0.1:7001")
		}
		if _, err := config.Load(sources(t, "", nil, args...)); err == nil || !strings.Contains(err.Error(), key) || !strings.Contains(err.Error(), "insecure-network") {
			t.Errorf("%s on 0.0.0.0 must be refused and name the way out, got: %v", key, err)
		}
		l, err := config.Load(sources(t, "", nil, append(args, "--insecure-network")...))
		if err != nil || len(l.Warnings) != 1 {
			t.Errorf("%s with consent: %v, warnings %q; want none and one", key, err, l.Warnings)
		}
	}
	tls := []string{"--listen-peer=10.0.0.1:7001", "--peer-tls-cert=c", "--peer-tls-key=k", "--peer-tls-ca=a"}
	if _, err := config.Load(sources(t, "", nil, tls...)); err != nil {
		t.Errorf("TLS makes a peer's port fit for a network: %v", err)
	}
	if _, err := config.Load(sources(t, "", nil, tls[:2]...)); err == nil || !strings.Contains(err.Error(), "peer-tls-ca") {
		t.Errorf("a certificate alone is no TLS: %v", err)
	}
}

func TestPeersReadAsTextListOrMapsAndDeriveTheAddresses(t *testing.T) {
	want := []config.Peer{{ID: 1, Address: "127.0.0.1:7001", Client: "127.0.0.1:8001"}, {ID: 2, Address: "127.0.0.1:7002"}}
	for form, yaml := range map[string]string{
		"text":  "peers: 2=127.0.0.1:7002,1=127.0.0.1:7001/127.0.0.1:8001",
		"texts": "peers: ['1=127.0.0.1:7001/127.0.0.1:8001', '2=127.0.0.1:7002']",
		"maps":  "peers:\n- {id: 1, address: '127.0.0.1:7001', client: '127.0.0.1:8001'}\n- {id: 2, address: '127.0.0.1:7002'}",
	} {
		l, err := config.Load(sources(t, yaml, nil))
		if err != nil {
			t.Fatalf("%s: %v", form, err)
		}
		if d := cmp.Diff(want, l.Peers); d != "" {
			t.Errorf("%s (-want +got):\n%s", form, d)
		}
		if l.ListenPeer != "127.0.0.1:7001" || l.AdvertisePeer != "127.0.0.1:7001" || l.ListenClient != "127.0.0.1:8001" {
			t.Errorf("%s: this node's addresses must follow from peers: %+v", form, l.Config)
		}
	}
}

func TestPeersThatCannotWorkAreRefused(t *testing.T) {
	for args, want := range map[string]string{
		"--peers=one=127.0.0.1:1":                                              "id=host:port",
		"--peers=2=127.0.0.1:7002,3=127.0.0.1:7003":                            "does not hold this node's id 1",
		"--peers=1=127.0.0.1:7001,1=127.0.0.1:7002":                            "the id 1 twice",
		"--peers=1=127.0.0.1:7001,2=127.0.0.1:7001":                            "the address 127.0.0.1:7001 twice",
		"--peers=1=127.0.0.1:0,2=127.0.0.1:7002":                               "choose one",
		"--peers=1=127.0.0.1:7001 --advertise-peer=localhost:7001":             "letter by letter",
		"--peers=1=127.0.0.1:7001,0=127.0.0.1:7002":                            "id 0",
		"--peers=1=nowhere --listen-peer=127.0.0.1:0 --advertise-peer=nowhere": "not host:port",
	} {
		if _, err := config.Load(sources(t, "", nil, strings.Fields(args)...)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want an error with %q, got %v", args, want, err)
		}
	}
}

func TestUnknownVariablesAreWarnedOfAndNotRefused(t *testing.T) {
	l, err := config.Load(sources(t, "", []string{"CASTAWAY_TICKINTERVAL=1s", "CASTAWAY_ENDPOINTS=x"}))
	if err != nil || len(l.Warnings) != 1 || !strings.Contains(l.Warnings[0], "CASTAWAY_TICK_INTERVAL") {
		t.Errorf("want one warning that names the nearest variable, got %q, %v", l.Warnings, err)
	}
}

func TestASecondDocumentInTheFileIsRefused(t *testing.T) {
	for text, refused := range map[string]bool{
		"id: 1\n---\nid: 2":                                  true,
		"id: 1\n...\nid: 2\n":                                true,
		"--- {id: 1}\n--- {id: 2}":                           true,
		"# a node\n---\nid: 1\nname: ---x\n...\n# the end\n": false,
	} {
		_, err := config.Load(sources(t, text, nil))
		if refused != (err != nil && strings.Contains(err.Error(), "more than one document")) {
			t.Errorf("%q: %v; must it be refused: %v", text, err, refused)
		}
	}
}

func TestWhatIsWrongIsListedBesideWhatCannotBeRead(t *testing.T) {
	_, err := config.Load(sources(t, "", []string{
		"CASTAWAY_TICK_INTERVAL=abc", "CASTAWAY_PRE_VOTE=yep", "CASTAWAY_LOG_LEVEL=loud", "CASTAWAY_CLUSTER_NAME= ", "CASTAWAY_HEARTBEAT_TICKS=ten",
	}, "--election-ticks=12"))
	var problems config.Problems
	if !errors.As(err, &problems) {
		t.Fatal(err)
	}
	var keys []string
	for _, p := range problems {
		keys = append(keys, p.Key)
	}
	// Whether 12 ticks are enough for an election nobody knows without the heartbeat's.
	want := []string{"tick-interval", "heartbeat-ticks", "pre-vote", "cluster-name", "log-level"}
	if d := cmp.Diff(want, keys); d != "" {
		t.Errorf("(-want +got):\n%s\n%v", d, err)
	}
}

func TestAMissingOrBrokenFileSaysSo(t *testing.T) {
	_, err := config.Load(config.Sources{File: "/nowhere/node.yaml"})
	if !errors.Is(err, config.ErrInvalid) || !strings.Contains(err.Error(), "/nowhere/node.yaml does not exist") {
		t.Errorf("missing file: %v", err)
	}
	_, err = config.Load(sources(t, "id: [", nil))
	if !errors.Is(err, config.ErrInvalid) || !strings.Contains(err.Error(), "YAML") {
		t.Errorf("broken file: %v", err)
	}
}

func TestWhatShowWritesAsYAMLIsTheSameConfiguration(t *testing.T) {
	first, err := config.Load(sources(t, "", nil, "--max-inflight-bytes=8MiB", "--peers=1=127.0.0.1:7001,2=127.0.0.1:7002,3=127.0.0.1:7003", "--pre-vote=false"))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := first.Show(&out, "yaml", true); err != nil {
		t.Fatal(err)
	}
	second, err := config.Load(sources(t, out.String(), nil))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(first.Config, second.Config); d != "" {
		t.Errorf("(-first +second):\n%s", d)
	}
}

func TestBytesReadAndWriteTheirUnits(t *testing.T) {
	for text, want := range map[string]config.Bytes{"0": 0, "17": 17, "64KiB": 64 << 10, "1 MiB": 1 << 20, "2GiB": 2 << 30, "5B": 5} {
		if got, err := config.ParseBytes(text); err != nil || got != want {
			t.Errorf("%q is %d (%v), want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "-1", "1.5MiB", "64kb", "99999999999GiB"} {
		if got, err := config.ParseBytes(text); err == nil {
			t.Errorf("%q was read as %d, want an error", text, got)
		}
	}
	if s := (1536 * config.KiB).String(); s != "1536KiB" {
		t.Errorf("1536KiB is written %q", s)
	}
}
