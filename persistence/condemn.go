package persistence

import "fmt"

// condemned is the last word of a store whose data is known to be outdated.
func condemned(reason string) error {
	return fmt.Errorf("%w: %w", ErrFailed, corrupt("%s", reason))
}

// Condemn implements Store. The mark keeps out every later start; what is in the
// directory is left as it is.
func (s *Badger) Condemn(reason string) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	err := publish(s.options.Dir, corruptFile, []byte(reason+": "+WhatToDo+"\n"))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err, s.condemned = condemned(reason), true
	}
	return err
}

// Condemn implements Store.
func (m *Memory) Condemn(reason string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.condemned = condemned(reason)
	m.err = m.condemned
	return nil
}

// Condemn implements Store; it is never refused.
func (f *Faulty) Condemn(reason string) error { return f.store.Condemn(reason) }
