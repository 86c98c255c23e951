package inspect

import "castaway/persistence"

// Snapshot is one snapshot file.
type Snapshot struct {
	Group uint64 `json:"group"`
	Path  string `json:"path"`
	Bytes int64  `json:"bytes"`
	// Index and Term are of the last entry that it covers, and Configuration is the one
	// as of then. They are missing if the file cannot be read that far.
	Index         uint64         `json:"index,omitempty"`
	Term          uint64         `json:"term,omitempty"`
	Sum           uint64         `json:"sum,omitempty"`
	Configuration *Configuration `json:"configuration,omitempty"`
	// Unfinished says that it was never published, and is not used.
	Unfinished bool `json:"unfinished,omitempty"`
	// Damage says why it is not to be used, though it was published.
	Damage string `json:"damage,omitempty"`
}

// Snapshots lists the snapshot files of all groups, after reading every byte of those
// that were published.
func (d *Directory) Snapshots() ([]Snapshot, error) {
	found, err := d.offline.Snapshots(true)
	if err != nil {
		return nil, err
	}
	list := make([]Snapshot, 0, len(found))
	for i := range found {
		list = append(list, snapshot(&found[i]))
	}
	return list, nil
}

func snapshot(f *persistence.OfflineSnapshot) Snapshot {
	last := f.Info.Meta.Last
	s := Snapshot{
		Group: uint64(f.Info.Group), Path: f.Path, Bytes: f.Info.Size, Sum: f.Info.Sum,
		Index: uint64(last.Index), Term: uint64(last.Term), Unfinished: f.Unfinished,
	}
	if last.Index > 0 {
		c := configuration(last.Index, &f.Info.Meta.Configuration)
		s.Configuration = &c
	}
	if f.Err != nil {
		s.Damage = f.Err.Error()
	}
	return s
}
