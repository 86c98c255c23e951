package persistence

import (
	"fmt"
	"sync"

	"castaway/raft"
)

// Operation names a call of a Store, for Faulty.
type Operation uint8

// The calls that can fail; Space and Close are left alone.
const (
	OperationLoad Operation = iota + 1
	OperationAppend
	OperationSync
	OperationEntries
	OperationCompact
)

func (o Operation) String() string {
	names := [...]string{"none", "load", "append", "sync", "entries", "compact"}
	if int(o) < len(names) {
		return names[o]
	}
	return fmt.Sprintf("operation(%d)", uint8(o))
}

// Call is a call that a Faulty store is about to make.
type Call struct {
	Operation Operation
	// Number counts the calls of this Operation, from 1.
	Number int
	// Group is what the call is about; zero for a sync.
	Group raft.GroupID
}

// Fault is what happens to a call. The zero value is none.
type Fault struct {
	// Before runs before the call: to wait (a slow disk), to stop the world, to
	// panic, or to crash the store underneath.
	Before func()
	// Err is the call's answer. The store underneath is not asked then.
	Err error
	// Lie answers a Sync with success, although nothing was synced: a disk that
	// loses what it said it had.
	Lie bool
}

// Faulty is a Store that fails on purpose: before each call it asks what shall
// happen. It has no clock and no randomness of its own, so that whoever plans the
// faults decides the run.
//
// An error that is final for a Store (C40) is final here, too: once a Fault has
// answered Append, Sync or Compact with anything but ErrNoSpace, ErrInvalid and
// ErrTooLarge, every later call fails with ErrFailed and the store underneath is
// not asked again.
type Faulty struct {
	store Store
	plan  func(Call) Fault

	mu     sync.Mutex
	counts map[Operation]int
	err    error
	space  *Space
}

var _ Store = (*Faulty)(nil)

// NewFaulty wraps a store. plan is called with one call at a time; nil means no
// faults.
func NewFaulty(store Store, plan func(Call) Fault) *Faulty {
	if plan == nil {
		plan = func(Call) Fault { return Fault{} }
	}
	return &Faulty{store: store, plan: plan, counts: map[Operation]int{}}
}

// FailAt plans that the nth call of an operation is answered with err, once.
func FailAt(operation Operation, nth int, err error) func(Call) Fault {
	return func(c Call) Fault {
		if c.Operation == operation && c.Number == nth {
			return Fault{Err: err}
		}
		return Fault{}
	}
}

// Underlying gives the store that is wrapped.
func (f *Faulty) Underlying() Store { return f.store }

// SetSpace makes the store pretend to have this much room; nil tells the truth.
// It says nothing about calls: plan ErrNoSpace for those.
func (f *Faulty) SetSpace(s *Space) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.space = s
}

// ask decides about a call: its fault, or the final error.
func (f *Faulty) ask(operation Operation, group raft.GroupID) (Fault, error) {
	f.mu.Lock()
	if f.err != nil {
		defer f.mu.Unlock()
		return Fault{}, f.err
	}
	f.counts[operation]++
	fault := f.plan(Call{Operation: operation, Number: f.counts[operation], Group: group})
	if fault.Err != nil && final(operation, fault.Err) {
		f.err = fmt.Errorf("%w: %w", ErrFailed, fault.Err)
		fault.Err = f.err
	}
	f.mu.Unlock()
	if fault.Before != nil {
		fault.Before()
	}
	return fault, fault.Err
}

// Load implements Store.
func (f *Faulty) Load(group raft.GroupID, tailBytes int) (raft.Restored, error) {
	if _, err := f.ask(OperationLoad, group); err != nil {
		return raft.Restored{}, err
	}
	return f.store.Load(group, tailBytes)
}

// Append implements Store.
func (f *Faulty) Append(group raft.GroupID, p *raft.Persist) error {
	if _, err := f.ask(OperationAppend, group); err != nil {
		return err
	}
	return f.store.Append(group, p)
}

// Sync implements Store.
func (f *Faulty) Sync() error {
	fault, err := f.ask(OperationSync, 0)
	if err != nil || fault.Lie {
		return err
	}
	return f.store.Sync()
}

// Entries implements Store.
func (f *Faulty) Entries(group raft.GroupID, first, last raft.Index, maxBytes int) ([]raft.Entry, error) {
	if _, err := f.ask(OperationEntries, group); err != nil {
		return nil, err
	}
	return f.store.Entries(group, first, last, maxBytes)
}

// Compact implements Store.
func (f *Faulty) Compact(group raft.GroupID, meta raft.SnapshotMeta) error {
	if _, err := f.ask(OperationCompact, group); err != nil {
		return err
	}
	return f.store.Compact(group, meta)
}

// Space implements Store.
func (f *Faulty) Space() Space {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.space != nil {
		return *f.space
	}
	return f.store.Space()
}

// Close implements Store.
func (f *Faulty) Close() error { return f.store.Close() }
