package persistence

import (
	"bufio"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// adviseMem tells the kernel that Badger's mapped memtable logs are not read in
// order. Otherwise a write to one brings in a large folio around it, all of which
// then goes to disk with the next sync. It is advice: if it fails, or hits a
// mapping that has just been replaced, things are slower, and nothing else.
func adviseMem(dir string) {
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return
	}
	defer func() { _ = maps.Close() }()
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		line := lines.Text()
		at := strings.Index(line, dir+"/")
		if at < 0 || !strings.HasSuffix(line, ".mem") || strings.Contains(line[at+len(dir)+1:], "/") {
			continue
		}
		var from, to uintptr
		if _, err := fmt.Sscanf(line, "%x-%x", &from, &to); err != nil {
			continue
		}
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, from, to-from, unix.MADV_RANDOM)
	}
}
