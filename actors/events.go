package actors

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"castaway/raft"
)

// EventKind says what an Event tells.
type EventKind string

const (
	// EventRole: role, term or leader changed.
	EventRole EventKind = "role"
	// EventRestarted: an actor of the group panicked and was made anew.
	EventRestarted EventKind = "restarted"
	// EventRecovered: the server has read its log and takes part again.
	EventRecovered EventKind = "recovered"
	// EventHalted: the group has stopped for good on this node.
	EventHalted EventKind = "halted"
	// EventDisk: the disk's reserve was reached, or is free again.
	EventDisk EventKind = "disk"
	// EventConfiguration: a configuration is committed.
	EventConfiguration EventKind = "configuration"
	// EventGaveUp: a learner never caught up.
	EventGaveUp EventKind = "gave up"
)

// Event is something that happened in a group on one node.
type Event struct {
	Time        time.Time
	Node        raft.NodeID
	Group       raft.GroupID
	Kind        EventKind
	Incarnation raft.Incarnation
	Role        raft.Role
	Term        raft.Term
	Leader      raft.NodeID
	Actor       string // who restarted
	Detail      string // for people
}

// watchers tells whoever watches; safe for concurrent use.
type watchers struct {
	mu   sync.Mutex
	next int
	list atomic.Pointer[[]watcher]
}

type watcher struct {
	id   int
	tell func(Event)
}

func (w *watchers) add(tell func(Event)) (cancel func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next++
	id := w.next
	list := append(slices.Clone(w.load()), watcher{id: id, tell: tell})
	w.list.Store(&list)
	return func() { w.remove(id) }
}

func (w *watchers) remove(id int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := slices.DeleteFunc(slices.Clone(w.load()), func(x watcher) bool { return x.id == id })
	w.list.Store(&list)
}

func (w *watchers) load() []watcher {
	if p := w.list.Load(); p != nil {
		return *p
	}
	return nil
}

func (w *watchers) publish(e Event) {
	for _, x := range w.load() {
		x.tell(e)
	}
}
