package messages

import "errors"

// Errors of the decoders. Each says that what came in is not to be used; none
// says that this node is in trouble, except ErrCorruptFrame for a frame that was
// read from its own disk.
var (
	// ErrUnknownKind means that an envelope has no kind that this version knows: a
	// newer node sent it, or it is empty. Drop it, count it, go on.
	ErrUnknownKind = errors.New("messages: envelope of unknown kind")
	// ErrMalformed means that an envelope breaks a rule of its kind: an id is zero,
	// entries leave a gap, a term goes back.
	ErrMalformed = errors.New("messages: malformed envelope")
	// ErrTooLarge means that an envelope exceeds MaxEnvelopeBytes.
	ErrTooLarge = errors.New("messages: envelope exceeds MaxEnvelopeBytes")
	// ErrCorruptFrame means that a frame is cut off, damaged, or not one at all.
	ErrCorruptFrame = errors.New("messages: corrupt frame")
	// ErrUnknownEntry means that a frame is intact, but of an entry kind that this
	// version does not know. A server that cannot tell what an entry does must not
	// accept it.
	ErrUnknownEntry = errors.New("messages: frame of unknown entry kind")
)
