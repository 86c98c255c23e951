package actors

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"castaway/raft"
)

// load is closed-loop clients on every node, each command its own. It keeps what
// they were told, to be compared with what happened.
type load struct {
	c       *cluster
	stop    chan struct{}
	clients sync.WaitGroup

	mu   sync.Mutex
	told map[string]Outcome
}

// begin starts this many clients on each node.
func (c *cluster) begin(clients int) *load {
	l := &load{c: c, stop: make(chan struct{}), told: make(map[string]Outcome)}
	for _, id := range c.ids {
		for i := range clients {
			l.clients.Go(func() { l.client(c.nodes[id].group, fmt.Sprintf("%d/%d", id, i)) })
		}
	}
	return l
}

func (l *load) client(g *Group, name string) {
	for i := 0; ; i++ {
		select {
		case <-l.stop:
			return
		default:
		}
		command := fmt.Sprintf("%s/%d", name, i)
		ctx, cancel := context.WithTimeout(context.Background(), 3*l.c.timeout())
		r, err := g.Propose(ctx, []byte(command))
		cancel()
		l.mu.Lock()
		l.told[command] = Outcome{Result: r, Err: err}
		l.mu.Unlock()
		var e *Error
		if errors.As(err, &e) && e.RetryAfter > 0 {
			<-time.After(l.c.timeout() / 20) // what a client does: back off
		}
	}
}

func (l *load) done() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, o := range l.told {
		if o.Err == nil {
			n++
		}
	}
	return n
}

// end stops the clients, waits for the machines to agree, and compares: what was
// acknowledged is where the answer said, and what was said not to be done is
// nowhere.
func (l *load) end() {
	t := l.c.t
	t.Helper()
	close(l.stop)
	l.clients.Wait()
	l.c.put(l.c.nodes[l.c.ids[0]], "the end")
	l.c.agree()
	l.c.observer.compare(t, l.told)
}

// compare holds what clients were told against what was applied.
func (o *observer) compare(t testing.TB, told map[string]Outcome) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	where := make(map[string][]raft.Index)
	for index, command := range o.entries {
		where[command] = append(where[command], index)
	}
	counts := map[string]int{}
	for command, outcome := range told {
		at := where[command]
		var e *Error
		switch {
		case outcome.Err == nil:
			counts["done"]++
			if len(at) != 1 || at[0] != outcome.Result.Index {
				t.Errorf("%q was acknowledged at %d, but is at %v", command, outcome.Result.Index, at)
			}
		case !errors.As(outcome.Err, &e):
			t.Errorf("%q failed with %v, which is no *Error", command, outcome.Err)
		case errors.Is(outcome.Err, ErrIndeterminate):
			counts[fmt.Sprintf("indeterminate(%d)", e.Reason)]++
			if len(at) > 1 {
				t.Errorf("%q was applied more than once, at %v", command, at)
			}
		default:
			counts[fmt.Sprintf("not done(%d)", e.Reason)]++
			if len(at) != 0 {
				t.Errorf("%q was said not to be done (%v), but is at %v", command, outcome.Err, at)
			}
		}
	}
	t.Logf("outcomes: %v", counts)
}

// commitsAgain waits until the load got this many more answers, for at most 10 T.
func (l *load) commitsAgain(more int) {
	l.c.t.Helper()
	before := l.done()
	l.c.eventually(10, "commit after the fault", func() bool { return l.done() >= before+more })
}

func anyActor(t *testing.T, run func(t *testing.T, name string)) {
	for _, name := range []string{"server", "log", "machine", "transport", "group", "host"} {
		t.Run(name, func(t *testing.T) { run(t, name) })
	}
}
