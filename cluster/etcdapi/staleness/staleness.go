package staleness

import (
	"context"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/metadata"
)

// Header is the metadata's name.
const Header = "castaway-max-lag"

// ErrMalformed is in every error about the metadata; its text quotes it.
var ErrMalformed = errors.New("malformed metadata of a read")

// Attach adds a bound to what is sent with ctx; zero is none.
func Attach(ctx context.Context, maxLag time.Duration) context.Context {
	if maxLag == 0 {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, Header, maxLag.String())
}

// Of reads the bound that came with ctx; zero if there is none. Errors are ErrMalformed.
func Of(ctx context.Context) (time.Duration, error) {
	given := metadata.ValueFromIncomingContext(ctx, Header)
	switch len(given) {
	case 0:
		return 0, nil
	case 1:
	default:
		return 0, fmt.Errorf("%w: %s is given %d times; give it once", ErrMalformed, Header, len(given))
	}
	lag, err := time.ParseDuration(given[0])
	if err != nil || lag <= 0 {
		return 0, fmt.Errorf("%w: %s is %q, and must be a duration of more than 0, such as 500ms", ErrMalformed, Header, given[0])
	}
	return lag, nil
}
