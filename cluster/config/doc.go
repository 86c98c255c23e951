// Package config is what a node can be told, and where it was told so.
//
// Four layers, the later over the earlier: the defaults, a YAML file, the
// environment (CASTAWAY_…), flags. The same name works in all of them: key
// "tick-interval" is the flag --tick-interval and the variable
// CASTAWAY_TICK_INTERVAL.
//
// What is always true of a Config that [Load] returned without an error:
//
//   - every key has a value, and [Loaded.Origins] says where it comes from;
//   - [Config.Validate] found nothing; all problems are reported at once, each with
//     its key, its origin, its value and what to do about it;
//   - Peers holds this node, under the one address that all others use for it;
//   - nothing listens in plaintext beyond loopback unless InsecureNetwork is set.
//
// The files: config (the struct), keys (the table of keys: names, defaults, units,
// documentation), values (text to value and back), peers (the list of members),
// load (the layers), derive (defaults that follow from other keys), validate,
// problem (the errors), nearest (did you mean), variables (those that nothing reads),
// document (one in a file), show (`config show`).
package config
