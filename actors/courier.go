package actors

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/messages"
	"castaway/persistence"
	"castaway/raft"
)

// castagnoli is the polynomial of the chunks' checksums.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// courier carries snapshots to one other node, one at a time: it offers the newest
// published one, and sends it in chunks from where the receiver says that it has come,
// no more than a window beyond what the receiver has acknowledged.
//
// Always true: whoever asked gets one snapshotReported, also if the courier panics
// meanwhile: the errand is on the board, and the next instance takes it up where the
// receiver is. While a file is being sent it is pinned.
type courier struct {
	*board
	to   raft.NodeID
	self *actor.PID

	errand *sendSnapshot // nil: nothing to do
	info   persistence.SnapshotInfo
	done   func() // lets go of the file and of the host's slot
	trip   *passage

	transfer uint64     // names this attempt
	answered bool       // the offer was: chunks may go
	way      *actor.PID // the transport that chunks go through
	plain    bool       // the second network does not carry: chunks go over the first
	next     int64      // the offset of the next chunk
	acked    int64      // the receiver has everything before
	rewound  int64      // where the courier last went back to, or -1
	quietFor int        // looks without progress
	// publishing: the follower has everything, and answers nothing until it has published
	// it; asked: it was offered again meanwhile, for the case that it forgot.
	publishing, asked bool

	chunk []byte

	look  Timer // at intervals, while there is an errand
	later Timer // when the throttle lets go
}

// The courier's messages to itself.
type (
	courierLook  struct{ of *courier }
	courierLater struct{ of *courier }
	// abandonSnapshots tells couriers that their server leads no longer.
	abandonSnapshots struct{ quiet }
)

// IgnoreDeadLetterLogging implements protoactor's marker.
func (courierLook) IgnoreDeadLetterLogging() {}

// IgnoreDeadLetterLogging implements protoactor's marker.
func (courierLater) IgnoreDeadLetterLogging() {}

// Looks without progress: after so many the courier goes back to what is acknowledged,
// and after so many it gives up, for the server to ask again once it hears the follower.
const (
	courierRepeats = 2
	courierGivesUp = 30
)

func newCourier(b *board, to raft.NodeID) *courier { return &courier{board: b, to: to} }

// Receive implements actor.Actor.
func (c *courier) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *actor.Started:
		c.self = ctx.Self()
		if e := c.errands.of(c.to); e != nil {
			c.begin(e)
		}
	case *sendSnapshot:
		if c.errands.of(c.to) == m && c.errand != m {
			c.begin(m)
		}
	case abandonSnapshots:
		c.end()
	case *messages.Envelope:
		if p := m.GetSnapshotProgress(); p != nil && c.errand != nil && p.GetTransfer() == c.transfer {
			c.heard(p)
		}
	case courierLook:
		if m.of == c && c.errand != nil {
			c.lookAgain()
		}
	case courierLater:
		if m.of == c && c.errand != nil {
			c.pump()
		}
	case *actor.Stopping, *actor.Restarting:
		c.letGo()
	}
}

// begin takes an errand in place of the one before, if there is one.
func (c *courier) begin(e *sendSnapshot) {
	c.end()
	c.errand = e
	info, err := c.newest(e)
	if err == nil && !c.host.sending.take(c.host.cfg.Transfer.MaxConcurrent) {
		err = fmt.Errorf("HostConfig.Transfer.MaxConcurrent is %d, and as many are being sent", c.host.cfg.Transfer.MaxConcurrent)
	}
	if err != nil {
		c.report(raft.Position{}, err)
		return
	}
	release := c.host.cfg.Snapshots.Pin(info)
	c.done = func() { release(); c.host.sending.give() }
	c.info, c.quietFor, c.plain = info, 0, false
	c.trip = c.snapshots.begin(sent, c.host.cfg.Clock)
	c.errands.carries(e, info.Meta.Last.Index)
	c.chunk = make([]byte, c.host.cfg.Transfer.ChunkBytes)
	c.offerAnew()
	c.watch()
}

