package raft

import (
	"math/rand/v2"
	"testing"
)

// The ring against a plain slice.
func TestInflights_AgainstAModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var f inflights
	var model []inflight
	next := Index(1)
	for range 20_000 {
		switch rng.IntN(3) {
		case 0, 1:
			if len(model) < 40 {
				next += Index(1 + rng.IntN(3))
				f.add(next, int(next)*3)
				model = append(model, inflight{next, int(next) * 3})
			}
		case 2:
			upTo := next - Index(rng.IntN(60))
			f.free(upTo)
			for len(model) > 0 && model[0].last <= upTo {
				model = model[1:]
			}
		}
		if rng.IntN(500) == 0 {
			f.reset()
			model = nil
		}
		bytes := 0
		for _, m := range model {
			bytes += m.bytes
		}
		if f.count != len(model) || f.bytes != bytes {
			t.Fatalf("%d messages of %d bytes are in flight; want %d of %d", f.count, f.bytes, len(model), bytes)
		}
	}
}

// What a follower answers moves its progress forward only, whatever comes late.
func TestProgress_NeverGoesBack(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for range 200 {
		p := progress{id: 2, next: 5}
		match := Index(0)
		for range 100 {
			switch i := Index(rng.IntN(30)); rng.IntN(3) {
			case 0:
				p.matched(i)
				match = max(match, i)
			case 1:
				if p.mayReject(i) {
					p.probeFrom(max(p.match+1, i))
				}
			case 2:
				p.sent(p.next+i, 10)
			}
			if p.match != match || p.next <= p.match {
				t.Fatalf("match %d next %d; %d was matched", p.match, p.next, match)
			}
		}
	}
}
