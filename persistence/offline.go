package persistence

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"castaway/raft"
)

// Offline is a data directory that no node has open, read as it is. Nothing in it is
// changed, written or synced; while it is open, no node can be started on it. It is
// not safe for concurrent use.
//
// Damage does not keep it from reading what is left: Damage tells what is wrong.
type Offline struct {
	dir       string
	lock      *directoryLock
	identity  identity
	witnessed uint64
	last      uint64
	damage    []error
	// index knows the groups; it has no database.
	index  *Badger
	frozen *frozen
	// broken are the groups whose records do not fit together.
	broken map[raft.GroupID]*brokenGroup
}

// OfflineGroup is what a data directory holds of one group.
type OfflineGroup struct {
	Group raft.GroupID
	// Restored is what a server would start from, but for the tail. If Err is not
	// nil, it is what holds before the damage.
	Restored raft.Restored
	// Records counts the records that hold it, and Garbage those that were let go of
	// and not yet deleted.
	Records, Garbage int
	// Err says where the records do not fit together, and Unreachable counts the
	// records from there on.
	Err         error
	Unreachable int
}

// brokenGroup is where a group's records stop to fit together.
type brokenGroup struct {
	err   error
	after int
}

// ReadOffline reads the data directory of a node that does not run. ErrLocked means
// that it does run, ErrDirectory that dir is no data directory or cannot be read. What
// is damaged is no error of ReadOffline.
func ReadOffline(dir string) (*Offline, error) {
	lock, err := lockForReading(dir)
	if err != nil {
		return nil, unusable(dir, err)
	}
	o := &Offline{dir: dir, lock: lock, broken: map[raft.GroupID]*brokenGroup{}}
	if err := o.read(); err != nil {
		return nil, errors.Join(unusable(dir, err), o.Close())
	}
	return o, nil
}

// lockForReading keeps nodes out, but not other readers, and makes no file.
func lockForReading(dir string) (*directoryLock, error) {
	var l directoryLock
	err := l.share(dir)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("persistence: lock %s for reading: %w", dir, err), l.release())
	}
	return &l, nil
}

func (l *directoryLock) share(dir string) (err error) {
	if l.directory, err = os.Open(dir); err != nil {
		return err
	}
	held := unix.Flock(int(l.directory.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	if slices.ContainsFunc(noDirectoryLocks, func(err error) bool { return errors.Is(held, err) }) {
		held = nil // the file's lock has to do
	}
	if l.file, err = os.Open(filepath.Join(dir, lockFile)); err != nil {
		l.file = nil
		if held == nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if held == nil && l.file != nil {
		held = unix.Flock(int(l.file.Fd()), unix.LOCK_SH|unix.LOCK_NB)
	}
	if errors.Is(held, unix.EWOULDBLOCK) {
		return fmt.Errorf("%w by %s: stop that node first, or read a copy of the directory", ErrLocked, holder(l.file))
	}
	return held
}

// read takes in everything but the entries.
func (o *Offline) read() error {
	logs := filepath.Join(o.dir, logDirectory)
	b, err := os.ReadFile(filepath.Join(o.dir, identityFile))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(logs); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: %s holds neither an %s file nor a log: it is no data directory", ErrDirectory, o.dir, identityFile)
		}
		err = corrupt("%s holds a log, but its %s file is gone", o.dir, identityFile)
	} else if err == nil {
		o.identity, err = decodeIdentity(b)
	}
	if err != nil && !errors.Is(err, ErrCorrupt) {
		return fmt.Errorf("persistence: read whose data is in %s: %w", o.dir, err)
	}
	o.note(err)
	if err := o.readWitness(); err != nil {
		return err
	}
	o.note(checkMark(o.dir))
	if err := o.examine(logs); err != nil {
		return err
	}
	if o.frozen, err = freeze(logs, len(o.damage) == 0); err != nil {
		return err
	}
	o.damage = append(o.damage, o.frozen.damage...)
	return o.readGroups()
}

// note remembers damage.
func (o *Offline) note(err error) {
	if err != nil {
		// What to do is said once, by whoever reports it.
		text, _, _ := strings.Cut(err.Error(), ": "+WhatToDo)
		o.damage = append(o.damage, fmt.Errorf("%s", strings.TrimPrefix(text, ErrCorrupt.Error()+": ")))
	}
}

// readWitness takes the nonce from the witness, too, if the identity cannot tell it.
func (o *Offline) readWitness() error {
	path := filepath.Join(o.dir, witnessFile)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		o.note(corrupt("the %s file is gone", path))
		return nil
	}
	if err != nil {
		return fmt.Errorf("persistence: open the witness: %w", err)
	}
	defer func() { _ = f.Close() }()
	if o.identity.nonce == 0 {
		o.identity.nonce = witnessNonce(f)
	}
	var valid bool
	if o.witnessed, valid = readWitness(f, o.identity.nonce); !valid {
		o.note(corrupt("both slots of %s are damaged", path))
	}
	return nil
}

