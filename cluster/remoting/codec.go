package remoting

import (
	"errors"

	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	_ "google.golang.org/grpc/encoding/proto" // the codec that this one stands before
)

// boundedCodec is gRPC's protobuf codec with a look at what comes in before
// anything is allocated for it: a message of two bytes costs a hundred once it is
// decoded, so that a few megabytes of them would cost a gigabyte.
type boundedCodec struct {
	batch int // messages in a batch; of targets, senders and types there are fewer
}

var errTooMany = errors.New("remoting: more parts in a message than a node sends")

// Name implements encoding.CodecV2.
func (boundedCodec) Name() string { return "proto" }

// Marshal implements encoding.CodecV2.
func (boundedCodec) Marshal(v any) (mem.BufferSlice, error) {
	return encoding.GetCodecV2("proto").Marshal(v)
}

// Unmarshal implements encoding.CodecV2.
func (c boundedCodec) Unmarshal(data mem.BufferSlice, v any) error {
	m, ok := v.(proto.Message)
	if !ok {
		return errors.New("remoting: not a message of protobuf")
	}
	buffer := data.MaterializeToBuffer(mem.DefaultBufferPool())
	defer buffer.Free()
	if err := c.bounded(buffer.ReadOnlyData()); err != nil {
		return err
	}
	return proto.Unmarshal(buffer.ReadOnlyData(), m)
}

// bounded counts the fields of the message's parts, two levels deep.
func (c boundedCodec) bounded(data []byte) error {
	top, inner := 0, 0
	return eachField(data, func(value []byte) error {
		if top++; top > 4 {
			return errTooMany
		}
		return eachField(value, func([]byte) error {
			if inner++; inner > 4*c.batch {
				return errTooMany
			}
			return nil
		})
	})
}

// eachField calls f with the content of every length-delimited field. What is
// not protobuf ends the walk without an error: to say so is for the decoder.
func eachField(data []byte, f func(value []byte) error) error {
	for len(data) > 0 {
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return nil
		}
		data = data[n:]
		size := protowire.ConsumeFieldValue(number, kind, data)
		if size < 0 {
			return nil
		}
		if kind == protowire.BytesType {
			value, _ := protowire.ConsumeBytes(data)
			if err := f(value); err != nil {
				return err
			}
		}
		data = data[size:]
	}
	return nil
}
