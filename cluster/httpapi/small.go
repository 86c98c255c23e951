package httpapi

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
)

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func number(id uint64) string { return strconv.FormatUint(id, 10) }

func sorted[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
