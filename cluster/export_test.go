package cluster

import "castaway/persistence"

// WrapStore gets between a node and its store.
func WrapStore(cfg *Config, wrap func(persistence.Store) persistence.Store) { cfg.wrapStore = wrap }

// Inject is called with every message that an actor of the node is about to get.
func Inject(cfg *Config, f func(actorName string, message any)) { cfg.inject = f }
