package raft

import (
	"errors"
	"fmt"
	"slices"
)

// ChangeKind says what a Change does.
type ChangeKind uint8

// The kinds of changes.
const (
	// ChangeAddLearner adds a server that gets the log and has no vote.
	ChangeAddLearner ChangeKind = iota + 1
	// ChangeAddVoter adds one that gets a vote by itself, once it has caught up: until
	// then it is a learner (T4.2.1).
	ChangeAddVoter
	// ChangePromote gives a learner that has caught up a vote.
	ChangePromote
	// ChangeRemove removes a server, whatever it is. Its id never comes back (C12).
	ChangeRemove
	// ChangeUpdate replaces the Context of a member.
	ChangeUpdate
)

// Change is one step of a ConfigurationChange. Context is for servers that are added
// and for ChangeUpdate.
type Change struct {
	Kind    ChangeKind
	ID      NodeID
	Context []byte
}

// ConfigurationChange is what is to become of a configuration, all at once. Whatever
// changes who votes goes through a joint configuration (T4.3), which the leader leaves
// by itself.
type ConfigurationChange struct {
	// If, unless zero, is the index of the configuration that must be in force.
	If      Index
	Changes []Change
}

// ConfigurationState is the configuration in force, the index of its entry, and
// whether that is committed, as far as this server knows. An index of zero is that of
// the founding configuration.
type ConfigurationState struct {
	Index         Index
	Configuration Configuration
	Committed     bool
}

// Removed says that the configuration in force, which is committed, is one without
// this server, which was in one before.
type Removed struct {
	Index Index
	Term  Term
}

// Errors of ProposeConfiguration and TransferLeadership; nothing was done.
var (
	// ErrChanging means that a change is under way (T4.1).
	ErrChanging = errors.New("raft: another change of the configuration is under way")
	// ErrStale means that the configuration is no longer the one that the change was
	// made for.
	ErrStale = errors.New("raft: the configuration has changed meanwhile")
	// ErrMember means that a change makes no sense; the error says why.
	ErrMember = errors.New("raft: impossible change of members")
	// ErrRemoved means that an id was a member's that is none any more.
	ErrRemoved = errors.New("raft: the id belonged to a removed member, and is never used again")
	// ErrNotCaughtUp means that a learner's log is too far behind to be promoted.
	ErrNotCaughtUp = errors.New("raft: the learner has not caught up yet")
	// ErrUnhealthy means that after the change no majority would be heard.
	ErrUnhealthy = errors.New("raft: a majority of the new voters is not heard")
	// ErrTransferring means that leadership is being handed over.
	ErrTransferring = errors.New("raft: leadership is being transferred")
)

// ProposeConfiguration appends a change of the configuration in force, on the leader.
// It is in force at once (T4.1); what becomes of it shows in Effects.Configuration.
func (c *Core) ProposeConfiguration(ch ConfigurationChange) (Proposed, Effects, error) {
	l, ok := c.role.(*leader)
	if !ok {
		return Proposed{}, Effects{}, ErrNotLeader
	}
	if err := l.mayChange(c, ch.If); err != nil {
		return Proposed{}, Effects{}, err
	}
	next, err := c.configuration().changed(ch.Changes)
	if err == nil {
		err = l.bearable(c, &next, ch.Changes)
	}
	if err != nil {
		return Proposed{}, Effects{}, err
	}
	c.begin()
	l.appendConfiguration(c, next)
	p := Proposed{Term: c.hard.Term, First: c.log.last, Last: c.log.last}
	return p, c.finish("propose configuration", nil), nil
}

// mayChange says whether this is the time for a change: one at a time (C16), none
// before an entry of the own term is committed (C17), and none while leadership is
// handed over.
func (l *leader) mayChange(c *Core, onlyIf Index) error {
	at := c.configurations[len(c.configurations)-1].index
	switch {
	case c.commit < l.firstIndex:
		return ErrNotReady
	case l.transfer != nil:
		return ErrTransferring
	case onlyIf != 0 && onlyIf != at:
		return fmt.Errorf("%w: it is of index %d, not %d", ErrStale, at, onlyIf)
	case at > c.commit || c.configuration().Joint():
		return ErrChanging
	}
	return nil
}

// changed is the configuration after the changes. If the voters differ it is joint.
func (cfg *Configuration) changed(changes []Change) (Configuration, error) {
	next := cfg.Clone()
	next.LastID = cfg.Highest()
	if len(changes) == 0 {
		return next, fmt.Errorf("%w: there is no change", ErrMember)
	}
	for i := range changes {
		if err := next.apply(&changes[i]); err != nil {
			return next, err
		}
	}
	if len(next.Voters) == 0 {
		return next, fmt.Errorf("%w: nobody would be left to vote", ErrMember)
	}
	if !slices.Equal(next.Voters, cfg.Voters) {
		next.OldVoters = slices.Clone(cfg.Voters)
		next.Members = keepMembers(cfg.Members, next.Members)
		next.Members = slices.DeleteFunc(next.Members, func(m Member) bool { return !next.isMember(m.ID) })
	}
	return next, next.Validate()
}

