package actors

import (
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/asynkron/protoactor-go/actor"
)

// quiet marks messages that may come too late, for an actor that has stopped:
// they are dropped without protoactor's dead-letter log, whose throttle starts a
// goroutine.
type quiet struct{}

// IgnoreDeadLetterLogging implements protoactor's marker.
func (quiet) IgnoreDeadLetterLogging() {}

// A guard stands around an actor. It logs the stack of a panic, which protoactor
// does not, and lets it go on to the supervisor; it lets tests inject panics; and
// it keeps an actor that is ending from panicking, since protoactor would then
// bring it back, and its parent would wait for its end for ever.
type guard struct {
	name   string
	inner  actor.Actor
	inject func(actorName string, message any)
	logger *slog.Logger
	// children, unless nil, supervises the children.
	children *supervision
	// ending: Stopping or Restarting has come. Nothing but the end of the children
	// is of interest any more; a restart makes a new guard.
	ending bool
}

// guarded makes props for an actor of this host.
func guarded(cfg *HostConfig, name string, children *supervision, produce func() actor.Actor, options ...actor.PropsOption) *actor.Props {
	options = append(options, actor.WithMailbox(newMailbox))
	if cfg.Dispatcher != nil {
		options = append(options, actor.WithDispatcher(cfg.Dispatcher))
	}
	if children != nil {
		options = append(options, actor.WithSupervisor(children))
	}
	return actor.PropsFromProducer(func() actor.Actor {
		return &guard{name: name, inner: produce(), inject: cfg.Inject, logger: cfg.Logger, children: children}
	}, options...)
}

// Receive implements actor.Actor.
func (g *guard) Receive(ctx actor.Context) {
	message := ctx.Message()
	switch message.(type) {
	case *actor.Stopping, *actor.Restarting:
		g.ending = true
		g.supervise(false)
		g.calmly(ctx)
		return
	case *actor.Stopped, *actor.Terminated:
		g.calmly(ctx)
		return
	case *actor.Started:
		g.supervise(true)
	default:
		if g.ending {
			return
		}
	}
	defer g.report(ctx, message)
	if g.inject != nil {
		g.inject(g.name, message)
	}
	g.inner.Receive(ctx)
}

func (g *guard) supervise(on bool) {
	if g.children != nil {
		g.children.leaving = !on
	}
}

func (g *guard) report(ctx actor.Context, message any) {
	if r := recover(); r != nil {
		g.logger.Error("actor panicked; its supervisor decides", "actor", ctx.Self().GetId(),
			"message", fmt.Sprintf("%T", message), "panic", r, "stack", string(debug.Stack()))
		panic(r)
	}
}

// calmly delivers a message about an end.
func (g *guard) calmly(ctx actor.Context) {
	defer func() {
		if r := recover(); r != nil {
			g.logger.Error("actor panicked while it, or a child, ended", "actor", ctx.Self().GetId(), "panic", r, "stack", string(debug.Stack()))
		}
	}()
	g.inner.Receive(ctx)
}