// newest is the newest published snapshot, which must reach to what the follower needs.
func (c *courier) newest(e *sendSnapshot) (persistence.SnapshotInfo, error) {
	list, err := c.host.cfg.Snapshots.List(c.cfg.Group)
	if err != nil {
		return persistence.SnapshotInfo{}, err
	}
	if n := len(list); n > 0 && list[n-1].Meta.Last.Index+1 >= e.next {
		return list[n-1], nil
	}
	c.send(c.pids.machine, takeSnapshot{})
	return persistence.SnapshotInfo{}, fmt.Errorf("there is no snapshot yet that ends at entry %d or later", e.next-1)
}

// doubt looks at a file that was not taken, or could not be read. If that is the file's
// fault, or the disk's, the machine is asked for another one; a damaged one is never
// offered again.
func (c *courier) doubt(err error) error {
	bad := c.host.cfg.Snapshots.Examine(c.info)
	if bad == nil || errors.Is(bad, persistence.ErrUnavailable) {
		return err
	}
	if errors.Is(bad, persistence.ErrCorrupt) {
		c.snapshots.damaged()
	}
	c.host.cfg.Logger.Error("a snapshot is damaged or cannot be read; another one is taken", "node", c.host.cfg.ID, "group", c.cfg.Group,
		"snapshot", c.info.Meta.Last.String(), "error", bad)
	c.send(c.pids.machine, takeSnapshot{})
	return errors.Join(err, bad)
}

// offerAnew begins an attempt that no older answer can be taken for.
func (c *courier) offerAnew() {
	c.transfer = c.wireLife(c.nextLife())
	c.answered, c.next, c.acked, c.rewound = false, 0, 0, -1
	c.publishing, c.asked = false, false
	c.offer()
}

func (c *courier) offer() {
	last, e := c.info.Meta.Last, c.envelope(c.to)
	e.Term = uint64(c.errand.term)
	e.Kind = &messages.Envelope_SnapshotOffer{SnapshotOffer: &messages.SnapshotOffer{
		Transfer: c.transfer, Size: uint64(c.info.Size), Sum: c.info.Sum,
		Last: &messages.Position{Term: uint64(last.Term), Index: uint64(last.Index)},
	}}
	c.post(c.pids.transport, e)
}

// watch looks at the errand again after an interval of heartbeats.
func (c *courier) watch() {
	c.look = c.host.cfg.Clock.AfterFunc(c.cfg.heartbeat(), func() { c.send(c.self, courierLook{c}) })
}

// lookAgain repeats what seems lost, and gives up in the end.
func (c *courier) lookAgain() {
	if c.answered && c.next == c.acked && c.next < c.info.Size {
		c.quietFor = 0 // it waits for the throttle, not for the receiver
	}
	c.quietFor++
	switch {
	case c.publishing:
		c.awaitPublished()
	case c.quietFor >= courierGivesUp:
		c.report(raft.Position{}, errors.New("the follower does not answer"))
	case !c.answered:
		c.offer()
	case c.quietFor%courierRepeats == 0 && c.quietFor >= 2*courierRepeats:
		c.plain = true
		c.offerAnew()
	case c.quietFor%courierRepeats == 0:
		c.next = c.acked
		c.pump()
	}
	if c.errand != nil {
		c.watch()
	}
}

// awaitPublished gives the follower its time. It asks now and then, since a receiver that
// was made anew meanwhile knows nothing of this transfer.
func (c *courier) awaitPublished() {
	most := c.host.cfg.Transfer.PublishTicks
	switch {
	case c.quietFor*c.cfg.HeartbeatTicks >= most:
		c.report(raft.Position{}, fmt.Errorf("the follower has not published it in %d ticks; if its disk takes longer for %d bytes, raise HostConfig.Transfer.PublishTicks", most, c.info.Size))
	case c.quietFor%courierGivesUp == 0:
		c.asked = true
		c.offer()
	}
}

