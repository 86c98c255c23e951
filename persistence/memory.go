package persistence

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"castaway/raft"
)

// Memory is a Store without a disk, for simulations and tests. It has the halves
// that a disk has: what was synced, and what a crash may lose.
//
// Always true: visible is durable with the pending operations applied in order.
type Memory struct {
	mu      sync.Mutex
	durable map[raft.GroupID]*memoryGroup
	visible map[raft.GroupID]*memoryGroup
	pending []memoryOperation
	space   Space
	err     error // not nil once closed, crashed or condemned

	condemned error // outlives crashes
}

// memoryOperation is an Append, or a Compact when compact is not nil.
type memoryOperation struct {
	group   raft.GroupID
	persist raft.Persist
	compact *raft.SnapshotMeta
}

// memoryGroup is one group's log. entries[0] follows state.snapshot.
type memoryGroup struct {
	state   groupState
	entries []raft.Entry
}

// NewMemory gives an empty store with all the room in the world.
func NewMemory() *Memory {
	return &Memory{
		durable: map[raft.GroupID]*memoryGroup{},
		visible: map[raft.GroupID]*memoryGroup{},
		space:   Space{Free: math.MaxUint64},
	}
}

var _ Store = (*Memory)(nil)

// Crash is a power cut: of the operations that no Sync has made durable, the
// first keep survive, as a disk may keep any prefix of them. It gives the store
// that the next life finds; this one fails from now on.
func (m *Memory) Crash(keep int) *Memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	next := NewMemory()
	next.space, next.condemned, next.err = m.space, m.condemned, m.condemned
	for id, g := range m.durable {
		next.durable[id] = g.clone()
	}
	for i := range min(keep, len(m.pending)) {
		m.pending[i].applyTo(next.durable)
	}
	for id, g := range next.durable {
		next.visible[id] = g.clone()
	}
	m.pending = nil
	m.err = fmt.Errorf("%w: it crashed", ErrFailed)
	return next
}

// Unsynced counts the operations that a crash may lose.
func (m *Memory) Unsynced() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.pending)
}

// SetSpace makes the store pretend to have this much room. Proposals stop below
// the reserve; the memory store itself never refuses.
func (m *Memory) SetSpace(s Space) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.space = s
}

// Load implements Store.
func (m *Memory) Load(group raft.GroupID, tailBytes int) (raft.Restored, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return raft.Restored{}, m.err
	}
	m.sync()
	g, ok := m.visible[group]
	if !ok {
		return raft.Restored{}, nil
	}
	r := g.state.restored()
	r.Tail = slices.Clone(g.entries[tailStart(g.entries, tailBytes):])
	return r, nil
}

// Append implements Store.
func (m *Memory) Append(group raft.GroupID, p *raft.Persist) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	state := groupState{}
	if g, ok := m.visible[group]; ok {
		state = g.state
	}
	if err := state.check(p); err != nil {
		return fmt.Errorf("group %d: %w", group, err)
	}
	op := memoryOperation{group: group, persist: *p}
	op.persist.After = nil
	m.pending = append(m.pending, op)
	op.applyTo(m.visible)
	return nil
}

// Sync implements Store.
func (m *Memory) Sync() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	m.sync()
	return nil
}

func (m *Memory) sync() {
	for i := range m.pending {
		m.pending[i].applyTo(m.durable)
		m.pending[i] = memoryOperation{}
	}
	m.pending = m.pending[:0]
}

// Entries implements Store.
func (m *Memory) Entries(group raft.GroupID, first, last raft.Index, maxBytes int) ([]raft.Entry, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return nil, m.err
	}
	g, ok := m.visible[group]
	if !ok {
		g = &memoryGroup{}
	}
	if err := g.state.checkRange(first, last); err != nil {
		return nil, fmt.Errorf("group %d: %w", group, err)
	}
	base := g.state.snapshot.Last.Index
	entries := g.entries[first-base-1 : last-base]
	return slices.Clone(entries[:fitting(entries, maxBytes)]), nil
}

// Compact implements Store.
func (m *Memory) Compact(group raft.GroupID, meta raft.SnapshotMeta) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	state := groupState{}
	if g, ok := m.visible[group]; ok {
		state = g.state
	}
	if err := state.checkCompact(meta); err != nil {
		return fmt.Errorf("group %d: %w", group, err)
	}
	op := memoryOperation{group: group, compact: &meta}
	m.pending = append(m.pending, op)
	op.applyTo(m.visible)
	m.sync()
	return nil
}

// Space implements Store.
func (m *Memory) Space() Space {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.space
}

// Close implements Store. What it held is still there for Crash to bring back.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err == nil {
		m.err = fmt.Errorf("%w: it is closed", ErrFailed)
	}
	return nil
}

func (op *memoryOperation) applyTo(groups map[raft.GroupID]*memoryGroup) {
	g, ok := groups[op.group]
	if !ok {
		g = &memoryGroup{}
		groups[op.group] = g
	}
	if op.compact != nil {
		g.compact(*op.compact)
		return
	}
	if from := op.persist.TruncateFrom; from != 0 && from <= g.state.last {
		g.entries = g.entries[:from-g.state.snapshot.Last.Index-1]
	}
	g.entries = append(g.entries, op.persist.Entries...)
	g.state.apply(&op.persist)
}

func (g *memoryGroup) compact(meta raft.SnapshotMeta) {
	base, last := g.state.snapshot.Last.Index, g.state.last
	if !g.state.compact(meta) {
		g.entries = nil
		return
	}
	g.entries = slices.Clone(g.entries[meta.Last.Index-base : last-base])
}

func (g *memoryGroup) clone() *memoryGroup {
	return &memoryGroup{state: g.state.clone(), entries: slices.Clone(g.entries)}
}

// fitting counts the leading entries that fit into maxBytes; at least one.
func fitting(entries []raft.Entry, maxBytes int) int {
	size := 0
	for i := range entries {
		size += entries[i].Size()
		if size > maxBytes && i > 0 {
			return i
		}
	}
	return len(entries)
}

// tailStart is where the newest entries begin that fit into maxBytes.
func tailStart(entries []raft.Entry, maxBytes int) int {
	size := 0
	for i := len(entries) - 1; i >= 0; i-- {
		if size += entries[i].Size(); size > maxBytes {
			return i + 1
		}
	}
	return 0
}
