package raft

import (
	"errors"
	"fmt"
)

// Errors of New.
var (
	// ErrConfig means that a field of Config has a value that cannot work.
	ErrConfig = errors.New("raft: invalid Config")
	// ErrRestored means that what was found on disk contradicts itself. Such a
	// server must not start: it could break a promise that it once made.
	ErrRestored = errors.New("raft: invalid Restored")
)

func badConfig(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrConfig, fmt.Sprintf(format, args...))
}

func badRestored(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrRestored, fmt.Sprintf(format, args...))
}

func (cfg *Config) validate() error {
	if cfg.ID == None {
		return badConfig("ID must not be zero")
	}
	if cfg.Random == nil {
		return badConfig("Random must be set")
	}
	for _, f := range []struct {
		name  string
		value int
		least int
	}{
		{"HeartbeatTicks", cfg.HeartbeatTicks, 1},
		{"ElectionTicks", cfg.ElectionTicks, 3},
		{"MaxMessageBytes", cfg.MaxMessageBytes, 1},
		{"MaxInflightMessages", cfg.MaxInflightMessages, 1},
		{"MaxInflightBytes", cfg.MaxInflightBytes, 1},
		{"MaxEntryBytes", cfg.MaxEntryBytes, 1},
		{"MaxUncommittedBytes", cfg.MaxUncommittedBytes, 1},
		{"MaxPendingReads", cfg.MaxPendingReads, 1},
		{"CacheBytes", cfg.CacheBytes, 0},
		{"CatchUpRounds", cfg.CatchUpRounds, 0},
		{"CatchUpTicks", cfg.CatchUpTicks, 0},
	} {
		if f.value < f.least {
			return badConfig("%s is %d, and must be at least %d", f.name, f.value, f.least)
		}
	}
	switch {
	case cfg.ElectionTicks/3 < cfg.HeartbeatTicks:
		return badConfig("ElectionTicks is %d, and must be at least three times HeartbeatTicks, which is %d",
			cfg.ElectionTicks, cfg.HeartbeatTicks)
	case cfg.CatchUpTicks > 0 && cfg.CatchUpTicks < cfg.ElectionTicks:
		return badConfig("CatchUpTicks is %d, and must be 0 or at least ElectionTicks, which is %d", cfg.CatchUpTicks, cfg.ElectionTicks)
	case cfg.LeaseNanos > 0 && cfg.LeaseNanos >= cfg.PromiseNanos:
		return badConfig("LeaseNanos is %d, and must be less than PromiseNanos, which is %d", cfg.LeaseNanos, cfg.PromiseNanos)
	case cfg.MaxInflightBytes < cfg.MaxMessageBytes:
		return badConfig("MaxInflightBytes is %d, and must be at least MaxMessageBytes, which is %d",
			cfg.MaxInflightBytes, cfg.MaxMessageBytes)
	case cfg.MaxUncommittedBytes-entryOverhead < cfg.MaxEntryBytes:
		return badConfig("MaxUncommittedBytes is %d, and must be at least MaxEntryBytes, which is %d, and %d more",
			cfg.MaxUncommittedBytes, cfg.MaxEntryBytes, entryOverhead)
	}
	return nil
}

// validate gives the log's configurations, unless something is wrong.
func (r *Restored) validate() (configurationTable, error) {
	base := r.Snapshot.Last
	switch {
	case !base.valid(maxTerm - 1):
		return nil, badRestored("Snapshot.Last %v is not a position", base)
	case r.Last < base.Index || r.Last >= maxIndex:
		return nil, badRestored("Last is %d, and must not be before Snapshot.Last %v", r.Last, base)
	case r.Applied != 0 && (r.Applied < base.Index || r.Applied > r.Last):
		return nil, badRestored("Applied is %d, and must lie between Snapshot.Last %v and Last %d", r.Applied, base, r.Last)
	case r.HardState.Term >= maxTerm:
		return nil, badRestored("HardState.Term is %d", r.HardState.Term)
	case r.HardState.Term == 0 && r.HardState.Vote != None:
		return nil, badRestored("HardState has a vote for %d in no term", r.HardState.Vote)
	}
	if err := r.validateTerms(); err != nil {
		return nil, err
	}
	if err := r.validateTail(); err != nil {
		return nil, err
	}
	return r.validateConfigurations()
}

// validateTerms looks at the term table. The last term must not be above the hard
// state's, which was written no later than that term's entries (rule 1).
func (r *Restored) validateTerms() error {
	base := r.Snapshot.Last
	before := TermStart{Term: base.Term, Index: base.Index}
	for i, t := range r.Terms {
		switch {
		case i == 0 && t.Index != base.Index+1:
			return badRestored("Terms starts at %d, and must at %d", t.Index, base.Index+1)
		case t.Index <= before.Index || t.Index > r.Last:
			return badRestored("Terms has index %d after %d, in a log that ends at %d", t.Index, before.Index, r.Last)
		case t.Term == 0 || t.Term < before.Term:
			return badRestored("Terms has term %d at index %d, after term %d", t.Term, t.Index, before.Term)
		}
		before = t
	}
	if len(r.Terms) == 0 && r.Last > base.Index {
		return badRestored("Terms is empty, and the log goes from %d to %d", base.Index+1, r.Last)
	}
	if before.Term > r.HardState.Term {
		return badRestored("the log's last term is %d, and HardState.Term is %d: the hard state is older than the log",
			before.Term, r.HardState.Term)
	}
	return nil
}

func (r *Restored) validateTail() error {
	n := Index(len(r.Tail))
	if n > r.Last-r.Snapshot.Last.Index {
		return badRestored("Tail has %d entries, the log only %d", n, r.Last-r.Snapshot.Last.Index)
	}
	log := restoredLog(*r)
	for i := range r.Tail {
		e := &r.Tail[i]
		at := Position{e.Term, e.Index}
		if e.Index != r.Last-n+1+Index(i) || !log.holds(at) {
			return badRestored("Tail has %v at place %d of %d, in a log that ends at %d", at, i+1, n, r.Last)
		}
	}
	return nil
}

func (r *Restored) validateConfigurations() (configurationTable, error) {
	if err := r.Snapshot.Configuration.Validate(); err != nil && !r.Snapshot.Configuration.empty() {
		return nil, fmt.Errorf("%w: Snapshot.Configuration: %w", ErrRestored, err)
	}
	table := configurationTable{{r.Snapshot.Last.Index, r.Snapshot.Configuration.Clone()}}
	log := restoredLog(*r)
	for i := range r.Configurations {
		e := &r.Configurations[i]
		at := Position{e.Term, e.Index}
		switch {
		case e.Kind != EntryConfiguration:
			return nil, badRestored("Configurations has an entry of kind %d at %v", e.Kind, at)
		case e.Index <= table[len(table)-1].index || !log.holds(at):
			return nil, badRestored("Configurations has %v, which is out of order or not in the log", at)
		}
		cfg, err := DecodeConfiguration(e.Data)
		if err != nil {
			return nil, fmt.Errorf("%w: Configurations at %v: %w", ErrRestored, at, err)
		}
		table = append(table, configurationAt{e.Index, cfg})
	}
	return table, nil
}
