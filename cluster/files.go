package cluster

import "syscall"

// enoughFiles is how many files a node should be allowed to have open: the tables of
// its log, a connection for every client, and some to spare.
const enoughFiles = 4096

// warnOfFewFiles tells in time what would end the node later. Go has raised the soft
// limit to the hard one by then.
func (n *Node) warnOfFewFiles() {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err == nil && limit.Cur < enoughFiles {
		n.log.Warn("this process may open few files, and a node that runs out of them ends: raise the limit (ulimit -n, or LimitNOFILE of its service)",
			"limit", limit.Cur, "advised", enoughFiles)
	}
}
