package authserver

import (
	"encoding/json"
	"time"
)

// TimeFormat is how the management API writes times: milliseconds, UTC.
const TimeFormat = "2006-01-02T15:04:05.000Z"

// Time is a time in the form of the management API.
type Time struct{ time.Time }

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) { return json.Marshal(t.UTC().Format(TimeFormat)) }

// UnmarshalJSON implements json.Unmarshaler.
func (t *Time) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	parsed, err := time.Parse(TimeFormat, s)
	t.Time = parsed
	return err
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}
