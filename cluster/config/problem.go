package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// ErrInvalid is in every error about what a node was told.
var ErrInvalid = errors.New("the configuration is not valid")

// Problem is one thing wrong with a configuration.
type Problem struct {
	Key    string
	Origin Origin
	Value  string
	What   string // completes the sentence that begins with the key
	Fix    string // what to do
}

func (p Problem) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s = %q (%s) %s", p.Key, p.Value, p.Origin, p.What)
	if p.Fix != "" {
		b.WriteString("; " + p.Fix)
	}
	return b.String()
}

// concerns says whether the problem speaks of one of these keys, so that it may be
// nothing but a consequence of their not being known.
func (p Problem) concerns(keys map[string]bool) bool {
	if (p.Key == "advertise-peer" || p.Key == "peers") && (keys["id"] || keys["peers"]) {
		return true
	}
	words := strings.FieldsFunc(p.Key+" "+p.What+" "+p.Fix, func(r rune) bool { return r != '-' && !unicode.IsLetter(r) })
	return slices.ContainsFunc(words, func(word string) bool { return keys[word] })
}

// Problems is the error that holds all that is wrong.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, 0, len(p)+1)
	lines = append(lines, ErrInvalid.Error()+":")
	for _, problem := range p {
		lines = append(lines, "  "+problem.String())
	}
	return strings.Join(lines, "\n")
}

// Is makes errors.Is(err, ErrInvalid) hold.
func (p Problems) Is(target error) bool { return target == ErrInvalid }

// Layer is where a value may come from.
type Layer string

// The layers, from the weakest to the strongest. Derived values follow from other
// keys when their own was not given.
const (
	FromDefault Layer = "default"
	FromDerived Layer = "derived"
	FromFile    Layer = "file"
	FromEnv     Layer = "environment"
	FromFlag    Layer = "flag"
)

// Origin says where a value comes from: the layer, and the place in it.
type Origin struct {
	Layer Layer  `json:"layer" yaml:"layer"`
	Where string `json:"where,omitempty" yaml:"where,omitempty"`
}

func (o Origin) String() string {
	switch {
	case o.Layer == "":
		return string(FromDefault)
	case o.Where == "":
		return string(o.Layer)
	default:
		return string(o.Layer) + " " + o.Where
	}
}
