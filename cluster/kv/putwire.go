package kv

import (
	"fmt"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/encoding/protowire"
)

// putRequest is a pb.PutRequest read in place: key and value alias the command.
// Puts are most of what is applied, and so need no message of their own.
type putRequest struct {
	key, value  []byte
	lease       int64
	prevKV      bool
	ignoreValue bool
	ignoreLease bool
	// owned says that nobody else has value, so that it may be kept as it is.
	owned bool
}

// Field numbers of pb.PutRequest.
const (
	putKey         = 1
	putValue       = 2
	putLease       = 3
	putPrevKV      = 4
	putIgnoreValue = 5
	putIgnoreLease = 6
)

// readPut reads what proto.Unmarshal would read: the last of a repeated field
// counts, and an unknown field is skipped.
func readPut(data []byte) (p putRequest, err error) {
	for len(data) > 0 {
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return p, malformedPut(n)
		}
		if number > protowire.MaxValidNumber {
			return p, fmt.Errorf("%w: decode PutRequest: field %d", ErrMalformed, number)
		}
		data = data[n:]
		switch {
		case kind == protowire.BytesType && number <= putValue:
			n = p.bytes(number, data)
		case kind == protowire.VarintType && number >= putLease && number <= putIgnoreLease:
			n = p.varint(number, data)
		default:
			n = protowire.ConsumeFieldValue(number, kind, data)
		}
		if n < 0 {
			return p, malformedPut(n)
		}
		data = data[n:]
	}
	return p, nil
}

func malformedPut(n int) error {
	return fmt.Errorf("%w: decode PutRequest: %w", ErrMalformed, protowire.ParseError(n))
}

func (p *putRequest) bytes(number protowire.Number, data []byte) int {
	b, n := protowire.ConsumeBytes(data)
	if number == putKey {
		p.key = b
	} else {
		p.value = b
	}
	return n
}

func (p *putRequest) varint(number protowire.Number, data []byte) int {
	v, n := protowire.ConsumeVarint(data)
	switch number {
	case putLease:
		p.lease = int64(v)
	case putPrevKV:
		p.prevKV = v != 0
	case putIgnoreValue:
		p.ignoreValue = v != 0
	case putIgnoreLease:
		p.ignoreLease = v != 0
	}
	return n
}

// putOf sees a decoded request, which is not used otherwise, as a putRequest.
func putOf(r *pb.PutRequest) putRequest {
	return putRequest{
		key: r.Key, value: r.Value, lease: r.Lease, owned: true,
		prevKV: r.PrevKv, ignoreValue: r.IgnoreValue, ignoreLease: r.IgnoreLease,
	}
}
