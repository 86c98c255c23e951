package config

import (
	"fmt"
	"time"
)

// Sessions bound what is kept so that a client's retry is recognized. Those of the node
// that leads when a session begins apply to it on all nodes.
type Sessions struct {
	// Timeout is counted in whole milliseconds.
	Timeout        time.Duration
	MaxOutstanding int
	MaxAnswerBytes Bytes
	MaxCount       int
	MaxAnswers     int
	MaxBytes       Bytes
}

func sessionKeys() []Key {
	const s = "sessions"
	return []Key{
		{"session-timeout", s, "1m", "duration", "how long a client's session lives without a use, while somebody leads", func(c *Config) any { return &c.Sessions.Timeout }},
		{"max-session-outstanding", s, "1024", "writes", "how far a session's sequence numbers may be above the lowest whose answer it needs", func(c *Config) any { return &c.Sessions.MaxOutstanding }},
		{"max-session-bytes", s, "1MiB", "bytes", "answers kept for one session's retries; what is more is not kept", func(c *Config) any { return &c.Sessions.MaxAnswerBytes }},
		{"max-sessions", s, "16384", "sessions", "sessions at a time; more are refused, unless one was not heard of for half its timeout", func(c *Config) any { return &c.Sessions.MaxCount }},
		{"max-sessions-answers", s, "262144", "writes", "writes kept for the retries of all sessions; more are refused", func(c *Config) any { return &c.Sessions.MaxAnswers }},
		{"max-sessions-bytes", s, "64MiB", "bytes", "answers kept for the retries of all sessions; what is more is not kept", func(c *Config) any { return &c.Sessions.MaxBytes }},
	}
}

// The most that sessions can be bounded by.
const (
	maxSessionTimeout     = 24 * time.Hour
	maxSessionOutstanding = 1 << 16
	maxSessions           = 1 << 20
	maxSessionsAnswers    = 1 << 26
)

func (k *checker) sessions() {
	s := &k.c.Sessions
	k.require(s.Timeout >= time.Second && s.Timeout <= maxSessionTimeout, "session-timeout", "is out of bounds", fmt.Sprintf("use 1s to %v", maxSessionTimeout))
	k.within("max-session-outstanding", s.MaxOutstanding, maxSessionOutstanding)
	k.within("max-sessions", s.MaxCount, maxSessions)
	k.within("max-sessions-answers", s.MaxAnswers, maxSessionsAnswers)
	k.require(s.MaxAnswerBytes >= 0 && s.MaxAnswerBytes <= GiB, "max-session-bytes", "is out of bounds", fmt.Sprintf("use 0 to %v", GiB))
	k.require(s.MaxBytes >= s.MaxAnswerBytes && s.MaxBytes <= GiB, "max-sessions-bytes", "is out of bounds", fmt.Sprintf("use max-session-bytes (%v) to %v", s.MaxAnswerBytes, GiB))
}

func (k *checker) within(key string, value, most int) {
	k.require(value >= 1 && value <= most, key, "is out of bounds", fmt.Sprintf("use 1 to %d", most))
}
