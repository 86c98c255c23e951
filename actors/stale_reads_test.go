package actors

import (
	"errors"
	"testing"
	"time"
)

// A read that may be stale is answered by the node that is asked, cut off or not, as long
// as what was confirmed to it is young enough; then it has to be confirmed anew, and fails
// where nobody can do that. The bound is never broken.
func TestAStaleReadKeepsItsBoundOnLag(t *testing.T) {
	c := newCluster(t, 3, nil)
	leader := c.leader()
	f := c.followers(leader)[0]
	c.put(leader, "x")
	long := ReadOptions{Consistency: Serializable, MaxLag: time.Hour}
	if v, err := f.group.ReadWith(t.Context(), "x", long); err != nil || v != 1 {
		t.Fatalf("nothing was confirmed to this node yet, and it reads %v, %v", v, err)
	}
	confirmed := time.Now()
	c.network.Isolate(f.id)
	c.put(leader, "x")
	if v, err := f.group.ReadWith(t.Context(), "x", long); err != nil || v != 1 {
		t.Errorf("within its bound, the node that is cut off reads %v, %v", v, err)
	}
	c.eventually(10, "time to pass", func() bool { return time.Since(confirmed) > c.timeout()/4 })
	_, err := f.group.ReadWith(t.Context(), "x", ReadOptions{Consistency: Serializable, MaxLag: c.timeout() / 4})
	want(t, err, ReasonNoLeader, false)
	c.network.HealAll()
	c.eventually(10, "answer", func() bool {
		v, err := f.group.ReadWith(t.Context(), "x", ReadOptions{Consistency: Serializable, MaxLag: time.Nanosecond})
		return err == nil && v == 2
	})
}

// The lag counts from when the question was asked, and not from when it was answered: what
// is acknowledged between the two need not be seen.
func TestTheLagCountsFromTheQuestion(t *testing.T) {
	s, o := newSimulation(1), newObserver(t)
	groups := s.cast(t, 3, o, nil)
	s.pass(5 * groups[0].cfg.ElectionTimeout())
	leader := groups[o.newestLeader()-1]
	asked, answered := s.Now(), false
	s.network.Isolate(leader.Node()) // the first round of heartbeats is lost
	w := newWaiter()
	w.query, w.then = "x", func(Result, error) { answered = true }
	if err := leader.server.pushRead(w); err != nil {
		t.Fatal(err)
	}
	s.pass(5 * time.Millisecond)
	s.network.HealAll()
	for s.Now().Before(asked.Add(leader.cfg.ElectionTimeout())) && !answered {
		s.pass(time.Millisecond)
	}
	last := leader.fresh.confirmed.Load()
	if !answered || s.Now().Equal(asked) || last == nil || !last.asked.Equal(asked) {
		t.Errorf("asked at %v, answered (%t) at %v, it has %+v", asked, answered, s.Now(), last)
	}
}

// Whoever knows the index of a write reads it anywhere; an index that nobody has
// committed is an error.
func TestAReadOfAnIndexSeesIt(t *testing.T) {
	c := newCluster(t, 3, nil)
	leader := c.leader()
	f := c.followers(leader)[0]
	c.put(leader, "x")
	c.agree()
	c.network.Isolate(f.id)
	r := c.put(leader, "x")
	sees := ReadOptions{Consistency: Serializable, MinIndex: r.Index}
	_, err := f.group.ReadWith(t.Context(), "x", sees)
	want(t, err, ReasonNoLeader, false)
	c.network.HealAll()
	c.eventually(10, "answer", func() bool {
		v, err := f.group.ReadWith(t.Context(), "x", sees)
		if err == nil && v != 2 {
			t.Fatalf("a read of entry %d has %v", r.Index, v)
		}
		return err == nil
	})
	sees.MinIndex = r.Index + 1000
	_, err = leader.group.ReadWith(t.Context(), "x", sees)
	if e := want(t, err, ReasonBehind, false); e.RetryAfter == 0 {
		t.Error("it does not say when to try again")
	}
}

func TestReadOptionsThatMakeNoSense(t *testing.T) {
	c := newCluster(t, 1, nil)
	n := c.leader()
	for _, o := range []ReadOptions{
		{Consistency: Serializable + 1}, {Consistency: Serializable, MaxLag: -1},
		{MaxLag: time.Second}, {MinIndex: 1},
	} {
		var e *Error
		if _, err := n.group.ReadWith(t.Context(), "x", o); !errors.As(err, &e) || e.Reason != ReasonRefused {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
