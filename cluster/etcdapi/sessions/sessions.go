package sessions

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/metadata"
)

// The names of the metadata.
const (
	SessionHeader  = "castaway-session"
	SequenceHeader = "castaway-sequence"
	TimeoutHeader  = "castaway-session-timeout"
	WindowHeader   = "castaway-session-window"
)

const (
	opening = "new"
	ending  = "end"
	ack     = "ack="
	first   = "first"
)

// ErrMalformed is in every error about metadata; its text quotes it.
var ErrMalformed = errors.New("malformed metadata of a session")

// Write names a write of a session.
type Write struct {
	Session  uint64
	Sequence uint64
	// Acknowledged is the lowest sequence number whose answer is still needed.
	Acknowledged uint64
	// First says that no attempt at this write was sent before.
	First bool
}

// Attach adds a write's name to what is sent with ctx.
func (w Write) Attach(ctx context.Context) context.Context {
	sequence := strconv.FormatUint(w.Sequence, 10) + ";" + ack + strconv.FormatUint(w.Acknowledged, 10)
	if w.First {
		sequence += ";" + first
	}
	return metadata.AppendToOutgoingContext(ctx, SessionHeader, strconv.FormatUint(w.Session, 10), SequenceHeader, sequence)
}

// Open makes a Range with ctx open a session, which GrantOf reads.
func Open(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, SessionHeader, opening)
}

// Use makes a Range with ctx a use of a session.
func Use(ctx context.Context, session uint64) context.Context {
	return metadata.AppendToOutgoingContext(ctx, SessionHeader, strconv.FormatUint(session, 10))
}

// End makes a Range with ctx end a session.
func End(ctx context.Context, session uint64) context.Context {
	return metadata.AppendToOutgoingContext(ctx, SessionHeader, strconv.FormatUint(session, 10)+";"+ending)
}

// Grant is what a session's client gets.
type Grant struct {
	Session uint64
	// Timeout is after how long without a use the session ends.
	Timeout time.Duration
	// Window is how far sequence numbers may be above the lowest that is outstanding.
	Window int
}

// Header is the response's metadata for a grant.
func (g Grant) Header() metadata.MD {
	return metadata.Pairs(
		SessionHeader, strconv.FormatUint(g.Session, 10),
		TimeoutHeader, g.Timeout.String(),
		WindowHeader, strconv.Itoa(g.Window))
}

// GrantOf reads a response's metadata. There is no grant if the server knows nothing of
// sessions.
func GrantOf(header metadata.MD) (Grant, bool) {
	var g Grant
	var errs [3]error
	g.Session, errs[0] = strconv.ParseUint(last(header, SessionHeader), 10, 64)
	g.Timeout, errs[1] = time.ParseDuration(last(header, TimeoutHeader))
	g.Window, errs[2] = strconv.Atoi(last(header, WindowHeader))
	return g, errors.Join(errs[:]...) == nil && g.Session > 0 && g.Timeout > 0 && g.Window > 0
}

func last(header metadata.MD, name string) string {
	if values := header.Get(name); len(values) > 0 {
		return values[len(values)-1]
	}
	return ""
}

// Request is what a request's metadata says.
type Request struct {
	Open bool
	End  bool
	// Write has the Session unless one is to be opened, and the rest for a write.
	Write
}

// None says that a request has nothing to do with sessions.
func (r Request) None() bool { return r == Request{} }

// RequestOf reads the metadata of a request that came in.
func RequestOf(ctx context.Context) (Request, error) {
	session := metadata.ValueFromIncomingContext(ctx, SessionHeader)
	sequence := metadata.ValueFromIncomingContext(ctx, SequenceHeader)
	if len(session) == 0 && len(sequence) == 0 {
		return Request{}, nil
	}
	if len(session) != 1 || len(sequence) > 1 {
		return Request{}, fmt.Errorf("%w: %d values of %s and %d of %s, but there must be one of each, or the first alone",
			ErrMalformed, len(session), SessionHeader, len(sequence), SequenceHeader)
	}
	r, err := parseSession(session[0])
	if err != nil || len(sequence) == 0 {
		return r, err
	}
	if r.Open || r.End {
		return Request{}, fmt.Errorf("%w: %s: %q with a %s, which only a session's writes have", ErrMalformed, SessionHeader, session[0], SequenceHeader)
	}
	return parseSequence(r, sequence[0])
}

func parseSession(value string) (Request, error) {
	if value == opening {
		return Request{Open: true}, nil
	}
	id, what, more := strings.Cut(value, ";")
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil || n == 0 || (more && what != ending) {
		return Request{}, fmt.Errorf("%w: %s: %q is neither %q, nor an id, nor one with %q behind it", ErrMalformed, SessionHeader, value, opening, ";"+ending)
	}
	return Request{End: more, Write: Write{Session: n}}, nil
}

func parseSequence(r Request, value string) (Request, error) {
	parts := strings.Split(value, ";")
	r.Acknowledged = 1
	var err error
	r.Sequence, err = strconv.ParseUint(parts[0], 10, 64)
	for _, part := range parts[1:] {
		switch {
		case strings.HasPrefix(part, ack) && err == nil:
			r.Acknowledged, err = strconv.ParseUint(part[len(ack):], 10, 64)
		case part == first:
			r.First = true
		default:
			err = ErrMalformed
		}
	}
	if err != nil || r.Acknowledged == 0 || r.Acknowledged > r.Sequence {
		return Request{}, fmt.Errorf("%w: %s: %q is not a number with %q and a number from 1 to it, and %q, behind it", ErrMalformed, SequenceHeader, value, ";"+ack, ";"+first)
	}
	return r, nil
}
