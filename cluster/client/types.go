package client

// Header is what every response says of the server and the state it answered from.
type Header struct {
	ClusterID uint64
	MemberID  uint64
	Revision  int64 // of the key-value state
	RaftTerm  uint64
}

// KeyValue is a key, its value, and when it was written.
type KeyValue struct {
	Key            string
	Value          []byte
	CreateRevision int64 // of the put that created it
	ModRevision    int64 // of the last put
	Version        int64 // 1 for the put that created it, and 1 more for each further one
}

// PutResult is the answer to a put.
type PutResult struct {
	Header Header
	Prev   *KeyValue // what was there, if PrevKV was given and anything was
}

// GetResult is the answer to a get.
type GetResult struct {
	Header Header
	KVs    []KeyValue
	Count  int64 // of all keys in the range, whatever Limit and the filters are
	More   bool  // Limit left some out
}

// DeleteResult is the answer to a delete.
type DeleteResult struct {
	Header  Header
	Deleted int64
	Prev    []KeyValue // what was deleted, if PrevKV was given
}

// TxnResult is the answer to a transaction.
type TxnResult struct {
	Header    Header
	Succeeded bool       // the comparisons held, and Then was carried out, not Else
	Results   []OpResult // of the operations, in their order
}

// OpResult is the answer to an operation of a transaction; one field is set.
type OpResult struct {
	Put    *PutResult
	Get    *GetResult
	Delete *DeleteResult
	Txn    *TxnResult
}

// Status is what a member says of itself.
type Status struct {
	Header       Header
	Version      string // of the etcd API
	Leader       uint64
	RaftTerm     uint64
	RaftIndex    uint64 // committed
	AppliedIndex uint64
	DBSize       int64
	Errors       []string // what keeps it from working
}

// Member is a member of the cluster.
type Member struct {
	ID         uint64
	Name       string
	PeerURLs   []string
	ClientURLs []string
	IsLearner  bool
	// Promoting says that the learner becomes a voter by itself, once it is caught up.
	Promoting bool
	// Progress is how far its log is; nil if the server that was asked does not lead.
	Progress *Progress
}

// Progress is what the leader knows of a member's log.
type Progress struct {
	Match  uint64 // it holds the leader's log up to here
	State  string
	Active bool // it was heard lately
}

// Members is the configuration of a cluster.
type Members struct {
	Header  Header
	Members []Member
	Member  Member // the one that was added, of MemberAdd
	// Index is the configuration's place in the log: what a change can insist on.
	Index uint64
	// Joint says that a change of voters is under way.
	Joint  bool
	Leader uint64 // zero if not known
	Last   uint64 // the end of the leader's log, from the leader
}
