package actors

import "time"

// This file is how reads and writes share the machine: reads are answered in turns,
// between which what has been committed meanwhile is applied. So a flood of reads, or
// a few that are expensive, hold up no write, and no heartbeat, which is the server's;
// and a flood of writes holds up no read, since it comes in bounded pieces.

const (
	// readsATurn bounds a turn, and turnTime its time, which is looked at after every
	// readsALook.
	readsATurn = 1024
	readsALook = 16
	turnTime   = 5 * time.Millisecond
)

// takeReads takes serializable reads, unless enough reads wait at the desk.
func (m *machineActor) takeReads() []*waiter {
	if m.desk.reads.Load() >= int64(m.cfg.Limits.MaxQueuedReads) {
		return nil
	}
	return m.desk.inbox.takeReads(nil)
}

// answerReads answers reads whose index is applied, in the order in which they came,
// for one turn. It reports whether some are left for the next. A read that had to
// wait for its turn too long is refused: answering it costs as much as one that is
// still wanted.
func (m *machineActor) answerReads() (more bool) {
	now := m.host.cfg.Clock.Now()
	left := readsATurn
	kept := m.desk.waiting[:0]
	for _, w := range m.desk.waiting {
		if w.index > m.applied {
			kept = append(kept, w)
			continue
		}
		if w.ready.IsZero() {
			w.ready = now
		}
		late := now.Sub(w.ready) > m.cfg.Limits.MaxQueueWait
		for len(w.readers) > 0 && left > 0 {
			m.answerRead(w, late)
			left--
			if left%readsALook == 0 && m.host.cfg.Clock.Now().Sub(now) > turnTime {
				left = 0
			}
		}
		if len(w.readers) > 0 {
			kept, more = append(kept, w), true
		}
	}
	clear(m.desk.waiting[len(kept):])
	m.desk.waiting = kept
	return more
}

// answerRead takes w's first reader out, and answers it.
func (m *machineActor) answerRead(w *work, late bool) {
	r := w.readers[0]
	w.readers[0] = nil
	w.readers = w.readers[1:]
	m.desk.reads.Add(-1)
	if late {
		r.fail(tooSlow(m.cfg.Group, &m.cfg.Limits))
		return
	}
	m.query(r)
}
