package actors

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A caller that gives up and an owner that answers race; whoever wins, the caller
// gets one answer, and a deadline that withdraws the command keeps it from being
// carried out.
func TestAWaiterIsAnsweredOnce(t *testing.T) {
	for range 2000 {
		w := newWaiter()
		ctx, cancel := context.WithCancel(context.Background())
		carriedOut := false
		var both sync.WaitGroup
		both.Go(cancel)
		both.Go(func() {
			if w.take() {
				carriedOut = true
				w.finish()
			}
		})
		mine, gaveUp := w.wait(ctx, 1)
		both.Wait()
		switch {
		case mine && !carriedOut:
			t.Fatal("answered, but not carried out")
		case !mine && !gaveUp.Indeterminate && carriedOut:
			t.Fatal("carried out, though the caller was told that it was withdrawn")
		}
	}
}

// A caller whose context has ended does not wait any longer, however often its request
// is taken and put back meanwhile.
func TestAWaitEndsWithItsContext(t *testing.T) {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	for range 5000 {
		w := newWaiter()
		w.take()
		owner := make(chan bool)
		go func() {
			owner <- true // it has begun
			limit := time.Now().Add(5 * time.Second)
			for w.putBack() && w.take() {
				if time.Now().After(limit) {
					w.finish()
					owner <- false
					return
				}
			}
			owner <- true
		}()
		<-owner
		w.wait(ended, 1)
		if !<-owner {
			t.Fatal("the caller waited for an answer though its context had ended")
		}
	}
}

// Two answers to one request are a broken invariant, which must not go unnoticed.
func TestASecondAnswerPanics(t *testing.T) {
	w := newWaiter()
	w.take()
	w.finish()
	defer func() {
		if recover() == nil {
			t.Error("a second answer went through")
		}
	}()
	w.finish()
}

// An inbox is first in, first out, whatever is taken, returned, swept and given up
// in between; its count of bytes is that of what waits.
func TestInboxAgainstAModel(t *testing.T) {
	limits := DefaultLimits()
	most := 20 + 3*commandOverhead // bytes of a batch
	rapid.Check(t, func(t *rapid.T) {
		b := newInbox(1, &limits, time.Now, func() {})
		var model, hand []*waiter
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				w := &waiter{command: make([]byte, rapid.IntRange(0, 9).Draw(t, "size"))}
				if err := b.pushProposals(w); err != nil {
					t.Fatal(err)
				}
				model = append(model, w)
			},
			"take": func(t *rapid.T) {
				n := rapid.IntRange(1, 5).Draw(t, "count")
				var expected []*waiter
				for size := 0; len(model) > 0 && len(expected) < n; model = model[1:] {
					if size += model[0].size(); size > most && len(expected) > 0 {
						break
					}
					if model[0].state.Load() == waiting {
						expected = append(expected, model[0])
					}
				}
				if got := b.takeProposals(n, most); !slices.Equal(got, expected) {
					t.Fatalf("took %d, expected %d, or in another order", len(got), len(expected))
				}
				hand = append(expected, hand...) // what is returned goes in front
			},
			"return": func(*rapid.T) {
				b.returnProposals(hand)
				model = append(hand, model...)
				hand = nil
			},
			"give up": func(t *rapid.T) {
				if len(model) > 0 {
					model[rapid.IntRange(0, len(model)-1).Draw(t, "who")].state.CompareAndSwap(waiting, gone)
				}
			},
			"sweep": func(*rapid.T) {
				odd := func(w *waiter) bool { return len(w.command)%2 == 1 }
				b.sweep(odd)
				model = slices.DeleteFunc(slices.Clone(model), odd)
			},
			"": func(t *rapid.T) {
				size := 0
				for _, w := range model {
					size += w.size()
				}
				if got := b.proposals.items[b.proposals.head:]; !slices.Equal(got, model) {
					t.Fatalf("the inbox holds %d, the model %d, or in another order", len(got), len(model))
				}
				if b.bytes != size {
					t.Fatalf("the inbox counts %d bytes, the model %d", b.bytes, size)
				}
			},
		})
	})
}
