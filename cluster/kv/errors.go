package kv

import (
	"errors"
	"fmt"
)

// Errors of a request. They are found before it is proposed, or are the result of
// the command; either way nothing was changed.
var (
	// ErrEmptyKey means that a request lacks the key.
	ErrEmptyKey = errors.New("kv: key is not provided")
	// ErrKeyNotFound means that a put keeps the value or lease of a key that does
	// not exist.
	ErrKeyNotFound = errors.New("kv: key not found")
	// ErrEmptyOperation means that an operation of a transaction says nothing.
	ErrEmptyOperation = errors.New("kv: an operation of the transaction is empty")
	// ErrValueProvided means that a put both has a value and keeps the old one.
	ErrValueProvided = errors.New("kv: value is provided together with ignore_value")
	// ErrLeaseProvided means that a put both has a lease and keeps the old one.
	ErrLeaseProvided = errors.New("kv: lease is provided together with ignore_lease")
	// ErrLeaseUnsupported means that a put names a lease; there are none.
	ErrLeaseUnsupported = errors.New("kv: leases are not supported; put without a lease")
	// ErrTooManyOperations means that a transaction exceeds the limit of
	// its door, or MaxTxnOperations, or MaxTxnDepth.
	ErrTooManyOperations = errors.New("kv: too many operations in the transaction")
	// ErrDuplicateKey means that a transaction would modify a key twice.
	ErrDuplicateKey = errors.New("kv: the transaction modifies a key twice")
	// ErrInvalidSort means that sort_order or sort_target is unknown.
	ErrInvalidSort = errors.New("kv: invalid sort option")
	// ErrCompacted means that a read asks for a revision of the past.
	ErrCompacted = errors.New("kv: the required revision has been compacted; only the current one is kept")
	// ErrFutureRevision means that a read asks for a revision not yet reached.
	ErrFutureRevision = errors.New("kv: the required revision is a future revision")
	// ErrKeyTooLarge means that a put names a key of more than MaxKeyBytes.
	ErrKeyTooLarge = errors.New("kv: the key is longer than 32768 bytes")
	// ErrMalformed means that a command, query or result cannot be understood.
	ErrMalformed = errors.New("kv: malformed")
)

// A code is an error in a result. Codes are on the wire between servers: they keep
// their values for ever.
type code byte

const (
	codeOK               code = 0
	codeMalformed        code = 1
	codeEmptyKey         code = 2
	codeKeyNotFound      code = 3
	codeEmptyOperation   code = 4
	codeValueProvided    code = 5
	codeLeaseProvided    code = 6
	codeLeaseUnsupported code = 7
	codeDuplicateKey     code = 8
	codeInvalidSort      code = 9
	codeCompacted        code = 10
	codeFutureRevision   code = 11
	codeTooMany          code = 12
	codeKeyTooLarge      code = 13
)

// codeErrors lists the error of every code but codeOK, by code.
var codeErrors = [...]error{
	codeMalformed:        ErrMalformed,
	codeEmptyKey:         ErrEmptyKey,
	codeKeyNotFound:      ErrKeyNotFound,
	codeEmptyOperation:   ErrEmptyOperation,
	codeValueProvided:    ErrValueProvided,
	codeLeaseProvided:    ErrLeaseProvided,
	codeLeaseUnsupported: ErrLeaseUnsupported,
	codeDuplicateKey:     ErrDuplicateKey,
	codeInvalidSort:      ErrInvalidSort,
	codeCompacted:        ErrCompacted,
	codeFutureRevision:   ErrFutureRevision,
	codeTooMany:          ErrTooManyOperations,
	codeKeyTooLarge:      ErrKeyTooLarge,
}

// codeOf gives the code of an error that a command may have.
func codeOf(err error) code {
	for c, e := range codeErrors {
		if e != nil && errors.Is(err, e) {
			return code(c)
		}
	}
	return codeMalformed
}

// errorOf is the reverse of codeOf.
func errorOf(c code) error {
	if int(c) < len(codeErrors) && codeErrors[c] != nil {
		return codeErrors[c]
	}
	return fmt.Errorf("%w: result with unknown code %d", ErrMalformed, c)
}
