package actors

import (
	"castaway/messages"
)

// lane says what may come in over one of a host's networks. Where there are two, what is
// large and what is urgent stay apart, also if another node would have it otherwise.
type lane int

const (
	// onlyLane is a network that has no other beside it.
	onlyLane lane = iota
	// firstLane has a second network beside it: chunks that could come there may not come
	// here.
	firstLane
	// bulkLane is the second network: nothing but what the transfer of a snapshot needs.
	bulkLane
)

// admits says whether an envelope may come in.
func (l lane) admits(e *messages.Envelope) bool {
	kind := messages.KindOf(e)
	switch l {
	case firstLane:
		return kind != messages.KindSnapshotChunk || e.GetSnapshotChunk().GetFirstNetwork()
	case bulkLane:
		// Progress is the receiver's word that the connection carries.
		return kind == messages.KindSnapshotChunk || kind == messages.KindSnapshotProgress || kind == messages.KindProbe
	default:
		return true
	}
}
