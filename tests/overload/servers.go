package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const members = 3

// servers are three processes of the binary.
type servers struct {
	binary    string
	endpoints string
	split     bool // servers on CPU 0, clients on the others
	processes []*exec.Cmd
}

func startServers(ctx context.Context, binary, dir string, split bool) (*servers, error) {
	const addressesEach = 3
	free, err := freeAddresses(members * addressesEach)
	if err != nil {
		return nil, err
	}
	s := &servers{binary: binary, split: split}
	var peers, endpoints []string
	for i := range members {
		at := free[addressesEach*i:]
		peers = append(peers, fmt.Sprintf("%d=%s/%s", i+1, at[0], at[1]))
		endpoints = append(endpoints, at[1])
	}
	s.endpoints = strings.Join(endpoints, ",")
	for i := range members {
		cmd := s.command(ctx, "0", "start", "--id", strconv.Itoa(i+1), "--peers", strings.Join(peers, ","),
			"--data-dir", filepath.Join(dir, strconv.Itoa(i+1)), "--listen-http", free[addressesEach*i+2], "--log-level", "error")
		cmd.Stderr = os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			s.stop()
			return nil, err
		}
		s.processes = append(s.processes, cmd)
	}
	return s, nil
}

// command is the binary with these arguments, on the CPUs given if they are split.
func (s *servers) command(ctx context.Context, cpus string, args ...string) *exec.Cmd {
	if !s.split {
		return exec.CommandContext(ctx, s.binary, args...)
	}
	return exec.CommandContext(ctx, "taskset", append([]string{"-c", cpus, s.binary}, args...)...)
}

// freeAddresses finds ports that differ.
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

func (s *servers) stop() {
	for _, cmd := range s.processes {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

// run runs the binary as a client and reads its JSON.
func (s *servers) run(ctx context.Context, answer any, args ...string) error {
	cmd := s.command(ctx, fmt.Sprintf("1-%d", max(1, runtime.NumCPU()-1)), append(args, "--endpoints", s.endpoints, "-o", "json")...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("castaway %s: %w", strings.Join(args, " "), err)
	}
	return json.Unmarshal(out, answer)
}

// term is the newest term that a server knows: it grows with every election.
func (s *servers) term(ctx context.Context) (newest uint64, err error) {
	var rows []struct {
		Term uint64 `json:"term"`
	}
	err = s.run(ctx, &rows, "status")
	for _, r := range rows {
		newest = max(newest, r.Term)
	}
	return newest, err
}

// watch looks at the largest server's memory until it is stopped, and says the most.
func (s *servers) watch() (stop func() int64) {
	quit, most := make(chan struct{}), make(chan int64)
	go func() {
		top := int64(0)
		ticker := time.NewTicker(50 * time.Millisecond)
		defer ticker.Stop()
		for {
			for _, cmd := range s.processes {
				top = max(top, resident(cmd.Process.Pid))
			}
			select {
			case <-quit:
				most <- top
				return
			case <-ticker.C:
			}
		}
	}()
	return func() int64 { close(quit); return <-most }
}

// cpu is the time that the servers have had so far.
func (s *servers) cpu() time.Duration {
	const ticksPerSecond = 100 // USER_HZ, the same on every Linux
	total := time.Duration(0)
	for _, cmd := range s.processes {
		stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", cmd.Process.Pid))
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if len(fields) < 13 {
			continue
		}
		user, _ := strconv.ParseInt(fields[11], 10, 64)
		system, _ := strconv.ParseInt(fields[12], 10, 64)
		total += time.Duration(user+system) * time.Second / ticksPerSecond
	}
	return total
}

// resident is what a process has in memory, in bytes.
func resident(pid int) int64 {
	statm, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	fields := strings.Fields(string(statm))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}
