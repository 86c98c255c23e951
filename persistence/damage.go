package persistence

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
)

// WhatToDo ends every error that Is ErrCorrupt.
const WhatToDo = "this server must not vote again: the others go on without it as long as they are a majority; " +
	"keep the directory as it is for inspection, put no older copy in its place, and never start this server's id on other data, " +
	"an empty directory least of all, since it would have forgotten its votes; " +
	"replacing the server takes a change of the membership, which this version does not have"

// corrupt is an error about lost data.
func corrupt(format string, args ...any) error {
	return fmt.Errorf("%w: %s: %s", ErrCorrupt, fmt.Sprintf(format, args...), WhatToDo)
}

// briefBytes is the most that is told of what another library says.
const briefBytes = 160

// brief is the first line of an error, for libraries that dump what they read.
func brief(err error) string {
	text, _, cut := strings.Cut(strings.TrimSpace(err.Error()), "\n")
	if len(text) > briefBytes {
		text, cut = strings.ToValidUTF8(text[:briefBytes], ""), true
	}
	if cut {
		text += " …"
	}
	return text
}

// unusable makes err say what to do if it is about the directory as such: its path,
// its owner, its file system.
func unusable(dir string, err error) error {
	for _, reason := range []error{fs.ErrPermission, fs.ErrNotExist, fs.ErrExist, syscall.EROFS, syscall.ENOTDIR, syscall.EISDIR, syscall.ENAMETOOLONG, syscall.ELOOP} {
		if errors.Is(err, reason) && !errors.Is(err, ErrCorrupt) {
			return fmt.Errorf("%w: %w: make %s a directory that this process's user may read and write, or name another one", ErrDirectory, err, dir)
		}
	}
	return err
}

// cannotOpen tells a file that is there and could not be opened from a damaged one:
// nothing is known to be lost.
func cannotOpen(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM)
}
