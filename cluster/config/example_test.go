package config_test

import (
	"fmt"

	"castaway/cluster/config"
)

func ExampleLoad() {
	l, err := config.Load(config.Sources{
		Environ: []string{"CASTAWAY_ID=2", "CASTAWAY_PEERS=1=127.0.0.1:7001,2=127.0.0.1:7002,3=127.0.0.1:7003"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(l.Name, "listens on", l.ListenPeer, "since", l.Origins["peers"])
	// Output: node-2 listens on 127.0.0.1:7002 since environment CASTAWAY_PEERS
}

func ExampleLoad_problems() {
	_, err := config.Load(config.Sources{Environ: []string{"CASTAWAY_ELECTION_TICKS=6", "CASTAWAY_LOG_FORMAT=xml"}})
	fmt.Println(err)
	// Output:
	// the configuration is not valid:
	//   election-ticks = "6" (environment CASTAWAY_ELECTION_TICKS) is less than three times heartbeat-ticks (5); a lost heartbeat would start an election: use more
	//   log-format = "xml" (environment CASTAWAY_LOG_FORMAT) is not one of the possible values; use one of [text json]
}