// examine finds out whether a node would open the log.
func (o *Offline) examine(dir string) error {
	logs, tables, err := listLog(dir)
	if err != nil {
		return err
	}
	o.last, err = examine(dir, logs, tables, o.identity.nonce, o.witnessed)
	if err != nil && !errors.Is(err, ErrCorrupt) {
		return err
	}
	o.note(err)
	return nil
}

// readGroups builds the index, as a store does when it opens; but it goes on behind
// what does not fit.
func (o *Offline) readGroups() error {
	o.index = &Badger{nonce: o.identity.nonce, groups: map[raft.GroupID]*badgerGroup{}}
	err := o.frozen.scan([]byte{prefixStart}, func(key, value []byte) error {
		if err := o.index.readStart(key, value); err != nil {
			o.note(fmt.Errorf("the start record %x: %w", key, err))
		}
		return nil
	})
	if err != nil {
		return err
	}
	var long *longRecord
	err = o.frozen.scan([]byte{prefixWrite}, func(key, value []byte) error {
		long = o.readWrite(long, key, value)
		return nil
	})
	if err := long.done(); err != nil {
		o.breakAt(long.group, long.sequence, err)
	}
	for _, g := range o.index.groups {
		g.stored = g.recordsEnd
	}
	return err
}

// readWrite takes one key of the scan, and gives the record whose parts are to come.
func (o *Offline) readWrite(long *longRecord, key, value []byte) *longRecord {
	sequence, group, part, err := parseWriteKey(key)
	if err != nil {
		o.note(err)
		return long
	}
	if part > 0 {
		if b := o.broken[group]; b != nil {
			return nil
		}
		if err := long.add(o.index, sequence, group, part, value); err != nil {
			o.breakAt(group, sequence, err)
			return nil
		}
		return long
	}
	if err := long.done(); err != nil {
		o.breakAt(long.group, long.sequence, err)
	}
	if b := o.broken[group]; b != nil {
		b.after++
		return nil
	}
	if long, err = o.index.readWrite(sequence, group, value); err != nil {
		o.breakAt(group, sequence, err)
		return nil
	}
	return long
}

// breakAt ends the readable part of a group's log.
func (o *Offline) breakAt(group raft.GroupID, sequence uint64, err error) {
	if o.broken[group] != nil {
		return
	}
	err = fmt.Errorf("group %d: the record of commit %d: %w", group, sequence, err)
	o.broken[group] = &brokenGroup{err: err, after: 1}
	o.note(err)
}

// Identity is whose data the directory holds; both zero if that cannot be read.
func (o *Offline) Identity() (cluster uint64, server raft.NodeID) {
	return o.identity.cluster, o.identity.server
}

// Commits gives the number of the last commit in the log, and of the last one that
// the witness saw durable. last is zero if the log is damaged.
func (o *Offline) Commits() (last, witnessed uint64) { return o.last, o.witnessed }

// Damage is everything that is wrong, empty for a directory that a node would open.
func (o *Offline) Damage() []error { return o.damage }

// Groups gives what is known of each group, sorted by id.
func (o *Offline) Groups() []OfflineGroup {
	var groups []OfflineGroup
	for _, id := range slices.Sorted(maps.Keys(o.index.groups)) {
		g := o.index.groups[id]
		group := OfflineGroup{Group: id, Restored: g.state.restored(), Records: len(g.records), Garbage: len(g.garbage)}
		if b := o.broken[id]; b != nil {
			group.Err, group.Unreachable = b.err, b.after
		}
		groups = append(groups, group)
	}
	return groups
}

// Entries visits the entries [first, last] of a group, in order, until visit returns
// an error, which it gives back. The errors are those of Store.Entries. Frames are
// verified; visit may keep what it is given.
func (o *Offline) Entries(group raft.GroupID, first, last raft.Index, visit func(raft.Entry) error) error {
	g := o.index.groups[group]
	if g == nil {
		return fmt.Errorf("group %d: %w: there is no such group", group, ErrUnavailable)
	}
	if err := g.state.checkRange(first, last); err != nil {
		return fmt.Errorf("group %d: %w", group, err)
	}
	refs := g.locate(first, last)
	next := first
	for i := range refs {
		end := last
		if i+1 < len(refs) {
			end = min(end, refs[i+1].first-1)
		}
		if end < next {
			continue
		}
		r := reader{store: o.index, group: group, next: next, last: end, left: math.MaxInt}
		record := o.record(refs[i].sequence, group)
		if err := r.takeRecord(record, end); err != nil {
			return corrupt("group %d: the record of commit %d: %s", group, refs[i].sequence, err)
		}
		for _, e := range r.entries {
			if err := visit(e); err != nil {
				return err
			}
		}
		next = end + 1
	}
	return nil
}

// record joins all parts of a record.
func (o *Offline) record(sequence uint64, group raft.GroupID) []byte {
	var record []byte
	// No visit fails: neither does the scan.
	_ = o.frozen.scan(writeKey(sequence, group, 0), func(_, part []byte) error {
		record = append(record, part...)
		return nil
	})
	return record
}

// Close lets go of the directory.
func (o *Offline) Close() error {
	var err error
	if o.frozen != nil {
		err = o.frozen.close()
	}
	return errors.Join(err, o.lock.release())
}
