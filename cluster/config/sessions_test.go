package config_test

import (
	"strings"
	"testing"
	"time"

	"castaway/cluster/config"
	"castaway/raft"
)

// What is out of bounds is named; what is within them, the algorithm takes.
func TestSessionsAreBounded(t *testing.T) {
	for key, bad := range map[string][]func(*config.Sessions){
		"session-timeout": {
			func(s *config.Sessions) { s.Timeout = time.Second - 1 }, func(s *config.Sessions) { s.Timeout = 24*time.Hour + 1 },
		},
		"max-session-outstanding": {
			func(s *config.Sessions) { s.MaxOutstanding = 0 }, func(s *config.Sessions) { s.MaxOutstanding = 1<<16 + 1 },
		},
		"max-session-bytes": {
			func(s *config.Sessions) { s.MaxAnswerBytes = -1 }, func(s *config.Sessions) { s.MaxAnswerBytes, s.MaxBytes = config.GiB+1, config.GiB+1 },
		},
		"max-sessions": {
			func(s *config.Sessions) { s.MaxCount = 0 }, func(s *config.Sessions) { s.MaxCount = 1<<20 + 1 },
		},
		"max-sessions-answers": {
			func(s *config.Sessions) { s.MaxAnswers = 0 }, func(s *config.Sessions) { s.MaxAnswers = 1<<26 + 1 },
		},
		"max-sessions-bytes": {
			func(s *config.Sessions) { s.MaxBytes = s.MaxAnswerBytes - 1 }, func(s *config.Sessions) { s.MaxBytes = config.GiB + 1 },
		},
	} {
		for i, change := range bad {
			c := config.Default()
			change(&c.Sessions)
			if err := c.Validate(); err == nil || !strings.Contains(err.Error(), key) {
				t.Errorf("%s, way %d: %v", key, i, err)
			}
		}
	}
	for _, s := range []config.Sessions{
		config.Default().Sessions,
		{Timeout: time.Second, MaxOutstanding: 1, MaxCount: 1, MaxAnswers: 1},
		{Timeout: 24 * time.Hour, MaxOutstanding: 1 << 16, MaxAnswerBytes: config.GiB, MaxCount: 1 << 20, MaxAnswers: 1 << 26, MaxBytes: config.GiB},
	} {
		l := raft.SessionLimits{
			Timeout: uint64(s.Timeout.Milliseconds()), MaxOutstanding: s.MaxOutstanding, MaxSessionBytes: int(s.MaxAnswerBytes),
			MaxSessions: s.MaxCount, MaxAnswers: s.MaxAnswers, MaxBytes: int(s.MaxBytes),
		}
		if err := l.Validate(); err != nil {
			t.Errorf("%+v: %v", s, err)
		}
	}
}
