package config

import (
	"slices"
	"strings"
)

// UnknownVariables gives a warning for every variable in environ that begins with
// EnvPrefix and that nothing here reads.
func UnknownVariables(environ []string) []string {
	names := slices.Clone(otherVariables)
	for _, k := range Keys() {
		names = append(names, k.Env())
	}
	var warnings []string
	for _, pair := range environ {
		name, value, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, EnvPrefix) || value == "" || slices.Contains(names, name) {
			continue
		}
		w := "the environment variable " + name + " is ignored: nothing reads it"
		if near := nearest(name, names); near != "" {
			w += "; did you mean " + near + "?"
		}
		warnings = append(warnings, w)
	}
	return warnings
}
