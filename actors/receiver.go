package actors

import (
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/asynkron/protoactor-go/actor"

	"castaway/messages"
	"castaway/persistence"
	"castaway/raft"
)

// receiver takes the snapshot that a leader sends, one at a time, and hands it to the
// server once it is whole, verified and published.
//
// Always true: it takes the bytes of one file in order, and answers every offer and
// every chunk with how far it is. It knows no terms but those of the offers: a leader of
// a later term goes before one of an earlier, and whether the leader still is one, the
// server decides when the snapshot is there.
type receiver struct {
	*board
	from     raft.NodeID
	term     raft.Term
	transfer uint64
	info     persistence.SnapshotInfo
	file     persistence.SnapshotReceiver // nil: nothing is being taken
	// published: the transfer has ended well, and is answered so.
	published bool
	trip      *passage
}

// maxSnapshotBytes bounds what an offer may say; the disk bounds what is taken.
const maxSnapshotBytes = 1 << 50

func newReceiver(b *board) *receiver { return &receiver{board: b} }

// Receive implements actor.Actor.
func (r *receiver) Receive(ctx actor.Context) {
	switch m := ctx.Message().(type) {
	case *messages.Envelope:
		if o := m.GetSnapshotOffer(); o != nil {
			r.offered(m, o)
		} else if c := m.GetSnapshotChunk(); c != nil {
			r.chunk(m, c)
		}
	case *actor.Stopping, *actor.Restarting:
		r.leave()
	}
}

// leave keeps what has come for another time.
func (r *receiver) leave() {
	r.trip.end(false)
	if r.file != nil {
		if err := r.file.Close(); err != nil {
			r.host.cfg.Logger.Warn("a part of a snapshot could not be closed", "node", r.host.cfg.ID, "group", r.cfg.Group, "error", err)
		}
		r.file = nil
	}
}

// offered begins a transfer, or says how far it is.
func (r *receiver) offered(e *messages.Envelope, o *messages.SnapshotOffer) {
	from, term := raft.NodeID(e.GetFrom()), raft.Term(e.GetTerm())
	if o.GetSize() == 0 || o.GetSize() > maxSnapshotBytes || o.GetLast().GetIndex() == 0 {
		r.refuse(e, o.GetTransfer(), fmt.Errorf("an offer of %d bytes up to entry %d makes no sense", o.GetSize(), o.GetLast().GetIndex()))
		return
	}
	if (r.file != nil || r.published) && term < r.term {
		return // of a leader whose successor is known here
	}
	if from != r.from || o.GetTransfer() != r.transfer || (r.file == nil && !r.published) {
		r.leave()
		r.from, r.term, r.transfer, r.published = from, term, o.GetTransfer(), false
		r.info = persistence.SnapshotInfo{Group: r.cfg.Group, Size: int64(o.GetSize()), Sum: o.GetSum(), Meta: raft.SnapshotMeta{
			Last: raft.Position{Term: raft.Term(o.GetLast().GetTerm()), Index: raft.Index(o.GetLast().GetIndex())},
		}}
		r.trip = r.snapshots.begin(received, r.host.cfg.Clock)
		if err := r.begin(e); err != nil {
			r.refuse(e, r.transfer, err)
			return
		}
	}
	r.answer(e, r.host.cfg.BulkContext)
}

// begin opens the file, which may be there already, in part or whole. One that is there
// and damaged is received anew.
func (r *receiver) begin(e *messages.Envelope) error {
	list, err := r.host.cfg.Snapshots.List(r.cfg.Group)
	if err != nil {
		return err
	}
	for i := range list {
		if !list[i].Same(&r.info) {
			continue
		}
		r.busy(e)
		switch err := r.host.cfg.Snapshots.Examine(list[i]); {
		case err == nil:
			r.arrived(e, list[i].Meta)
			return nil
		case errors.Is(err, persistence.ErrCorrupt):
			r.snapshots.damaged()
			r.host.cfg.Logger.Error("a snapshot is damaged; it is received anew", "node", r.host.cfg.ID, "group", r.cfg.Group,
				"snapshot", list[i].Meta.Last.String(), "error", err)
		case !errors.Is(err, persistence.ErrUnavailable):
			return err
		}
	}
	if r.file, err = r.host.cfg.Snapshots.Receive(r.info); err != nil {
		r.file = nil
		return err
	}
	if r.file.Offset() == r.info.Size {
		return r.publish(e)
	}
	return nil
}

