package config

import (
	"errors"
	"strings"

	"github.com/knadh/koanf/v2"
)

// oneDocument is a YAML parser that refuses a second document, which the parser
// beneath would leave out without a word.
type oneDocument struct{ koanf.Parser }

func (o oneDocument) Unmarshal(b []byte) (map[string]any, error) {
	if documents(string(b)) > 1 {
		return nil, errors.New("it holds more than one document; keep one, without lines that begin with --- or ... between its keys")
	}
	return o.Parser.Unmarshal(b)
}

// documents counts those that are not empty.
func documents(text string) int {
	count, empty := 0, true
	for line := range strings.Lines(text) {
		marker := strings.HasPrefix(line, "---") || strings.HasPrefix(line, "...")
		if marker && (len(line) == 3 || strings.ContainsAny(line[3:4], " \t\r\n")) {
			empty, line = true, line[3:]
		}
		line = strings.TrimSpace(line)
		if empty && line != "" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "%") {
			count, empty = count+1, false
		}
	}
	return count
}
