package recovery

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"castaway/cluster/member"
)

// Options says what is to be made of what.
type Options struct {
	// From is the survivor's data directory; nothing in it is changed.
	From string
	// To is where the new one is made; it must not be there, or be empty.
	To string
	// ID is the new cluster's only member's, above every id that the old cluster ever
	// had. Those that the survivor's disk tells of are checked.
	ID uint64
	// Member says where the new member is reached.
	Member member.Info
	// AcceptDamage goes on with a directory that is damaged: what lies behind the
	// damage is lost as well.
	AcceptDamage bool
	// Logger is slog.Default if nil.
	Logger *slog.Logger
}

var (
	// ErrOptions means that the options make no sense, or do not fit the survivor.
	ErrOptions = errors.New("recovery: not possible as asked")
	// ErrNothing means that there is no log in the survivor's directory.
	ErrNothing = errors.New("recovery: there is nothing to recover")
)

func (o *Options) validate() error {
	if err := o.Member.Validate(); err != nil {
		return fmt.Errorf("%w: %w", ErrOptions, err)
	}
	from, err := filepath.Abs(o.From)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrOptions, err)
	}
	to, err := filepath.Abs(o.To)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrOptions, err)
	}
	if o.To == "" || strings.HasPrefix(to+string(filepath.Separator), from+string(filepath.Separator)) {
		return fmt.Errorf("%w: the new directory is %q, inside the old one, which is not changed: name another one", ErrOptions, o.To)
	}
	for _, dir := range []string{o.To, o.unfinished()} {
		entries, err := os.ReadDir(dir)
		if err == nil && len(entries) > 0 {
			return fmt.Errorf("%w: %s is not empty: name another directory, or remove that one if it is of an attempt that was cut short", ErrOptions, dir)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: %w", ErrOptions, err)
		}
	}
	return nil
}

// unfinished is the new directory's name until it is complete.
func (o *Options) unfinished() string { return filepath.Clean(o.To) + ".unfinished" }
