package config

import (
	"errors"
	"fmt"
	"os"
	"sort"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
)

// FileFlag is the flag, and with EnvPrefix the variable, that names the YAML file.
const FileFlag = "config"

// otherVariables begin with EnvPrefix without being keys of a node.
var otherVariables = []string{EnvPrefix + "CONFIG", EnvPrefix + "ENDPOINTS", EnvPrefix + "TIMEOUT", EnvPrefix + "OUTPUT"}

// Sources is where Load looks.
type Sources struct {
	// File is the YAML file; empty for none.
	File string
	// Environ is what os.Environ gives; nil for nothing.
	Environ []string
	// Flags holds what AddFlags registered; only flags that were given count.
	Flags *pflag.FlagSet
}

// Loaded is a configuration and where it came from.
type Loaded struct {
	Config
	// Origins has an entry for every key that is not a plain default.
	Origins map[string]Origin
	// Warnings are no errors, and worth a look.
	Warnings []string
}

// AddFlags registers a flag for every key.
func AddFlags(flags *pflag.FlagSet) {
	for _, k := range Keys() {
		usage := k.Doc + " (" + k.Unit + ")"
		if _, isBool := k.field(new(Config)).(*bool); isBool {
			flags.Bool(k.Name, k.Default == "true", usage)
			continue
		}
		flags.String(k.Name, k.Default, usage)
	}
}

// Load reads all layers. Its error is Problems, or what kept it from reading the
// file; the Loaded is usable for showing even then.
func Load(s Sources) (Loaded, error) {
	l := Loaded{Origins: map[string]Origin{}}
	all := koanf.New(delimiter)
	layers, problems, err := s.layers(&l)
	if err != nil {
		return l, err
	}
	for _, layer := range layers {
		if err := all.Merge(layer.values); err != nil {
			return l, fmt.Errorf("config: cannot merge the %s layer: %w", layer.layer, err)
		}
		for name := range layer.values.Raw() {
			l.Origins[name] = layer.origin(name)
		}
	}
	unread := map[string]bool{}
	for _, k := range Keys() {
		value := all.Raw()[k.Name]
		if err := assign(k.field(&l.Config), value); err != nil {
			problems = append(problems, Problem{Key: k.Name, Origin: l.Origins[k.Name], Value: fmt.Sprint(value), What: err.Error()})
			unread[k.Name] = true
			_ = assign(k.field(&l.Config), k.Default) // which can always be read
		}
	}
	for name, o := range l.Origins {
		if o.Layer == FromDefault {
			delete(l.Origins, name)
		}
	}
	derive(&l.Config, l.Origins)
	for _, p := range l.check(l.Origins) {
		if !p.concerns(unread) {
			problems = append(problems, p)
		}
	}
	if len(problems) > 0 {
		return l, problems
	}
	l.Warnings = append(l.Warnings, l.advice()...)
	return l, nil
}

// delimiter cannot be in a key, so that every key is one level deep.
const delimiter = "\x00"

type loadedLayer struct {
	layer  Layer
	values *koanf.Koanf
	origin func(key string) Origin
}

func (s Sources) layers(l *Loaded) ([]loadedLayer, Problems, error) {
	defaults := map[string]any{}
	known := map[string]bool{}
	for _, k := range Keys() {
		defaults[k.Name], known[k.Name] = k.Default, true
	}
	layers := []loadedLayer{
		{FromDefault, koanf.New(delimiter), func(string) Origin { return Origin{Layer: FromDefault} }},
		{FromFile, koanf.New(delimiter), func(string) Origin { return Origin{FromFile, s.File} }},
		{FromEnv, koanf.New(delimiter), func(key string) Origin { return Origin{FromEnv, Key{Name: key}.Env()} }},
		{FromFlag, koanf.New(delimiter), func(key string) Origin { return Origin{FromFlag, "--" + key} }},
	}
	if err := layers[0].values.Load(confmap.Provider(defaults, delimiter), nil); err != nil {
		return nil, nil, fmt.Errorf("config: defaults: %w", err)
	}
	if s.File != "" {
		if err := layers[1].values.Load(file.Provider(s.File), oneDocument{yaml.Parser()}); err != nil {
			return nil, nil, fileError(s.File, err)
		}
	}
	l.Warnings = append(l.Warnings, UnknownVariables(s.Environ)...)
	if err := layers[2].values.Load(s.environment(known), nil); err != nil {
		return nil, nil, fmt.Errorf("config: environment: %w", err)
	}
	if s.Flags != nil {
		if err := layers[3].values.Load(flagProvider(s.Flags, known), nil); err != nil {
			return nil, nil, fmt.Errorf("config: flags: %w", err)
		}
	}
	return layers, unknownKeys(layers[1], known), nil
}

func fileError(path string, err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%w: the file %s does not exist; check --%s and %sCONFIG", ErrInvalid, path, FileFlag, EnvPrefix)
	}
	return fmt.Errorf("%w: the file %s cannot be read as YAML (keys and values, one level deep): %w", ErrInvalid, path, err)
}

// environment takes the variables that are keys. Others with the prefix are only
// warned of: whoever sets the environment may mean something else by them.
func (s Sources) environment(known map[string]bool) *env.Env {
	return env.Provider(delimiter, env.Opt{
		Prefix:      EnvPrefix,
		EnvironFunc: func() []string { return s.Environ },
		TransformFunc: func(name, value string) (string, any) {
			key := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, EnvPrefix), "_", "-"))
			if value == "" {
				return "", nil // set to nothing is not set
			}
			if known[key] {
				return key, value
			}
			return "", nil
		},
	})
}

func flagProvider(flags *pflag.FlagSet, known map[string]bool) *posflag.Posflag {
	return posflag.ProviderWithFlag(flags, delimiter, nil, func(f *pflag.Flag) (string, any) {
		if !known[f.Name] {
			return "", nil
		}
		return f.Name, f.Value.String()
	})
}

// unknownKeys makes a problem of every key that does not exist, and takes it out.
func unknownKeys(layer loadedLayer, known map[string]bool) Problems {
	var problems Problems
	raw := layer.values.Raw()
	names := make([]string, 0, len(raw))
	for name := range raw {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		if known[name] {
			continue
		}
		fix := "`castaway config show` lists all keys"
		if near := nearest(name, sortedNames(known)); near != "" {
			fix = "did you mean " + near + "?"
		}
		problems = append(problems, Problem{Key: name, Origin: layer.origin(name), Value: fmt.Sprint(raw[name]), What: "is no key", Fix: fix})
		layer.values.Delete(name)
	}
	return problems
}

func sortedNames(known map[string]bool) []string {
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
