package actors

import (
	"errors"
	"fmt"
	"time"

	"castaway/messages"
	"castaway/raft"
)

// ErrConfig is in every error about a configuration; its text names the field.
var ErrConfig = errors.New("actors: invalid configuration")

func invalid(field string, value any, want string) error {
	return fmt.Errorf("%w: %s is %v, but must be %s", ErrConfig, field, value, want)
}

// Limits bounds everything in a group that could grow. An error of a request
// that meets one names it by its field.
type Limits struct {
	// MaxEntryBytes bounds one command; in a session, with the raft.SessionOpOverhead
	// bytes that may be around it.
	MaxEntryBytes int
	// MaxQueuedCommands and MaxQueuedBytes bound the commands that wait at a
	// server for their turn; beyond, they are refused at once. Here and below, a
	// command counts the few bytes more that its entry does.
	MaxQueuedCommands int
	MaxQueuedBytes    int
	// MaxQueuedReads bounds the reads that wait, at the server and at the machine
	// each.
	MaxQueuedReads int
	// MaxQueueWait bounds how long a request waits for its turn while there is a leader:
	// once the one that waits longest has waited longer, those that come are refused at
	// once, and a read that the machine could have answered all that time is refused
	// too. It ought to be below the clients' deadlines, so that what is carried out is
	// still wanted. While there is no leader, PatienceTicks are the measure.
	MaxQueueWait time.Duration
	// MaxBatchCommands and MaxBatchBytes bound what is proposed, or forwarded, at
	// once; a single larger command still goes, alone.
	MaxBatchCommands int
	MaxBatchBytes    int
	// MaxUnsyncedBatches bounds a leader's batches that its own disk has not
	// synced, and MaxUncommittedBatches those that have not committed: commands
	// that come meanwhile gather in the next batch. Few batches cost few messages
	// and syncs; many shorten the wait.
	MaxUnsyncedBatches    int
	MaxUncommittedBatches int
	// MaxReadBatches bounds the batches of linearizable reads that wait for a
	// confirmation; reads that come meanwhile gather in the next.
	MaxReadBatches int
	// MaxForwardBatches bounds the batches of commands, and those of reads, that a
	// follower has with the leader.
	MaxForwardBatches int
	// MaxUnappliedBytes bounds the committed entries that wait for the machine in
	// memory: beyond, a leader proposes nothing new, and a follower leaves them to
	// be read from the log.
	MaxUnappliedBytes int
	// MaxReplayBytes bounds what the machine reads from the log at once.
	MaxReplayBytes int

	// The following are the core's: see raft.Config. MaxInflightBytes is also how
	// much a heartbeat may find before it on its way to a follower that catches up:
	// more makes heartbeats late.

	MaxMessageBytes     int
	MaxInflightMessages int
	MaxInflightBytes    int
	MaxUncommittedBytes int
	CacheBytes          int
}

// DefaultLimits suit a few groups a node, commands up to etcd's 1.5 MiB, and some
// hundred megabytes of memory.
func DefaultLimits() Limits {
	return Limits{
		MaxEntryBytes:         3<<19 + raft.SessionOpOverhead,
		MaxQueuedCommands:     1 << 16,
		MaxQueuedBytes:        64 << 20,
		MaxQueuedReads:        1 << 16,
		MaxQueueWait:          time.Second,
		MaxBatchCommands:      4096,
		MaxBatchBytes:         1 << 20,
		MaxUnsyncedBatches:    1,
		MaxUncommittedBatches: 2,
		MaxReadBatches:        2,
		MaxForwardBatches:     2,
		MaxUnappliedBytes:     64 << 20,
		MaxReplayBytes:        1 << 20,
		MaxMessageBytes:       64 << 10,
		MaxInflightMessages:   64,
		MaxInflightBytes:      1 << 20,
		MaxUncommittedBytes:   64 << 20,
		CacheBytes:            16 << 20,
	}
}

// proposalOverhead is more than a forwarded command has on the wire beside its bytes.
const proposalOverhead = 32

func (l *Limits) validate() error {
	for _, f := range []struct {
		name  string
		value int
	}{
		{"MaxEntryBytes", l.MaxEntryBytes},
		{"MaxQueuedCommands", l.MaxQueuedCommands},
		{"MaxQueuedBytes", l.MaxQueuedBytes},
		{"MaxQueuedReads", l.MaxQueuedReads},
		{"MaxBatchCommands", l.MaxBatchCommands},
		{"MaxBatchBytes", l.MaxBatchBytes},
		{"MaxUnsyncedBatches", l.MaxUnsyncedBatches},
		{"MaxUncommittedBatches", l.MaxUncommittedBatches},
		{"MaxReadBatches", l.MaxReadBatches},
		{"MaxForwardBatches", l.MaxForwardBatches},
		{"MaxUnappliedBytes", l.MaxUnappliedBytes},
		{"MaxReplayBytes", l.MaxReplayBytes},
		{"MaxMessageBytes", l.MaxMessageBytes},
		{"MaxInflightMessages", l.MaxInflightMessages},
		{"MaxInflightBytes", l.MaxInflightBytes},
		{"MaxUncommittedBytes", l.MaxUncommittedBytes},
		{"CacheBytes", l.CacheBytes},
	} {
		if f.value < 1 {
			return invalid("Limits."+f.name, f.value, "at least 1")
		}
	}
	if l.MaxQueueWait <= 0 {
		return invalid("Limits.MaxQueueWait", l.MaxQueueWait, "more than 0")
	}
	// What goes to another node must fit an envelope. MaxEntryBytes of messages is
	// half of one, so that there is room for what is around the commands.
	for _, f := range []struct {
		name       string
		value, max int
		meaning    string
	}{
		{"MaxEntryBytes", l.MaxEntryBytes, messages.MaxEntryBytes, "an entry travels in one"},
		{"MaxBatchBytes", l.MaxBatchBytes, messages.MaxEntryBytes, "a batch is forwarded in one"},
		{"MaxBatchCommands", l.MaxBatchCommands, messages.MaxEntryBytes / proposalOverhead, "a batch is forwarded in one"},
		{"MaxMessageBytes", l.MaxMessageBytes, messages.MaxEntryBytes, "a message travels in one"},
	} {
		if f.value > f.max {
			return invalid("Limits."+f.name, f.value, fmt.Sprintf("at most %d, since %s envelope of at most %d bytes",
				f.max, f.meaning, messages.MaxEnvelopeBytes))
		}
	}
	largest := l.MaxEntryBytes + commandOverhead // of all commands
	if l.MaxQueuedBytes < largest {
		return invalid("Limits.MaxQueuedBytes", l.MaxQueuedBytes,
			fmt.Sprintf("at least MaxEntryBytes and %d for its entry, %d", commandOverhead, largest))
	}
	if least := largest + l.MaxBatchBytes; l.MaxUncommittedBytes < least {
		return invalid("Limits.MaxUncommittedBytes", l.MaxUncommittedBytes,
			fmt.Sprintf("at least MaxEntryBytes and %d for its entry, and MaxBatchBytes, %d", commandOverhead, least))
	}
	return nil
}

// Budget says how often an actor may restart within a time. The next panic is
// one too many: its host fails, and says so to HostConfig.OnFail.
type Budget struct {
	Restarts int
	Within   time.Duration
}

func (b Budget) validate(field string) error {
	if b.Restarts < 0 {
		return invalid(field+".Restarts", b.Restarts, "at least 0")
	}
	if b.Within <= 0 {
		return invalid(field+".Within", b.Within, "more than 0")
	}
	return nil
}
