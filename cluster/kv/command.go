package kv

import (
	"fmt"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"
)

// A command is a version byte, a kind byte, and an etcd request in protobuf. It is
// in the log: the values below keep their meaning for ever.
const (
	commandVersion byte = 1

	kindPut         byte = 1
	kindDeleteRange byte = 2
	kindTxn         byte = 3

	commandHeader = 2
)

// EncodePut makes the command of a put.
func EncodePut(r *pb.PutRequest) ([]byte, error) { return encode(kindPut, r) }

// EncodeDeleteRange makes the command of a deletion.
func EncodeDeleteRange(r *pb.DeleteRangeRequest) ([]byte, error) { return encode(kindDeleteRange, r) }

// EncodeTxn makes the command of a transaction.
func EncodeTxn(r *pb.TxnRequest) ([]byte, error) { return encode(kindTxn, r) }

func encode(kind byte, m proto.Message) ([]byte, error) {
	command := make([]byte, commandHeader, commandHeader+proto.Size(m))
	command[0], command[1] = commandVersion, kind
	command, err := proto.MarshalOptions{UseCachedSize: true}.MarshalAppend(command, m)
	if err != nil {
		return nil, fmt.Errorf("%w: encode %T: %w", ErrMalformed, m, err)
	}
	return command, nil
}

// decode reads a protobuf request out of a command. The request owns its bytes.
func decode[M proto.Message](m M, data []byte) (M, error) {
	if err := proto.Unmarshal(data, m); err != nil {
		return m, fmt.Errorf("%w: decode %T: %w", ErrMalformed, m, err)
	}
	return m, nil
}
