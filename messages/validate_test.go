package messages

import (
	"errors"
	"testing"

	"castaway/raft"
)

func TestMalformedEnvelopesAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		kind   Kind
		change func(*Envelope)
		want   error
	}{
		"no kind":              {KindHeartbeat, func(e *Envelope) { e.Kind = nil }, ErrUnknownKind},
		"no sender":            {KindHeartbeat, func(e *Envelope) { e.From = 0 }, ErrMalformed},
		"no receiver":          {KindHeartbeat, func(e *Envelope) { e.To = 0 }, ErrMalformed},
		"to itself":            {KindHeartbeat, func(e *Envelope) { e.To = e.From }, ErrMalformed},
		"no group":             {KindHeartbeat, func(e *Envelope) { e.Group = 0 }, ErrMalformed},
		"forwarded, no group":  {KindForwardRead, func(e *Envelope) { e.Group = 0 }, ErrMalformed},
		"probe without sender": {KindProbe, func(e *Envelope) { e.From = 0 }, ErrMalformed},
		"too large": {KindForwardProposals, func(e *Envelope) {
			e.GetForwardProposals().Proposals[0].Command = make([]byte, MaxEnvelopeBytes)
		}, ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			e := envelopeSamples()[c.kind]
			c.change(e)
			if m, err := FromEnvelope(e); m != nil || !errors.Is(err, c.want) {
				t.Errorf("got %v, %v; want %v", m, err, c.want)
			}
		})
	}
	if _, err := FromEnvelope(nil); !errors.Is(err, ErrUnknownKind) {
		t.Errorf("no envelope at all: %v", err)
	}
}

// A probe is between transports and belongs to no group.
func TestAProbeNeedsNoGroup(t *testing.T) {
	if err := Validate(envelopeSamples()[KindProbe]); err != nil {
		t.Error(err)
	}
}

// The sender promises entries without a gap after Previous, in terms that never
// go back and that it has reached itself (T3.5). Frames that are intact one by
// one may still break that.
func TestEntriesThatBreakTheLogsOrderAreRefused(t *testing.T) {
	previous := raft.Position{Term: 6, Index: 299}
	first := sealed(previous, 7, "one")
	for name, entries := range map[string][]raft.Entry{
		"a gap after previous":         sealed(raft.Position{Index: 300}, 7, "x"),
		"previous itself again":        sealed(raft.Position{Index: 298}, 7, "x"),
		"a gap between entries":        append(first[:1:1], sealed(raft.Position{Index: 301}, 7, "x")...),
		"the same entry twice":         append(first[:1:1], first...),
		"a term before previous":       sealed(previous, 5, "x"),
		"a term that goes back":        append(first[:1:1], sealed(raft.Position{Index: 300}, 6, "x")...),
		"a term above the sender's":    sealed(previous, 8, "x"),
		"the last index that there is": sealed(raft.Position{Index: ^raft.Index(0) - 1}, 7, "x"),
	} {
		m := &raft.AppendEntries{Header: raft.Header{From: 1, To: 2, Term: 7}, Previous: previous, Entries: entries}
		if _, err := FromEnvelope(ToEnvelope(sampleCluster, 3, m)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDamageInsideAppendEntriesIsRefused(t *testing.T) {
	intact := envelopeSamples()[KindAppendEntries].GetAppendEntries().GetEntries()
	for name, c := range map[string]struct {
		packed []byte
		want   error
	}{
		"a flipped bit":                   {flip(intact, len(intact)-1), ErrCorruptFrame},
		"cut off":                         {intact[:len(intact)-1], ErrMalformed},
		"a length without its frame":      {[]byte{20}, ErrMalformed},
		"an empty frame":                  {[]byte{0}, ErrMalformed},
		"a length of 2^63":                {[]byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01}, ErrMalformed},
		"a length in more bytes than due": {append([]byte{0x80 | 7, 0}, make([]byte, 7)...), ErrMalformed},
	} {
		e := envelopeSamples()[KindAppendEntries]
		e.GetAppendEntries().Entries = c.packed
		if m, err := FromEnvelope(e); m != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v; want %v", name, m, err, c.want)
		}
	}
}

func flip(b []byte, at int) []byte {
	out := append([]byte(nil), b...)
	out[at] ^= 1
	return out
}

// The largest entry that a node may allow fits, with everything that is around it.
func TestTheLargestEntryFitsAnEnvelope(t *testing.T) {
	command := make([]byte, MaxEntryBytes)
	m := &raft.AppendEntries{
		Header:   raft.Header{From: ^raft.NodeID(0), To: 2, Term: ^raft.Term(0)},
		Previous: raft.Position{Term: 1 << 62, Index: 1 << 62},
		Commit:   ^raft.Index(0),
		Entries:  sealed(raft.Position{Index: 1 << 62}, 1<<63, string(command)),
	}
	if _, err := FromEnvelope(ToEnvelope(^uint64(0), ^raft.GroupID(0), m)); err != nil {
		t.Error(err)
	}
	// On its way to the leader, it may have others of as much in its batch.
	e := envelopeSamples()[KindForwardProposals]
	proposals := []*ForwardedProposal{{Id: ^uint64(0), Command: command}}
	for range 4096 {
		proposals = append(proposals, &ForwardedProposal{Id: ^uint64(0), Command: command[:MaxEntryBytes/4096-32]})
	}
	e.GetForwardProposals().Proposals = proposals
	if err := Validate(e); err != nil {
		t.Error(err)
	}
}
