package roster

import (
	"context"
	"encoding/json"
	"strconv"

	"google.golang.org/grpc/metadata"
)

// The metadata's keys.
const (
	keyRoster = "castaway-roster" // of a response
	keyName   = "castaway-name"   // of a request
	keyClient = "castaway-client" // of a request; repeated
	keyIf     = "castaway-if"     // of a request
)

// Roster is what a response says of a configuration, as JSON.
type Roster struct {
	// Index is the log index of the configuration, for a change that must be of this
	// one and of no other.
	Index uint64 `json:"index"`
	// Joint says that a change is under way (T4.3).
	Joint bool `json:"joint,omitempty"`
	// Leader is who leads, as far as the server knows.
	Leader uint64 `json:"leader,omitempty"`
	// Promoting are the learners that become voters by themselves.
	Promoting []uint64 `json:"promoting,omitempty"`
	// Last is the end of the leader's log, and Progress what it knows of the others:
	// both only from the leader.
	Last     uint64     `json:"last,omitempty"`
	Progress []Progress `json:"progress,omitempty"`
}

// Progress is how far a member's log is.
type Progress struct {
	ID     uint64 `json:"id"`
	Match  uint64 `json:"match"`
	State  string `json:"state"`
	Active bool   `json:"active"` // it was heard lately
}

// Metadata gives the roster in the form that a response carries.
func (r Roster) Metadata() metadata.MD {
	text, err := json.Marshal(r)
	if err != nil {
		return nil
	}
	return metadata.Pairs(keyRoster, string(text))
}

// Of reads a response's roster, if it has one.
func Of(md metadata.MD) (Roster, bool) {
	var r Roster
	values := md.Get(keyRoster)
	if len(values) != 1 || json.Unmarshal([]byte(values[0]), &r) != nil {
		return Roster{}, false
	}
	return r, true
}

// Wish is what a request asks for beyond etcd's message.
type Wish struct {
	// Name is the member's, for people.
	Name string
	// Clients are the addresses, host:port, of its door.
	Clients []string
	// If, unless zero, is the index of the configuration that must be in force.
	If uint64
}

// Attach gives a context whose request carries the wish.
func Attach(ctx context.Context, w Wish) context.Context {
	if w.Name != "" {
		ctx = metadata.AppendToOutgoingContext(ctx, keyName, w.Name)
	}
	var clients []string
	for _, c := range w.Clients {
		clients = append(clients, keyClient, c)
	}
	ctx = metadata.AppendToOutgoingContext(ctx, clients...)
	if w.If != 0 {
		ctx = metadata.AppendToOutgoingContext(ctx, keyIf, strconv.FormatUint(w.If, 10))
	}
	return ctx
}

// Wished reads the wish of a request that came in; false if its If is no number.
func Wished(ctx context.Context) (Wish, bool) {
	md, _ := metadata.FromIncomingContext(ctx)
	w := Wish{Clients: md.Get(keyClient)}
	if names := md.Get(keyName); len(names) > 0 {
		w.Name = names[0]
	}
	if given := md.Get(keyIf); len(given) > 0 {
		index, err := strconv.ParseUint(given[0], 10, 64)
		if err != nil {
			return w, false
		}
		w.If = index
	}
	return w, true
}
