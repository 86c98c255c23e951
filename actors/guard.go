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
// it keeps stop handlers from panicking, since that would bring the actor back.
type guard struct {
	name   string
	inner  actor.Actor
	inject func(actorName string, message any)
	logger *slog.Logger
}

// guarded makes props for an actor of this host.
func guarded(cfg *HostConfig, name string, produce func() actor.Actor, options ...actor.PropsOption) *actor.Props {
	if cfg.Dispatcher != nil {
		options = append(options, actor.WithDispatcher(cfg.Dispatcher))
	}
	return actor.PropsFromProducer(func() actor.Actor {
		return &guard{name: name, inner: produce(), inject: cfg.Inject, logger: cfg.Logger}
	}, options...)
}

// Receive implements actor.Actor.
func (g *guard) Receive(ctx actor.Context) {
	message := ctx.Message()
	switch message.(type) {
	case *actor.Stopping, *actor.Stopped, *actor.Restarting:
		defer g.swallow(ctx)
		g.inner.Receive(ctx)
		return
	}
	defer g.report(ctx, message)
	if g.inject != nil {
		g.inject(g.name, message)
	}
	g.inner.Receive(ctx)
}

func (g *guard) report(ctx actor.Context, message any) {
	if r := recover(); r != nil {
		g.logger.Error("actor panicked; its supervisor decides", "actor", ctx.Self().GetId(),
			"message", fmt.Sprintf("%T", message), "panic", r, "stack", string(debug.Stack()))
		panic(r)
	}
}

func (g *guard) swallow(ctx actor.Context) {
	if r := recover(); r != nil {
		g.logger.Error("actor panicked while it stopped", "actor", ctx.Self().GetId(), "panic", r, "stack", string(debug.Stack()))
	}
}
