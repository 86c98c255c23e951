package e2e

import (
	"testing"

	"github.com/anishathalye/porcupine"
)

// A checker that accepts everything proves nothing: here is what it must refuse.
func TestHistoryCheckerRefusesAStaleRead(t *testing.T) {
	put := func(v string, call, ret int64) porcupine.Operation {
		return porcupine.Operation{Input: input{kind: opPut, key: "k", value: v}, Output: output{}, Call: call, Return: ret}
	}
	get := func(v string, call, ret int64) porcupine.Operation {
		return porcupine.Operation{Input: input{kind: opGet, key: "k"}, Output: output{before: v}, Call: call, Return: ret}
	}
	good := []porcupine.Operation{put("a", 0, 1), put("b", 2, 3), get("b", 4, 5)}
	if !porcupine.CheckOperations(register, good) {
		t.Error("a read of the newest value was refused")
	}
	stale := []porcupine.Operation{put("a", 0, 1), put("b", 2, 3), get("a", 4, 5)}
	if porcupine.CheckOperations(register, stale) {
		t.Error("a stale read was accepted")
	}
	lost := []porcupine.Operation{put("a", 0, 1), get("", 2, 3)}
	if porcupine.CheckOperations(register, lost) {
		t.Error("a lost write was accepted")
	}
}

func TestHistoryLeavesOutOnlyWhatNobodySaw(t *testing.T) {
	h := newHistory()
	h.record(0, input{kind: opPut, key: "k", value: "unseen"}, output{unknown: true}, 0)
	h.record(0, input{kind: opPut, key: "k", value: "seen"}, output{unknown: true}, 1)
	h.record(1, input{kind: opGet, key: "k"}, output{before: "seen"}, 2)
	ops := h.checked()
	if len(ops) != 2 || ops[0].Input.(input).value != "seen" {
		t.Errorf("kept %v", ops)
	}
}
