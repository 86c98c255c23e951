package e2e

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

var (
	duration    = flag.Duration("duration", 20*time.Second, "how long the chaos test makes faults")
	failures    = flag.Int("failovers", 3, "how many leaders the failover test kills")
	puts        = flag.Int("puts", 20_000, "how many writes the test of disk and memory makes")
	keys        = flag.Int("keys", 20_000, "how many keys the restart test writes")
	transfers   = flag.Int("transfers", 5, "how many times the transfer test moves the leadership")
	snapshotMiB = flag.Int("snapshot-mib", 16, "how large a snapshot the test of heartbeats beside one has sent")
	seed        = flag.Int64("seed", 0, "the seed of the chaos test's schedule; 0 takes one from the clock and prints it")
)

// insideVariable marks the copy of this process that lives in its own namespaces.
const insideVariable = "E2E_INSIDE_NAMESPACES"

// TestMain moves the whole run into namespaces of its own when it may, so that the
// chaos test can build a network there without touching the machine's.
func TestMain(m *testing.M) {
	flag.Parse()
	_, noIP := exec.LookPath("ip")
	if os.Getuid() != 0 || noIP != nil {
		os.Exit(run(m))
	}
	if os.Getenv(insideVariable) != "" {
		if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "cannot bring up the loopback of the new namespace: %v: %s\n", err, out)
			os.Exit(1)
		}
		os.Exit(run(m))
	}
	if err := fetchModules(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	self, err := os.Executable()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	cmd := exec.Command(self, os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), insideVariable+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Unshareflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS,
		Pdeathsig:    syscall.SIGKILL,
	}
	if err := cmd.Run(); err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			os.Exit(exit.ExitCode())
		}
		fmt.Fprintln(os.Stderr, "cannot enter namespaces of its own:", err)
		os.Exit(1)
	}
}

// fetchModules gets what the binaries are built from while there is still a way to the
// module proxy.
func fetchModules() error {
	for _, args := range [][]string{
		{"-C", "../..", "list", "-deps", "./cmd/castaway"},
		{"list", "-deps", "go.etcd.io/etcd/etcdctl/v3"},
	} {
		if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("the modules of the binaries cannot be had: %w: %s", err, out)
		}
	}
	return nil
}

// run is all tests; what they share goes with them.
func run(m *testing.M) int {
	defer func() { _ = os.RemoveAll(binaries.dir) }()
	return m.Run()
}
