package retry

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func FuzzAfter(f *testing.F) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, value := range []string{"", "0", "120", "-1", "1.5", "99999999999999999999", "9223372036854775807", now.Add(time.Hour).Format(http.TimeFormat), "Mon, 01 Jan 0001 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		assert.GreaterOrEqual(t, After(http.Header{"Retry-After": {value}}, now), time.Duration(0))
	})
}
