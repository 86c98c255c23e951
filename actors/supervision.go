package actors

import (
	"fmt"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/raft"
)

// supervision restarts whoever panicked, alone, as long as its budget lasts.
// When it does not, gaveUp is told and the child is stopped: nothing dies
// silently. protoactor's own strategies are not used, since they measure time by
// themselves, and stop an actor without a word.
type supervision struct {
	clock  Clock
	budget func(child *actor.PID) (name string, budget Budget)
	// restarted, unless nil, is told after a restart was ordered.
	restarted func(name string, reason any)
	gaveUp    func(child *actor.PID, err error)
	failures  map[string][]time.Time // by name, within the budget's time
	// leaving: the supervisor is ending or restarting, and has told its children to
	// stop. Whoever is restarted after that comes back from the dead.
	leaving bool
}

var _ actor.SupervisorStrategy = (*supervision)(nil)

func newSupervision(h *Host, budget func(*actor.PID) (string, Budget), gaveUp func(*actor.PID, error)) *supervision {
	return &supervision{clock: h.cfg.Clock, budget: budget, gaveUp: gaveUp, failures: make(map[string][]time.Time)}
}

// HandleFailure implements actor.SupervisorStrategy. It runs on the supervisor,
// so one call at a time.
func (s *supervision) HandleFailure(_ *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, reason, _ any) {
	if s.leaving {
		supervisor.StopChildren(child)
		return
	}
	name, budget := s.budget(child)
	now := s.clock.Now()
	recent := s.failures[name][:0]
	for _, t := range s.failures[name] {
		if now.Sub(t) < budget.Within {
			recent = append(recent, t)
		}
	}
	recent = append(recent, now)
	s.failures[name] = recent
	if len(recent) > budget.Restarts {
		s.gaveUp(child, fmt.Errorf("%w: the %s panicked %d times within %v, the last time with: %v; its budget is %d restarts; look for the panics' stacks in the log",
			ErrBudget, name, len(recent), budget.Within, reason, budget.Restarts))
		supervisor.StopChildren(child)
		return
	}
	supervisor.RestartChildren(child)
	if s.restarted != nil {
		s.restarted(name, reason)
	}
}

// childBudget is the host's for its children.
func (h *Host) childBudget(child *actor.PID) (string, Budget) {
	if isTransport(child) {
		return strings.TrimPrefix(child.Id, h.cfg.Name+"/"), h.cfg.TransportBudget
	}
	return child.Id, h.cfg.GroupBudget
}

func groupName(host string, group raft.GroupID) string {
	return fmt.Sprintf("%s/group-%d", host, group)
}
