package raft_test

import "castaway/raft"

// operator does what operators do, sensible or not, mostly to a leader: changes of one
// member or of two at once, by the configuration that was seen or by an older one, and
// transfers of leadership. What can't be is refused; the observer sees to it that nothing
// was done then.
func (s *schedule) operator(event int, id raft.NodeID) {
	c := s.c
	if leader := c.leader(); leader != raft.None && c.rng.IntN(4) > 0 {
		id = leader
	}
	if !c.servers[id].up() {
		return
	}
	if event == handOver {
		_ = c.transferLeadership(id, raft.NodeID(c.rng.IntN(len(c.ids)+1))) // 0 is the best
		return
	}
	kinds := []raft.ChangeKind{raft.ChangeAddVoter, raft.ChangeAddVoter, raft.ChangeAddLearner, raft.ChangePromote, raft.ChangeRemove, raft.ChangeUpdate}
	wish := raft.ConfigurationChange{}
	for range 1 + c.rng.IntN(2) {
		wish.Changes = append(wish.Changes, raft.Change{Kind: kinds[c.rng.IntN(len(kinds))], ID: c.ids[c.rng.IntN(len(c.ids))], Context: []byte{byte(c.rng.IntN(9))}})
	}
	if c.rng.IntN(2) == 0 {
		wish.If = c.servers[id].core.Status().ConfigurationIndex - raft.Index(c.rng.IntN(2))
	}
	before := c.servers[id].core.Status().ConfigurationIndex
	c.input(id, func(core *raft.Core) raft.Effects {
		_, e, err := core.ProposeConfiguration(wish)
		if err != nil {
			return raft.Effects{}
		}
		s.changed = true
		c.want(wish.If == 0 || wish.If == before, "a change of configuration %d is made to %d", wish.If, before)
		return e
	})
}
