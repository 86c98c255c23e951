package raft

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
)

// TraceLog writes trace events as lines of JSON (NDJSON), all but the entries' data,
// which no rule of Figure 2 looks at. Its Record is what to set as Config.Trace. It
// is not safe for concurrent use.
type TraceLog struct {
	encoder *json.Encoder
	err     error
}

// NewTraceLog makes a TraceLog that writes to w, a line at a time.
func NewTraceLog(w io.Writer) *TraceLog { return &TraceLog{encoder: json.NewEncoder(w)} }

// Err is the first error of a write; nothing is written after it.
func (l *TraceLog) Err() error { return l.err }

// Record writes one event.
func (l *TraceLog) Record(e TraceEvent) {
	if l.err != nil {
		return
	}
	if err := l.encoder.Encode(lineOf(e)); err != nil {
		l.err = fmt.Errorf("raft: the trace ends here, it could not be written: %w", err)
	}
}

type traceLine struct {
	Node    NodeID
	Input   string
	Message *messageLine `json:",omitempty"`
	Before  stateLine
	After   stateLine
	Persist *persistLine   `json:",omitempty"`
	Send    []*messageLine `json:",omitempty"`
	Commit  *[2]Index      `json:",omitempty"` // first and last
	Reads   []ReadState    `json:",omitempty"`
	Aborted []ReadID       `json:",omitempty"`

	Snapshots []SnapshotRequest `json:",omitempty"`
	Install   *SnapshotMeta     `json:",omitempty"`
	Forgotten *Forgotten        `json:",omitempty"`
}

type stateLine struct {
	Role string
	TraceState
}

type persistLine struct {
	Sequence     uint64
	HardState    *HardState     `json:",omitempty"`
	Compact      *SnapshotMeta  `json:",omitempty"`
	TruncateFrom Index          `json:",omitempty"`
	Entries      []entryLine    `json:",omitempty"`
	After        []*messageLine `json:",omitempty"`
}

type entryLine struct {
	Term  Term
	Index Index
	Kind  EntryKind
}

// messageLine is a message and the name of its type.
type messageLine struct {
	Type string
	Message
	Entries []entryLine `json:",omitempty"`
}

func lineOf(e TraceEvent) traceLine {
	line := traceLine{
		Node:    e.Node,
		Input:   e.Input,
		Message: lineOfMessage(e.Message),
		Before:  stateLine{Role: e.Before.Role.String(), TraceState: e.Before},
		After:   stateLine{Role: e.After.Role.String(), TraceState: e.After},
		Send:    linesOfMessages(e.Effects.Send),
		Reads:   e.Effects.Reads,
		Aborted: e.Effects.Aborted,

		Snapshots: e.Effects.Snapshots,
		Install:   e.Effects.Install,
		Forgotten: e.Effects.Forgotten,
	}
	if p := &e.Effects.Persist; !p.Empty() {
		line.Persist = &persistLine{
			Sequence:     p.Sequence,
			HardState:    p.HardState,
			Compact:      p.Compact,
			TruncateFrom: p.TruncateFrom,
			Entries:      linesOfEntries(p.Entries),
			After:        linesOfMessages(p.After),
		}
	}
	if s := &e.Effects.Commit; !s.Empty() {
		line.Commit = &[2]Index{s.First, s.Last}
	}
	return line
}

// lineOfMessage is nil for an input without a message, or with one that is none.
func lineOfMessage(m Message) *messageLine {
	if v := reflect.ValueOf(m); v.Kind() != reflect.Pointer || v.IsNil() {
		return nil
	}
	line := &messageLine{Type: reflect.TypeOf(m).Elem().Name(), Message: m}
	if a, ok := m.(*AppendEntries); ok {
		bare := *a
		bare.Entries = nil
		line.Message, line.Entries = &bare, linesOfEntries(a.Entries)
	}
	return line
}

func linesOfMessages(messages []Message) []*messageLine {
	var lines []*messageLine
	for _, m := range messages {
		lines = append(lines, lineOfMessage(m))
	}
	return lines
}

func linesOfEntries(entries []Entry) []entryLine {
	var lines []entryLine
	for _, e := range entries {
		lines = append(lines, entryLine{e.Term, e.Index, e.Kind})
	}
	return lines
}
