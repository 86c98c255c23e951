package client

import (
	"fmt"
	"time"
)

// Defaults of RetryPolicy.
const (
	DefaultMinBackoff     = 20 * time.Millisecond
	DefaultMaxBackoff     = time.Second
	DefaultAttemptTimeout = 3 * time.Second
)

// RetryPolicy says how failed attempts are repeated. Its zero value has defaults.
type RetryPolicy struct {
	// MinBackoff is the pause after the first failure; it doubles with each further
	// one, up to MaxBackoff. Half of each pause is left to chance.
	MinBackoff time.Duration
	MaxBackoff time.Duration
	// AttemptTimeout bounds one attempt of a request that may be repeated whatever
	// becomes of the attempt, so that a server that hangs is left behind. Writes
	// without a session, and without RetryIndeterminate, have all the time of their
	// context.
	AttemptTimeout time.Duration
	// MaxAttempts bounds the attempts. Zero is no bound but the context.
	MaxAttempts int
}

func (p *RetryPolicy) complete() error {
	setDefault(&p.MinBackoff, DefaultMinBackoff)
	setDefault(&p.MaxBackoff, max(DefaultMaxBackoff, p.MinBackoff))
	setDefault(&p.AttemptTimeout, DefaultAttemptTimeout)
	switch {
	case p.MinBackoff < 0:
		return fmt.Errorf("%w: Retry.MinBackoff is %v, but must be more than 0", ErrOptions, p.MinBackoff)
	case p.MaxBackoff < p.MinBackoff:
		return fmt.Errorf("%w: Retry.MaxBackoff is %v, but must be at least MinBackoff = %v", ErrOptions, p.MaxBackoff, p.MinBackoff)
	case p.AttemptTimeout < 0:
		return fmt.Errorf("%w: Retry.AttemptTimeout is %v, but must be more than 0", ErrOptions, p.AttemptTimeout)
	case p.MaxAttempts < 0:
		return fmt.Errorf("%w: Retry.MaxAttempts is %d, but must be at least 0", ErrOptions, p.MaxAttempts)
	}
	return nil
}

// pause is how long to wait after so many failures: between half of the backoff and
// all of it, and no less than the server asks for. chance is in [0, 1).
func (p *RetryPolicy) pause(failures int, asked time.Duration, chance float64) time.Duration {
	backoff := p.MinBackoff
	for i := 1; i < failures && backoff < p.MaxBackoff; i++ {
		backoff *= 2
	}
	backoff = min(backoff, p.MaxBackoff)
	pause := backoff/2 + time.Duration(chance*float64(backoff/2))
	return max(pause, asked)
}