// heard takes an answer of the receiver's.
func (c *courier) heard(p *messages.SnapshotProgress) {
	switch p.GetState() {
	case messages.SnapshotState_SNAPSHOT_STATE_TAKING:
		if offset := int64(p.GetOffset()); c.publishing && c.asked {
			c.offerAnew() // it has lost some of what it had
		} else if !c.publishing && offset >= 0 && offset <= c.info.Size {
			c.progress(offset, p.GetBulk())
		}
	case messages.SnapshotState_SNAPSHOT_STATE_PUBLISHING:
		c.publishing, c.asked, c.quietFor = true, false, 0
	case messages.SnapshotState_SNAPSHOT_STATE_PUBLISHED:
		c.report(c.info.Meta.Last, nil)
	case messages.SnapshotState_SNAPSHOT_STATE_REFUSED:
		err := fmt.Errorf("the follower refuses it: %s", p.GetDetail())
		if p.GetDamaged() {
			err = c.doubt(err)
		}
		c.report(raft.Position{}, err)
	case messages.SnapshotState_SNAPSHOT_STATE_UNKNOWN:
		c.offerAnew()
	default:
	}
}

// progress takes note of how far the receiver is. An offset that is heard twice means
// that what follows it was lost: the courier goes back, once.
func (c *courier) progress(offset int64, bulk []byte) {
	switch {
	case !c.answered:
		c.answered, c.next, c.acked, c.quietFor = true, offset, offset, 0
		c.way = c.pids.transport
		if len(bulk) > 0 && c.host.cfg.Bulk != nil && !c.plain {
			c.way = c.pids.bulk
			c.send(c.way, groupMembers{Group: c.cfg.Group, Members: c.host.bulk.note(raft.Member{ID: c.to, Context: bulk})})
		}
	case offset > c.acked:
		c.acked, c.quietFor = offset, 0
		c.next = max(c.next, offset)
	case offset == c.acked && c.next > c.acked && c.rewound != c.acked:
		c.next, c.rewound = c.acked, c.acked
	}
	c.pump()
}

// pump sends what the window and the throttle allow.
func (c *courier) pump() {
	limits := &c.host.cfg.Transfer
	for c.answered && c.next < c.info.Size {
		n := min(int64(len(c.chunk)), c.info.Size-c.next)
		if c.next > c.acked && c.next+n-c.acked > int64(limits.WindowBytes) {
			return
		}
		if wait := c.host.throttle.take(c.host.cfg.Clock.Now(), n); wait > 0 {
			if c.later != nil {
				c.later.Stop()
			}
			c.later = c.host.cfg.Clock.AfterFunc(wait, func() { c.send(c.self, courierLater{c}) })
			return
		}
		if _, err := c.host.cfg.Snapshots.Read(c.info, c.next, c.chunk[:n]); err != nil && !errors.Is(err, io.EOF) {
			c.report(raft.Position{}, c.doubt(err))
			return
		}
		data := append([]byte(nil), c.chunk[:n]...)
		e := c.envelope(c.to)
		e.Term = uint64(c.errand.term)
		e.Kind = &messages.Envelope_SnapshotChunk{SnapshotChunk: &messages.SnapshotChunk{
			Transfer: c.transfer, Offset: uint64(c.next), Data: data, Checksum: crc32.Checksum(data, castagnoli),
			FirstNetwork: c.way == c.pids.transport,
		}}
		c.post(c.way, e)
		c.trip.chunk(len(data))
		c.next += n
	}
}

// report ends the errand and says how it went.
func (c *courier) report(last raft.Position, err error) {
	e := c.errand
	c.trip.end(err == nil)
	if err != nil {
		c.host.cfg.Logger.Warn("a snapshot could not be sent; it will be tried again while this node leads and hears the follower",
			"node", c.host.cfg.ID, "group", c.cfg.Group, "follower", c.to, "error", err)
	}
	c.send(c.pids.server, snapshotReported{to: e.to, term: e.term, last: last, ok: err == nil})
	c.end()
}

// end forgets the errand.
func (c *courier) end() {
	c.letGo()
	c.errands.end(c.to, c.errand)
	c.errand = nil
}

// letGo gives back what the errand holds.
func (c *courier) letGo() {
	for _, t := range []Timer{c.look, c.later} {
		if t != nil {
			t.Stop()
		}
	}
	c.trip.end(false)
	if c.done != nil {
		c.done()
		c.done = nil
	}
}