// keepMembers adds to now what was said of those that are on their way out.
func keepMembers(before, now []Member) []Member {
	for _, m := range before {
		at, found := slices.BinarySearchFunc(now, m.ID, func(m Member, id NodeID) int { return compareIDs(m.ID, id) })
		if !found {
			now = slices.Insert(now, at, m)
		}
	}
	return now
}

func compareIDs(a, b NodeID) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	default:
		return 0
	}
}

func (cfg *Configuration) apply(ch *Change) error {
	member := cfg.isMember(ch.ID)
	switch ch.Kind {
	case ChangeAddLearner, ChangeAddVoter:
		switch {
		case ch.ID == None || ch.ID >= maxNodeID:
			return fmt.Errorf("%w: %d is no id", ErrMember, ch.ID)
		case member:
			return fmt.Errorf("%w: server %d is a member already", ErrMember, ch.ID)
		case ch.ID <= cfg.LastID:
			return fmt.Errorf("%w: %d; the next free id is %d", ErrRemoved, ch.ID, cfg.LastID+1)
		}
		cfg.LastID = ch.ID
		cfg.Learners = insertID(cfg.Learners, ch.ID)
		if ch.Kind == ChangeAddVoter {
			cfg.Promoting = insertID(cfg.Promoting, ch.ID)
		}
		cfg.describe(ch)
		return nil
	case ChangePromote, ChangeRemove, ChangeUpdate:
		if !member {
			return fmt.Errorf("%w: server %d is no member", ErrMember, ch.ID)
		}
	default:
		return fmt.Errorf("%w: there is no change of kind %d", ErrMember, ch.Kind)
	}
	switch ch.Kind {
	case ChangePromote:
		if !contains(cfg.Learners, ch.ID) {
			return fmt.Errorf("%w: server %d is no learner, and cannot be promoted", ErrMember, ch.ID)
		}
		cfg.Learners, cfg.Promoting = deleteID(cfg.Learners, ch.ID), deleteID(cfg.Promoting, ch.ID)
		cfg.Voters = insertID(cfg.Voters, ch.ID)
	case ChangeRemove:
		cfg.Voters, cfg.Learners, cfg.Promoting = deleteID(cfg.Voters, ch.ID), deleteID(cfg.Learners, ch.ID), deleteID(cfg.Promoting, ch.ID)
		cfg.Members = slices.DeleteFunc(cfg.Members, func(m Member) bool { return m.ID == ch.ID })
	case ChangeUpdate:
		cfg.describe(ch)
	}
	return nil
}

// maxNodeID bounds ids from above, so that there is always a next one.
const maxNodeID NodeID = 1 << 62

// describe notes a member's context; none is nothing to note.
func (cfg *Configuration) describe(ch *Change) {
	cfg.Members = slices.DeleteFunc(cfg.Members, func(m Member) bool { return m.ID == ch.ID })
	if len(ch.Context) > 0 {
		cfg.Members = keepMembers([]Member{{ID: ch.ID, Context: slices.Clone(ch.Context)}}, cfg.Members)
	}
}

func insertID(ids []NodeID, id NodeID) []NodeID {
	at, found := slices.BinarySearch(ids, id)
	if found {
		return ids
	}
	return slices.Insert(ids, at, id)
}

func deleteID(ids []NodeID, id NodeID) []NodeID {
	return slices.DeleteFunc(ids, func(other NodeID) bool { return other == id })
}

// left is the configuration after a joint one (T4.3).
func (cfg *Configuration) left() Configuration {
	next := cfg.Clone()
	next.OldVoters = nil
	next.Members = slices.DeleteFunc(next.Members, func(m Member) bool { return !next.isMember(m.ID) })
	next.LastID = cfg.Highest()
	return next
}

// bearable says whether the leader can lead the others into the next configuration: a
// learner votes only once its log is close (C19), and a majority must be heard.
func (l *leader) bearable(c *Core, next *Configuration, changes []Change) error {
	for i := range changes {
		if ch := &changes[i]; ch.Kind == ChangePromote {
			if p := l.find(ch.ID); p == nil || !p.caughtUp(c) {
				return fmt.Errorf("%w: server %d", ErrNotCaughtUp, ch.ID)
			}
		}
	}
	if next.Joint() && !next.agree(func(id NodeID) bool { return l.hears(c, id) }) {
		return fmt.Errorf("%w: voters %v", ErrUnhealthy, next.Voters)
	}
	return nil
}

// hears says whether a server was heard within the minimum election timeout.
func (l *leader) hears(c *Core, id NodeID) bool {
	if id == c.cfg.ID {
		return true
	}
	p := l.find(id)
	return p != nil && p.silent < c.cfg.ElectionTicks
}
