package actors

import (
	"errors"
	"fmt"

	"castaway/persistence"
	"castaway/raft"
)

// condemn tells the log that the disk does not hold what this server acknowledged.
type condemn struct {
	quiet
	why string
}

// forgot ends this server, which a leader proved to have forgotten what it had
// acknowledged. The log marks the disk, so that no later start forgets this, too.
func (s *server) forgot(f *raft.Forgotten) {
	why := fmt.Sprintf("node %d forgot what it had acknowledged: it told node %d, the leader of term %d, that its disk holds the log up to entry %d, "+
		"but the disk ends at entry %d and knows of no term after %d; someone put an older or an empty data directory in place, or the disk dropped what it had synced",
		s.host.cfg.ID, f.Leader, f.Term, f.Acknowledged, f.Last, f.Known)
	s.send(s.pids.log, condemn{why: why})
	s.halt(why)
}

// condemn is the last thing that this log does. What is still to be written, or to
// be sent once written, is dropped.
func (l *logActor) condemn(why string) {
	err := fmt.Errorf("group %d: %w: %s: %s", l.cfg.Group, persistence.ErrCorrupt, why, persistence.WhatToDo)
	l.failed = err
	l.incarnation = 0
	l.drop()
	if marked := l.host.cfg.Store.Condemn(why); marked != nil {
		err = errors.Join(err, fmt.Errorf("this could not be recorded in the data directory, so that a later start may not notice: do not start it again: %w", marked))
	}
	l.send(l.pids.host, storeFailed{log: l.self, err: err})
}
