package messages

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"

	"castaway/raft"
)

// TraceWriter writes what a core tells its Config.Trace, one JSON object a line
// (NDJSON). Equal events give equal lines, so the traces of two runs of one seed
// are equal files. It may serve several cores at once; each event is one Write.
type TraceWriter struct {
	mu      sync.Mutex
	encoder *json.Encoder
	err     error
}

// NewTraceWriter gives a TraceWriter on w.
func NewTraceWriter(w io.Writer) *TraceWriter {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	return &TraceWriter{encoder: encoder}
}

// Trace writes one event; it has the signature of raft.Config.Trace. After a
// failed write it does nothing more, since a trace with a hole misleads: see Err.
func (w *TraceWriter) Trace(e raft.TraceEvent) {
	line := toTraceLine(e)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return
	}
	if err := w.encoder.Encode(line); err != nil {
		w.err = fmt.Errorf("messages: the trace ends before event %q of node %d: %w", e.Input, e.Node, err)
	}
}

// Err gives the error that ended the trace, or nil.
func (w *TraceWriter) Err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

type traceLine struct {
	Node    raft.NodeID   `json:"node"`
	Input   string        `json:"input"`
	Message *traceMessage `json:"message,omitempty"`
	Before  traceState    `json:"before"`
	After   traceState    `json:"after"`
	Effects *traceEffects `json:"effects,omitempty"`
}

type traceState struct {
	Role    string        `json:"role"`
	Term    raft.Term     `json:"term"`
	Vote    raft.NodeID   `json:"vote"`
	Leader  raft.NodeID   `json:"leader"`
	Commit  raft.Index    `json:"commit"`
	Durable raft.Index    `json:"durable"`
	Last    tracePosition `json:"last"`
}

type tracePosition struct {
	Term  raft.Term  `json:"term"`
	Index raft.Index `json:"index"`
}

func toTraceLine(e raft.TraceEvent) traceLine {
	line := traceLine{
		Node:    e.Node,
		Input:   e.Input,
		Before:  toTraceState(e.Before),
		After:   toTraceState(e.After),
		Effects: toTraceEffects(e.Effects),
	}
	if e.Message != nil {
		m := toTraceMessage(e.Message)
		line.Message = &m
	}
	return line
}

func toTraceState(s raft.TraceState) traceState {
	return traceState{
		Role:    s.Role.String(),
		Term:    s.HardState.Term,
		Vote:    s.HardState.Vote,
		Leader:  s.Leader,
		Commit:  s.Commit,
		Durable: s.Durable,
		Last:    tracePosition(s.Last),
	}
}
