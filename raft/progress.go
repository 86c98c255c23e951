package raft

// progressState is how a leader sends to one follower.
type progressState uint8

const (
	// probe: where the logs agree is being searched, one message at a time.
	probe progressState = iota
	// replicate: they agree; messages are sent optimistically, within the window.
	replicate
	// snapshot: the log no longer holds what the follower needs. A snapshot is being
	// sent, or will be asked for again; nothing else is sent but heartbeats.
	snapshot
)

// progress is what a leader knows of one other server.
//
// Always true: match < next <= last+1, and unless in snapshot the log holds next-1. match never goes back within a term,
// whatever arrives late, since the follower's durable log never does either.
type progress struct {
	id    NodeID
	state progressState
	match Index // the follower's durable log equals the leader's up to here
	next  Index // the next entry to send
	// paused, in probe: the question is out. Its answer, or the next heartbeat's,
	// ends that. In snapshot: it was asked for, and there is no report yet.
	paused bool
	wait   int // in snapshot: ticks until it may be asked for again
	// fetch is what was asked of the own log for this follower; First is zero when
	// nothing is.
	fetch     Fetch
	inflights inflights // in replicate

	silent     int    // ticks since anything was heard from it in this term
	round      uint64 // the newest heartbeat round that it answered
	commitSent Index  // the commit index that it would know if nothing were lost
	toldCommit Index  // a commit index that it was told in a round that it answered
	roundTold  Index  // what it was told in the newest round

	leaving int // ticks that a removed server is still sent to; zero for members

	// A learner's rounds (T4.2.1).
	roundTarget Index // all up to here ends the round; zero before the first
	roundTicks  int
	rounds      int  // that were slow, in a row
	close       bool // the last one was quick
	idle        int  // ticks since it came any closer
	idleMatch   Index

	// What the last check for losses saw (C39).
	checkedRound uint64
	checkedMatch Index
	checkedNext  Index
}

func (p *progress) fetching() bool { return p.fetch.First != 0 }

// room is how many bytes may be sent now; zero when the window is closed.
func (p *progress) room(cfg *Config) int {
	switch {
	case p.fetching() || p.state == snapshot || (p.state == probe && p.paused):
		return 0
	case p.state == probe:
		return cfg.MaxMessageBytes
	case p.inflights.count >= cfg.MaxInflightMessages:
		return 0
	default:
		return min(cfg.MaxMessageBytes, cfg.MaxInflightBytes-p.inflights.bytes)
	}
}

// sent notes an AppendEntries with entries up to last.
func (p *progress) sent(last Index, bytes int) {
	if p.state == probe {
		p.paused = true
		return
	}
	p.next = last + 1
	p.inflights.add(last, bytes)
}

// probeFrom starts the search again at next.
func (p *progress) probeFrom(next Index) {
	p.state, p.next, p.paused = probe, next, false
	p.inflights.reset()
}

// matched takes an index that the follower holds durably, and says whether that is
// news. A late answer moves nothing back.
func (p *progress) matched(index Index) bool {
	news := index > p.match
	p.match = max(p.match, index)
	p.inflights.free(p.match)
	if p.state == probe && index+1 >= p.next {
		p.state = replicate
	}
	p.next = max(p.next, p.match+1)
	return news
}

// stuck says whether something was already outstanding at the last check and
// nothing has been acknowledged since, and begins the next check.
func (p *progress) stuck(round uint64) bool {
	stuck := p.match == p.checkedMatch && p.checkedNext > p.match+1
	p.checkedRound, p.checkedMatch, p.checkedNext = round, p.match, p.next
	return stuck
}

func (p *progress) status(c *Core) ProgressStatus {
	s := ProgressStatus{
		ID:             p.id,
		State:          "probe",
		Match:          p.match,
		Next:           p.next,
		InflightCount:  p.inflights.count,
		InflightBytes:  p.inflights.bytes,
		RecentlyActive: p.silent < c.cfg.ElectionTicks,
		CaughtUp:       p.caughtUp(c),
	}
	switch {
	case p.fetching():
		s.State = "fetch"
	case p.state == replicate:
		s.State = "replicate"
	case p.state == snapshot:
		s.State = "snapshot"
	}
	return s
}
