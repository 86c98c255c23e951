package persistence

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const (
	// memoryDirectory is a file system in memory, where there is one.
	memoryDirectory = "/dev/shm"
	// scratchBytes is more than an empty value log takes.
	scratchBytes = 8 << 20
	// tmpfsMagic is what statfs says of such a file system.
	tmpfsMagic = 0x01021994
)

// scratchDirectory makes an empty directory for Badger's value log: where the
// options say, or in memory, or inside the data directory. Whatever an earlier run
// left there goes: nothing in it is ever needed.
func scratchDirectory(o *Options, nonce uint64) (string, error) {
	name := scratchName(o.Dir, nonce)
	if o.ScratchDir != "" {
		return remake(filepath.Join(o.ScratchDir, name))
	}
	if hasMemory() {
		if path, err := remake(filepath.Join(memoryDirectory, name)); err == nil {
			return path, nil
		}
	}
	return remake(filepath.Join(o.Dir, "scratch"))
}

// scratchName tells the scratch directories of different data directories apart, be
// it that one is a copy of the other, or that their processes see different disks
// under the same path.
func scratchName(dir string, nonce uint64) string {
	if absolute, err := filepath.Abs(dir); err == nil {
		dir = absolute
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%x %s", nonce, dir))
	return fmt.Sprintf("castaway-%d-%x", os.Getuid(), sum[:8])
}

// hasMemory says whether there is a file system in memory with some room: mapped
// files there, too, must never run out of it.
func hasMemory() bool {
	var st unix.Statfs_t
	if err := unix.Statfs(memoryDirectory, &st); err != nil {
		return false
	}
	return st.Type == tmpfsMagic && st.Bavail*uint64(st.Bsize) >= scratchBytes
}

// remake gives an empty directory that is ours alone.
func remake(path string) (string, error) {
	if err := os.RemoveAll(path); err != nil {
		return "", fmt.Errorf("persistence: clear the scratch directory: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", fmt.Errorf("persistence: make the scratch directory: %w", err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		return "", fmt.Errorf("persistence: make the scratch directory: %w", err)
	}
	return path, nil
}

// unlinkScratch takes the names of the files in the scratch directory away, which
// Badger has open by now and never looks up again: so a process that is killed
// leaves nothing in memory. Badger's lock stays.
func unlinkScratch(dir string) error {
	for _, pattern := range []string{"*.vlog", "DISCARD"} {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return fmt.Errorf("persistence: list the scratch directory: %w", err)
		}
		for _, path := range paths {
			if err := os.Remove(path); err != nil {
				return fmt.Errorf("persistence: empty the scratch directory: %w", err)
			}
		}
	}
	return nil
}
