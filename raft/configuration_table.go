package raft

// configurationAt is a configuration and the index from which it is in force.
type configurationAt struct {
	index         Index
	configuration Configuration
}

// configurationTable holds every configuration of the log, the snapshot's first. The
// last one is in force, as soon as it is appended and whether it is committed or not
// (T4.1); truncation brings the one before back (C15).
type configurationTable []configurationAt

// configuration is the one in force.
func (c *Core) configuration() *Configuration {
	return &c.configurations[len(c.configurations)-1].configuration
}

func (t *configurationTable) append(entries []Entry) {
	for i := range entries {
		e := &entries[i]
		if e.Kind != EntryConfiguration {
			continue
		}
		cfg, err := DecodeConfiguration(e.Data)
		invariant(err == nil, "entry %d was accepted and cannot be read: %v", e.Index, err)
		*t = append(*t, configurationAt{e.Index, cfg})
	}
}

func (t *configurationTable) truncate(from Index) {
	n := len(*t)
	for n > 1 && (*t)[n-1].index >= from {
		n--
	}
	*t = (*t)[:n]
}
