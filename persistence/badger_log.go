package persistence

import (
	"fmt"
	"log/slog"
	"strings"
)

// badgerLog hands Badger's warnings and errors to slog. What Badger calls an error
// is a write or sync that failed behind our back; onError hears of each.
type badgerLog struct {
	logger  *slog.Logger
	onError func(error)
}

func (l *badgerLog) Errorf(format string, args ...any) {
	text := strings.TrimSpace(fmt.Sprintf(format, args...))
	l.logger.Error("badger reports an error", "text", text)
	l.onError(fmt.Errorf("badger: %s", text))
}

func (l *badgerLog) Warningf(format string, args ...any) {
	l.logger.Warn("badger warns", "text", strings.TrimSpace(fmt.Sprintf(format, args...)))
}

func (l *badgerLog) Infof(string, ...any)  {}
func (l *badgerLog) Debugf(string, ...any) {}
