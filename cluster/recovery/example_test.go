package recovery_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"castaway/cluster/member"
	"castaway/cluster/recovery"
)

func ExampleRecover() {
	parent, err := os.MkdirTemp("", "castaway-recovery-")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(parent) }()
	o := recovery.Options{
		From: filepath.Join(parent, "old"), To: filepath.Join(parent, "new"), ID: 8,
		Member: member.Info{Peer: "127.0.0.1:7008"}, Logger: slog.New(slog.DiscardHandler),
	}
	if err := makeSurvivor(o.From); err != nil {
		fmt.Println(err)
		return
	}
	report, err := recovery.Recover(o)
	if err != nil {
		fmt.Println(err)
		return
	}
	g := report.Groups[0]
	fmt.Printf("server %d kept entries up to %d; known to be committed: up to %d\n", report.OldServer, g.Last, g.Committed)
	// Output: server 2 kept entries up to 9; known to be committed: up to 3
}
