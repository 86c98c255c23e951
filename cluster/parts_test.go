package cluster

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"castaway/cluster/config"
)

// nodeOf is a node of made-up parts; each notes when it stops.
func nodeOf(t *testing.T, stopped *[]string, names ...string) *Node {
	t.Helper()
	n := &Node{cfg: Config{Config: config.Default()}, log: slog.New(slog.DiscardHandler), failed: make(chan struct{}), done: make(chan struct{})}
	for _, name := range names {
		if err := n.add(part{name, func(context.Context) error { *stopped = append(*stopped, name); return nil }}); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func TestPartsStopInReverse(t *testing.T) {
	var stopped []string
	n := nodeOf(t, &stopped, "store", "host", "door")
	if err := n.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if want := []string{"door", "host", "store"}; !reflect.DeepEqual(stopped, want) {
		t.Errorf("they stopped as %v, want %v: each rests on those before it", stopped, want)
	}
}

func TestAPartThatHangsOrPanicsKeepsNobodyFromStopping(t *testing.T) {
	var stopped []string
	n := nodeOf(t, &stopped, "store")
	hanging := make(chan struct{})
	defer close(hanging)
	parts := []part{
		{"stubborn", func(context.Context) error { <-hanging; return nil }},
		{"broken", func(context.Context) error { panic("a bug in a stop") }},
	}
	for _, p := range parts {
		if err := n.add(p); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := n.Stop(ctx)
	if err == nil || !reflect.DeepEqual(stopped, []string{"store"}) {
		t.Errorf("stopped %v with %v; want the store stopped, and an error", stopped, err)
	}
}

func TestTheReasonThatANodeEndsIsTheFirstOne(t *testing.T) {
	var stopped []string
	n := nodeOf(t, &stopped, "store")
	first := errors.New("the disk is gone")
	n.fail(first)
	<-n.Done()
	n.fail(errors.New("and the group, too"))
	if err := n.Stop(t.Context()); !errors.Is(err, first) || len(stopped) != 1 {
		t.Errorf("it ended with %v and stopped %v, want %v and one stop", err, stopped, first)
	}
}

func TestAPartThatComesUpWhileTheNodeEndsIsStopped(t *testing.T) {
	var stopped []string
	n := nodeOf(t, &stopped, "store")
	cause := errors.New("the log is corrupt")
	n.fail(cause)
	<-n.Done()
	err := n.add(part{"door", func(context.Context) error { stopped = append(stopped, "door"); return nil }})
	if want := []string{"store", "door"}; !errors.Is(err, cause) || !reflect.DeepEqual(stopped, want) {
		t.Errorf("got %v and stops of %v, want %v and %v", err, stopped, cause, want)
	}
}