// chunk takes the next bytes.
func (r *receiver) chunk(e *messages.Envelope, c *messages.SnapshotChunk) {
	if r.host.cfg.Bulk != nil {
		// The answer goes over the first network, which carries in any case; the second
		// one has to hear a word, or its connection is taken for stuck.
		r.reply(e, r.pids.bulk, &messages.SnapshotProgress{Transfer: c.GetTransfer()})
	}
	if raft.NodeID(e.GetFrom()) != r.from || c.GetTransfer() != r.transfer || (r.file == nil && !r.published) {
		r.reply(e, r.pids.transport, &messages.SnapshotProgress{Transfer: c.GetTransfer(), State: messages.SnapshotState_SNAPSHOT_STATE_UNKNOWN})
		return
	}
	if !r.published && int64(c.GetOffset()) == r.file.Offset() && crc32.Checksum(c.GetData(), castagnoli) == c.GetChecksum() {
		err := r.file.Write(r.file.Offset(), c.GetData())
		if err == nil {
			r.trip.chunk(len(c.GetData()))
		}
		if err == nil && r.file.Offset() == r.info.Size {
			err = r.publish(e)
		}
		if err != nil {
			r.refuse(e, r.transfer, err)
			return
		}
	}
	r.answer(e, nil)
}

// publish makes the snapshot there, and hands it to the server.
func (r *receiver) publish(e *messages.Envelope) error {
	r.busy(e)
	info, err := r.file.Publish()
	if err != nil {
		return err
	}
	r.file = nil
	r.arrived(e, info.Meta)
	return nil
}

// busy says that reading and syncing all of the file comes next, and no answer meanwhile.
func (r *receiver) busy(e *messages.Envelope) {
	r.reply(e, r.pids.transport, &messages.SnapshotProgress{
		Transfer: r.transfer, State: messages.SnapshotState_SNAPSHOT_STATE_PUBLISHING, Offset: uint64(r.info.Size),
	})
}

// arrived tells the server, before anyone else hears of it.
func (r *receiver) arrived(e *messages.Envelope, meta raft.SnapshotMeta) {
	r.published = true
	r.trip.end(true)
	r.send(r.pids.server, snapshotArrived{
		header: raft.Header{From: raft.NodeID(e.GetFrom()), To: r.host.cfg.ID, Term: raft.Term(e.GetTerm())}, meta: meta,
	})
}

// answer says how far the transfer is.
func (r *receiver) answer(e *messages.Envelope, bulk []byte) {
	p := &messages.SnapshotProgress{Transfer: r.transfer, State: messages.SnapshotState_SNAPSHOT_STATE_PUBLISHED, Offset: uint64(r.info.Size)}
	if !r.published {
		p.State, p.Offset, p.Bulk = messages.SnapshotState_SNAPSHOT_STATE_TAKING, uint64(r.file.Offset()), bulk
	}
	r.reply(e, r.pids.transport, p)
}

// refuse ends a transfer. What has come is kept, unless it is damaged: then the file
// itself has let go of it.
func (r *receiver) refuse(e *messages.Envelope, transfer uint64, err error) {
	level := r.host.cfg.Logger.Warn
	if errors.Is(err, persistence.ErrCorrupt) {
		level = r.host.cfg.Logger.Error
	}
	level("a snapshot is not taken; the leader will offer it again", "node", r.host.cfg.ID, "group", r.cfg.Group, "leader", e.GetFrom(), "error", err)
	if transfer == r.transfer {
		r.leave()
		r.published = false
	}
	r.reply(e, r.pids.transport, &messages.SnapshotProgress{
		Transfer: transfer, State: messages.SnapshotState_SNAPSHOT_STATE_REFUSED, Detail: brief(err),
		Damaged: errors.Is(err, persistence.ErrCorrupt),
	})
}

func (r *receiver) reply(e *messages.Envelope, way *actor.PID, p *messages.SnapshotProgress) {
	answer := r.envelope(raft.NodeID(e.GetFrom()))
	answer.Term = e.GetTerm()
	answer.Kind = &messages.Envelope_SnapshotProgress{SnapshotProgress: p}
	r.post(way, answer)
}
