package config

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/knadh/koanf/parsers/yaml"
)

// Shown is one key of `castaway config show`.
type Shown struct {
	Key    string  `json:"key"`
	Value  string  `json:"value"`
	Origin *Origin `json:"origin,omitempty"`
	Unit   string  `json:"unit"`
	Doc    string  `json:"doc"`
}

// Rows gives every key with its value, and with its origin if wanted.
func (l *Loaded) Rows(origins bool) []Shown {
	var rows []Shown
	for _, k := range Keys() {
		row := Shown{Key: k.Name, Value: text(k.field(&l.Config)), Unit: k.Unit, Doc: k.Doc}
		if origins {
			o := l.Origins[k.Name]
			if o.Layer == "" {
				o.Layer = FromDefault
			}
			row.Origin = &o
		}
		rows = append(rows, row)
	}
	return rows
}

// Show writes the configuration as table, json or yaml; the latter is a file that
// Load reads.
func (l *Loaded) Show(w io.Writer, format string, origins bool) error {
	rows := l.Rows(origins)
	switch format {
	case "table":
		return table(w, rows, origins)
	case "json":
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(rows)
	case "yaml":
		return l.yaml(w, rows, origins)
	default:
		return fmt.Errorf("there is no output format %q; use table, json or yaml", format)
	}
}

func table(w io.Writer, rows []Shown, origins bool) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	head := "KEY\tVALUE"
	if origins {
		head += "\tORIGIN"
	}
	fmt.Fprintln(t, head)
	for _, r := range rows {
		value := r.Value
		if value == "" {
			value = "-"
		}
		if origins {
			fmt.Fprintf(t, "%s\t%s\t%s\n", r.Key, value, *r.Origin)
			continue
		}
		fmt.Fprintf(t, "%s\t%s\n", r.Key, value)
	}
	return t.Flush()
}

func (l *Loaded) yaml(w io.Writer, rows []Shown, origins bool) error {
	for _, r := range rows {
		line, err := yaml.Parser().Marshal(map[string]any{r.Key: r.Value})
		if err != nil {
			return fmt.Errorf("config: cannot write %s as YAML: %w", r.Key, err)
		}
		comment := r.Doc
		if origins {
			comment = "origin: " + r.Origin.String()
		}
		if _, err := fmt.Fprintf(w, "# %s\n%s", comment, line); err != nil {
			return err
		}
	}
	return nil
}
