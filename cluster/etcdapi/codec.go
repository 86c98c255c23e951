package etcdapi

import (
	"fmt"

	"google.golang.org/grpc/encoding"
	_ "google.golang.org/grpc/encoding/proto" // the codec that ours rests on
	"google.golang.org/grpc/mem"
	"google.golang.org/protobuf/proto"
)

// codec is gRPC's own for protobuf, but that it tells when an answer is gone: gRPC
// lets go of the bytes when the last has been written to the connection, or when the
// request or the connection has ended.
type codec struct{}

// leased is an answer that was made room for.
type leased struct {
	message proto.Message
	lease   *lease
}

// Marshal implements encoding.CodecV2.
func (codec) Marshal(v any) (mem.BufferSlice, error) {
	a, ok := v.(*leased)
	if !ok {
		return encoding.GetCodecV2(codec{}.Name()).Marshal(v)
	}
	data, err := proto.Marshal(a.message)
	if err != nil {
		a.lease.release()
		return nil, fmt.Errorf("etcdapi: marshal %T: %w", a.message, err)
	}
	if mem.IsBelowBufferPoolingThreshold(cap(data)) {
		a.lease.release() // gRPC does not tell of small ones
	}
	return mem.BufferSlice{mem.NewBuffer(&data, a.lease)}, nil
}

// Unmarshal implements encoding.CodecV2.
func (codec) Unmarshal(data mem.BufferSlice, v any) error {
	return encoding.GetCodecV2(codec{}.Name()).Unmarshal(data, v)
}

// Name implements encoding.CodecV2.
func (codec) Name() string { return "proto" }

// Get implements mem.BufferPool; nobody asks a lease for room.
func (l *lease) Get(length int) *[]byte { b := make([]byte, length); return &b }

// Put implements mem.BufferPool: the answer is gone.
func (l *lease) Put(*[]byte) { l.release() }
