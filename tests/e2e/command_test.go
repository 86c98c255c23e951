package e2e

import (
	"os/exec"
	"strings"
	"testing"
)

// castaway runs a command of the binary, which must succeed, and gives its output.
func (c *cluster) castaway(args ...string) string {
	c.t.Helper()
	out, err := c.tryCastaway(args...)
	if err != nil {
		c.t.Fatalf("castaway %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// tryCastaway gives stdout, and stderr behind it if the command fails.
func (c *cluster) tryCastaway(args ...string) (string, error) {
	return outputOf(exec.Command(c.binary, args...))
}

// etcdctl runs the real etcdctl at some endpoints; it must succeed.
func etcdctl(t *testing.T, endpoints []string, args ...string) string {
	t.Helper()
	out, err := tryEtcdctl(t, endpoints, args...)
	if err != nil {
		t.Fatalf("etcdctl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func tryEtcdctl(t *testing.T, endpoints []string, args ...string) (string, error) {
	t.Helper()
	_, binary := build(t)
	return outputOf(exec.Command(binary, append([]string{"--endpoints", strings.Join(endpoints, ",")}, args...)...))
}

func outputOf(cmd *exec.Cmd) (string, error) {
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return string(out) + stderr.String(), err
	}
	return strings.TrimSpace(string(out)), nil
}
