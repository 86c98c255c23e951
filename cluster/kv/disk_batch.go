package kv

import (
	"errors"
	"math"

	"github.com/dgraph-io/badger/v4"
)

// batch is one commit: all of it has one timestamp. What is too large for one of
// Badger's transactions is written in several, of which the last has recordMeta; if it
// is missing, the others are known to be torn.
type batch struct {
	db     *badger.DB
	at     uint64
	txn    *badger.Txn
	failed error
}

func newBatch(db *badger.DB, at uint64) *batch {
	return &batch{db: db, at: at, txn: db.NewTransactionAt(math.MaxUint64, true)}
}

// set writes a record. Neither slice may be changed until the batch is done.
func (b *batch) set(key, value []byte) {
	b.do(func() error { return b.txn.Set(key, value) })
}

func (b *batch) remove(key []byte) {
	b.do(func() error { return b.txn.Delete(key) })
}

func (b *batch) do(write func() error) {
	if b.failed != nil {
		return
	}
	err := write()
	if errors.Is(err, badger.ErrTxnTooBig) {
		if err = b.txn.CommitAt(b.at, nil); err == nil {
			b.txn = b.db.NewTransactionAt(math.MaxUint64, true)
			err = write()
		}
	}
	b.failed = err
}

// done writes what is left.
func (b *batch) done() error {
	defer b.txn.Discard()
	if b.failed == nil {
		b.failed = b.txn.CommitAt(b.at, nil)
	}
	return b.failed
}
