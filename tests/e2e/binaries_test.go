package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// binaries are built once a run, into a directory that goes with it.
var binaries struct {
	once              sync.Once
	dir               string
	castaway, etcdctl string
	err               error
}

// build makes the castaway binary from the tree around this module, and etcdctl
// from the module proxy at the version that go.mod names.
func build(t *testing.T) (castaway, etcdctl string) {
	t.Helper()
	binaries.once.Do(func() {
		dir, err := os.MkdirTemp("", "castaway-e2e-bin-")
		if err != nil {
			binaries.err = err
			return
		}
		binaries.dir = dir
		binaries.castaway = filepath.Join(dir, "castaway")
		binaries.etcdctl = filepath.Join(dir, "etcdctl")
		for path, args := range map[string][]string{
			binaries.castaway: {"-C", "../..", "build", "-o", binaries.castaway, "./cmd/castaway"},
			binaries.etcdctl:  {"build", "-o", binaries.etcdctl, "go.etcd.io/etcd/etcdctl/v3"},
		} {
			if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
				t.Logf("building %s: %s", path, out)
				binaries.err = err
				return
			}
		}
	})
	if binaries.err != nil {
		t.Fatal(binaries.err)
	}
	return binaries.castaway, binaries.etcdctl
}
