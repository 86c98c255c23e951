package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Bytes is a size. As text it is a number, with KiB, MiB or GiB after it or not.
type Bytes int64

// The units of Bytes.
const (
	KiB Bytes = 1 << 10
	MiB Bytes = 1 << 20
	GiB Bytes = 1 << 30
)

var units = []struct {
	suffix string
	size   Bytes
}{{"KiB", KiB}, {"MiB", MiB}, {"GiB", GiB}, {"B", 1}}

func (b Bytes) String() string {
	for _, u := range []int{2, 1, 0} {
		if unit := units[u]; b != 0 && b%unit.size == 0 {
			return strconv.FormatInt(int64(b/unit.size), 10) + unit.suffix
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// ParseBytes reads a size such as 1048576, 1024KiB or 1MiB.
func ParseBytes(text string) (Bytes, error) {
	number, unit := strings.TrimSpace(text), Bytes(1)
	for _, u := range units {
		if rest, ok := strings.CutSuffix(number, u.suffix); ok {
			number, unit = strings.TrimSpace(rest), u.size
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || Bytes(n) > math.MaxInt64/unit {
		return 0, fmt.Errorf("is no size; write a whole number of bytes, or one with KiB, MiB or GiB, like 64KiB")
	}
	return Bytes(n) * unit, nil
}

// assign sets what field points to from a value of any layer: text from flags,
// environment and defaults, anything from YAML. Its errors complete the sentence
// that begins with the key.
func assign(field, value any) error {
	if peers, ok := field.(*[]Peer); ok {
		parsed, err := peersOf(value)
		if err == nil {
			*peers = parsed
		}
		return err
	}
	text, err := scalar(value)
	if err != nil {
		return err
	}
	switch f := field.(type) {
	case *string:
		*f = text
	case *bool:
		*f, err = parse(text, strconv.ParseBool, "write true or false")
	case *uint64:
		*f, err = parse(text, func(s string) (uint64, error) { return strconv.ParseUint(s, 10, 64) }, "write a whole number, zero or more")
	case *int:
		*f, err = parse(text, strconv.Atoi, "write a whole number")
	case *time.Duration:
		*f, err = parse(text, time.ParseDuration, "write a duration with its unit, like 20ms or 1s")
	case *Bytes:
		*f, err = ParseBytes(text)
	default:
		panic(fmt.Sprintf("config: no way to set a %T", field))
	}
	return err
}

func parse[T any](text string, with func(string) (T, error), advice string) (T, error) {
	v, err := with(text)
	if err != nil {
		return v, fmt.Errorf("cannot be read; %s", advice)
	}
	return v, nil
}

// scalar gives the text of a single value.
func scalar(value any) (string, error) {
	switch v := value.(type) {
	case string:
		return strings.TrimSpace(v), nil
	case nil:
		return "", nil
	case bool, int, int64, uint64, float64:
		return fmt.Sprint(v), nil
	default:
		return "", fmt.Errorf("must be a single value, not a list or a map")
	}
}

// text gives a field's value in the form that assign reads.
func text(field any) string {
	switch f := field.(type) {
	case *string:
		return *f
	case *[]Peer:
		return PeersText(*f)
	case *bool:
		return strconv.FormatBool(*f)
	case *uint64:
		return strconv.FormatUint(*f, 10)
	case *int:
		return strconv.Itoa(*f)
	case *time.Duration:
		return f.String()
	case *Bytes:
		return f.String()
	default:
		panic(fmt.Sprintf("config: no way to show a %T", field))
	}
}
