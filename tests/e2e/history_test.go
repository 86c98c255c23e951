package e2e

import (
	"fmt"
	"math"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

type opKind int

const (
	opGet opKind = iota
	opPut
	opDelete
	opSwap // put, if the value is what was expected
)

// input is what a client asked of one key; values are unique, and "" is no key.
type input struct {
	kind   opKind
	key    string
	value  string
	expect string
}

// output is what it was told. A get, a delete and a swap tell the value before.
type output struct {
	before  string
	swapped bool
	unknown bool // no answer: it may have happened, or happen later
}

// register is one key; its state is its value.
var register = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		byKey := map[string][]porcupine.Operation{}
		for _, op := range history {
			key := op.Input.(input).key
			byKey[key] = append(byKey[key], op)
		}
		var parts [][]porcupine.Operation
		for _, part := range byKey {
			parts = append(parts, part)
		}
		return parts
	},
	Init: func() any { return "" },
	Step: func(state, in, out any) (bool, any) {
		return step(state.(string), in.(input), out.(output))
	},
	DescribeOperation: func(in, out any) string { return fmt.Sprintf("%+v -> %+v", in, out) },
}

func step(value string, in input, out output) (bool, string) {
	told := out.unknown || out.before == value
	switch in.kind {
	case opGet:
		return told, value
	case opPut:
		return true, in.value
	case opDelete:
		return told, ""
	default:
		swaps := value == in.expect
		if !out.unknown && (out.swapped != swaps || (!swaps && out.before != value)) {
			return false, value
		}
		if swaps {
			return true, in.value
		}
		return true, value
	}
}

// history collects what all clients did.
type history struct {
	mu    sync.Mutex
	start time.Time
	ops   []porcupine.Operation
}

func newHistory() *history { return &history{start: time.Now()} }

func (h *history) now() int64 { return int64(time.Since(h.start)) }

// record adds an operation; one without an answer never returns.
func (h *history) record(client int, in input, out output, call int64) {
	returned := h.now()
	if out.unknown {
		returned = math.MaxInt64
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, porcupine.Operation{ClientId: client, Input: in, Output: out, Call: call, Return: returned})
}

// checked leaves out unanswered operations that cannot matter: reads, and writes
// whose (unique) value nobody was ever told of. Every operation that depends on a
// key's value is told that value, so leaving those out loses no contradiction.
func (h *history) checked() []porcupine.Operation {
	seen := map[string]bool{}
	for _, op := range h.ops {
		in, out := op.Input.(input), op.Output.(output)
		seen[out.before] = true
		if out.swapped {
			seen[in.expect] = true
		}
	}
	var ops []porcupine.Operation
	for _, op := range h.ops {
		in, out := op.Input.(input), op.Output.(output)
		if out.unknown && (in.kind == opGet || (in.value != "" && !seen[in.value])) {
			continue
		}
		ops = append(ops, op)
	}
	return ops
}

// verify fails the test unless the history is linearizable; an answer of unknown
// is a failure too.
func (h *history) verify(t *testing.T) {
	t.Helper()
	ops := h.checked()
	unknown := 0
	for _, op := range ops {
		if op.Output.(output).unknown {
			unknown++
		}
	}
	t.Logf("history: %d operations, %d of them checked, %d of those without an answer", len(h.ops), len(ops), unknown)
	result, info := porcupine.CheckOperationsVerbose(register, ops, 5*time.Minute)
	if result == porcupine.Ok {
		return
	}
	path := "history.html"
	if f, err := os.Create(path); err == nil {
		_ = porcupine.Visualize(register, info, f)
		_ = f.Close()
	}
	t.Fatalf("history is %s, not linearizable; picture in %s", result, path)
}
