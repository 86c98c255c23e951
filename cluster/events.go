package cluster

import (
	"castaway/actors"
)

// logEvent logs what happens in the group, for whoever reads the log later.
func (n *Node) logEvent(e actors.Event) {
	switch e.Kind {
	case actors.EventRole:
		n.log.Info("role or leader changed", "role", e.Role.String(), "term", e.Term, "leader", e.Leader)
	case actors.EventRestarted:
		n.log.Warn("an actor crashed and was made anew", "actor", e.Actor, "detail", e.Detail)
	case actors.EventConfiguration:
		n.log.Info("the members are", "configuration", e.Detail)
	case actors.EventGaveUp:
		n.log.Warn("a new member was given up", "detail", e.Detail)
	case actors.EventDisk:
		n.log.Warn("the disk's reserve", "detail", e.Detail)
	default:
		n.log.Info("the group tells", "event", string(e.Kind), "detail", e.Detail)
	}
}
