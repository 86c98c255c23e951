package kv

import (
	"encoding/binary"
	"fmt"

	pb "go.etcd.io/etcd/api/v3/etcdserverpb"
	"google.golang.org/protobuf/proto"
)

// A result is a version byte, a code, the revision after the command as a uvarint,
// and, if the code is codeOK, an etcd response in protobuf without its header.
const (
	resultVersion byte = 1
	resultHeader  int  = 2
)

// appendResult writes a result behind buf. A response of nil is an empty one.
func appendResult(buf []byte, revision int64, response proto.Message, err error) []byte {
	c := codeOK
	if err != nil {
		c = codeOf(err)
	}
	start := len(buf)
	buf = append(buf, resultVersion, byte(c))
	buf = binary.AppendUvarint(buf, uint64(revision))
	if err != nil || response == nil {
		return buf
	}
	out, merr := proto.MarshalOptions{}.MarshalAppend(buf, response)
	if merr != nil {
		// A response is made of bytes and numbers, which always marshal.
		return appendResult(buf[:start], revision, nil, ErrMalformed)
	}
	return out
}

// DecodePut reads the result of a put. The response's header has the revision; the
// rest of it is the door's to fill.
func DecodePut(result []byte) (*pb.PutResponse, error) {
	r := &struct {
		response pb.PutResponse
		header   pb.ResponseHeader
	}{}
	if err := decodeResult(result, &r.header, &r.response); err != nil {
		return nil, err
	}
	r.response.Header = &r.header
	return &r.response, nil
}

// DecodeDeleteRange reads the result of a deletion, as DecodePut does.
func DecodeDeleteRange(result []byte) (*pb.DeleteRangeResponse, error) {
	header, response := &pb.ResponseHeader{}, &pb.DeleteRangeResponse{}
	if err := decodeResult(result, header, response); err != nil {
		return nil, err
	}
	response.Header = header
	return response, nil
}

// DecodeTxn reads the result of a transaction, as DecodePut does. The headers of
// the responses in it have revisions too.
func DecodeTxn(result []byte) (*pb.TxnResponse, error) {
	header, response := &pb.ResponseHeader{}, &pb.TxnResponse{}
	if err := decodeResult(result, header, response); err != nil {
		return nil, err
	}
	response.Header = header
	return response, nil
}

func decodeResult(result []byte, header *pb.ResponseHeader, response proto.Message) error {
	if len(result) < resultHeader || result[0] != resultVersion {
		return fmt.Errorf("%w: result of %d bytes", ErrMalformed, len(result))
	}
	if c := code(result[1]); c != codeOK {
		return errorOf(c)
	}
	revision, n := binary.Uvarint(result[resultHeader:])
	if n <= 0 {
		return fmt.Errorf("%w: result without a revision", ErrMalformed)
	}
	header.Revision = int64(revision)
	body := result[resultHeader+n:]
	if len(body) == 0 {
		return nil
	}
	if err := proto.Unmarshal(body, response); err != nil {
		return fmt.Errorf("%w: decode %T: %w", ErrMalformed, response, err)
	}
	return nil
}
