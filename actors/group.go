package actors

import (
	"fmt"
	"strings"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/messages"
)

// stopGroup asks a group to stop in order.
type stopGroup struct{ quiet }

// groupActor is the parent of a group's server, log and machine, and of those that send
// and receive snapshots. It does nothing but spawn, supervise and stop them, and pass
// on what is theirs, so that it is always free to restart one.
type groupActor struct {
	*board
	children *supervision
}

// groupProps makes a group's actor. Its supervision restarts a child alone.
func groupProps(b *board) *actor.Props {
	s := newSupervision(b.host, b.childBudget, b.gaveUp)
	s.restarted = b.restarted
	return guarded(&b.host.cfg, "group", s, func() actor.Actor { return &groupActor{board: b, children: s} })
}

// Receive implements actor.Actor.
func (g *groupActor) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *messages.Envelope:
		g.passOn(ctx, m)
	case sendSnapshot:
		g.dispatch(ctx, m)
	case abandonSnapshots:
		g.recall(ctx, m)
	case *actor.Started:
		if g.stopping.Load() {
			ctx.Stop(ctx.Self())
			return
		}
		g.errands.clear()
		g.spawn(ctx, "log", func() actor.Actor { return newLog(g.board) })
		g.spawn(ctx, "machine", func() actor.Actor { return newMachine(g.board) })
		if g.host.cfg.Snapshots != nil {
			g.spawn(ctx, "receiver", func() actor.Actor { return newReceiver(g.board) })
			g.spawn(ctx, "archive", func() actor.Actor { return &archive{g.board} })
		}
		g.spawn(ctx, "server", func() actor.Actor { return newServer(g.board) })
	case stopGroup:
		g.stopping.Store(true)
		g.children.leaving = true
		g.send(g.pids.transport, unregisterGroup{Group: g.cfg.Group})
		g.answerControls(g.server.close(g.goodbye(false)))
		g.stopNext(ctx)
	case *actor.Terminated:
		if g.stopping.Load() {
			g.stopNext(ctx)
		}
	case *actor.Stopped:
		if g.stopping.Load() {
			g.end() // otherwise the host restarts, and starts the group again
		}
	}
}

func (g *groupActor) spawn(ctx actor.Context, name string, produce func() actor.Actor) {
	if _, err := ctx.SpawnNamed(guarded(&g.host.cfg, name, nil, produce), name); err != nil {
		panic(err)
	}
}

// stopNext stops the server first, so that nobody gives the others work any more.
func (g *groupActor) stopNext(ctx actor.Context) {
	children := ctx.Children()
	if len(children) == 0 {
		ctx.Stop(ctx.Self())
		return
	}
	for _, child := range children {
		if child.Id == g.pids.server.Id {
			ctx.Stop(child)
			return
		}
	}
	for _, child := range children {
		ctx.Stop(child)
	}
}

// end answers everyone who still waits. All actors of the group are gone, so
// that what they owned is ours.
func (b *board) end() {
	b.ledger.abandon(b, b.goodbye(true))
	b.answerControls(b.server.close(b.goodbye(false)))
	b.answerControls(b.machine.inbox.close(b.goodbye(false)))
	b.machine.abandon(b.goodbye(true))
	b.ended.Do(func() {
		b.host.ticker.remove(b)
		close(b.stopped)
	})
}

// goodbye is what those get who wait when the group ends.
func (b *board) goodbye(indeterminate bool) *Error {
	err := b.fail(ReasonStopped, "the node is stopping; ask another one")
	if why := b.halted.Load(); why != nil {
		err = b.fail(ReasonHalted, "this node's part of the group has halted: "+*why)
	}
	err.Indeterminate = indeterminate
	return err
}

func (b *board) childBudget(child *actor.PID) (string, Budget) {
	switch {
	case strings.HasSuffix(child.Id, "/server"):
		return "server", b.cfg.ServerBudget
	case strings.HasSuffix(child.Id, "/log"):
		return "log", b.cfg.LogBudget
	case strings.HasSuffix(child.Id, "/receiver"):
		return "receiver", b.cfg.MachineBudget
	case strings.HasSuffix(child.Id, "/archive"):
		return "archive", b.cfg.MachineBudget
	case strings.Contains(child.Id, "/"+courierName):
		return "courier", b.cfg.MachineBudget
	default:
		return "machine", b.cfg.MachineBudget
	}
}

// restarted is told that a child panicked and is made anew. What a log actor had
// not yet written is lost with it, so that the server must start from the disk:
// its request to open arrives behind everything of its old incarnation, which the
// new log actor ignores.
func (b *board) restarted(name string, reason any) {
	for i, n := range actorNames {
		if n == name {
			b.restarts[i].Add(1)
		}
	}
	b.publish(Event{Kind: EventRestarted, Actor: name, Detail: fmt.Sprint(reason)})
	if name == "log" {
		b.send(b.pids.server, logLost{})
	}
}

// gaveUp is told that a child's budget ran out. The group stops, and the host
// says so.
func (b *board) gaveUp(child *actor.PID, err error) {
	b.halt(err.Error())
	b.host.fail(child, fmt.Errorf("group %d: %w", b.cfg.Group, err))
	b.send(b.pids.group, stopGroup{})
}
