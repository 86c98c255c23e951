package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const voters = 3

// cluster is three voters of one system, each a child process with a control door.
type cluster struct {
	nodes []*exec.Cmd
	doors []string
	dir   string
}

func startCluster(ctx context.Context, o options, system string, round int) (*cluster, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	addresses, err := freeAddresses(voters)
	if err != nil {
		return nil, err
	}
	c := &cluster{dir: filepath.Join(o.dir, fmt.Sprintf("%s-%d", system, round))}
	for id := 1; id <= voters; id++ {
		dir := filepath.Join(c.dir, strconv.Itoa(id))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
		cmd := exec.CommandContext(ctx, self, "-node", system, "-id", strconv.Itoa(id), "-node-dir", dir,
			"-peers", strings.Join(addresses, ","), "-profile", o.child.profile)
		cmd.Stderr = os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		out, err := cmd.StdoutPipe()
		if err != nil {
			return nil, err
		}
		if err := cmd.Start(); err != nil {
			c.stop()
			return nil, err
		}
		c.nodes = append(c.nodes, cmd)
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			c.stop()
			return nil, fmt.Errorf("voter %d did not start: %w", id, err)
		}
		c.doors = append(c.doors, "http://"+strings.TrimSpace(line))
	}
	return c, nil
}

func freeAddresses(n int) ([]string, error) {
	var addresses []string
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer func() { _ = l.Close() }()
		addresses = append(addresses, l.Addr().String())
	}
	return addresses, nil
}

// leader waits until one of the voters says that it leads, and gives its door.
func (c *cluster) leader(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for ctx.Err() == nil {
		for _, door := range c.doors {
			var leads bool
			if err := ask(ctx, door+"/leads", &leads); err == nil && leads {
				return door, nil
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(50 * time.Millisecond):
		}
	}
	return "", errors.New("no leader within 30 s")
}

func (c *cluster) load(ctx context.Context, door string, clients int, d time.Duration) (result, error) {
	var r result
	err := ask(ctx, fmt.Sprintf("%s/load?clients=%d&duration=%s", door, clients, d), &r)
	return r, err
}

func ask(ctx context.Context, url string, answer any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, resp.Status)
	}
	return json.NewDecoder(resp.Body).Decode(answer)
}

func (c *cluster) stop() {
	for _, cmd := range c.nodes {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	_ = os.RemoveAll(c.dir)
}

// usage is what has been used so far: CPU by the voters, the disk by the machine.
type usage struct {
	cpu     time.Duration
	written int64
}

func (c *cluster) usage() usage {
	var u usage
	for _, cmd := range c.nodes {
		u.cpu += processTime(cmd.Process.Pid)
	}
	u.written = diskWritten(c.dir)
	return u
}

// processTime is a process's CPU time so far.
func processTime(pid int) time.Duration {
	const ticksPerSecond = 100 // USER_HZ, the same on every Linux
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * time.Second / ticksPerSecond
}

// diskWritten is how many bytes the disk under dir has been told to write, by
// anyone: what processes are charged for counts every touched page of a mapped
// file anew, and preallocation in full.
func diskWritten(dir string) int64 {
	const sectorBytes = 512 // in /proc/diskstats, whatever the disk's
	var st syscall.Stat_t
	if err := syscall.Stat(dir, &st); err != nil {
		return 0
	}
	device := fmt.Sprintf("%d %d ", unix.Major(st.Dev), unix.Minor(st.Dev))
	stats, _ := os.ReadFile("/proc/diskstats")
	for line := range strings.Lines(string(stats)) {
		fields := strings.Fields(line)
		if len(fields) > 9 && fields[0]+" "+fields[1]+" " == device {
			sectors, _ := strconv.ParseInt(fields[9], 10, 64)
			return sectors * sectorBytes
		}
	}
	return 0
}
