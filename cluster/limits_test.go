package cluster

import (
	"testing"

	"castaway/actors"
	"castaway/cluster/config"
)

// A node that is told nothing has the limits of a group that is told nothing; and
// what is on its way to a peer leaves a heartbeat, which waits behind it, in time.
func TestTheDefaultLimitsAreTheActorsDefaults(t *testing.T) {
	c := config.Default()
	got, want := groupConfig(&c, founding(&c)).Limits, actors.DefaultLimits()
	if got != want {
		t.Errorf("limits %+v, want %+v", got, want)
	}
	if got, want := groupConfig(&c, founding(&c)).Sessions, actors.DefaultSessionLimits(); got != want {
		t.Errorf("sessions %+v, want %+v", got, want)
	}
	if got.MaxInflightBytes > 1<<20 {
		t.Errorf("%d bytes are on their way before a heartbeat", got.MaxInflightBytes)
	}
}
