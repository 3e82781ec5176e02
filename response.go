package cfposture

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A Response is what an answer says besides its result. [WithResponse] asks for it. Of a call that reads several pages
// it is the last page's.
type Response struct {
	StatusCode int         // 0 where no answer came
	Header     http.Header // the answer's headers
	RayID      string      // the CF-Ray header, which Cloudflare's support asks for
	Attempts   int         // how many times the request was sent, or tried to be
	Messages   []Message   // the envelope's
	RateLimit  RateLimit
}

// A RateLimit is what the Ratelimit and Ratelimit-Policy headers say; what they don't is zero. Of several policies it
// is the one that leaves least; a quota of another name stands in where the policy's own is not told.
type RateLimit struct {
	Policy    string        // the policy's name, "" where there is no Ratelimit header
	Remaining int           // requests left in the window
	Reset     time.Duration // until the next window
	Quota     int           // requests allowed in a window
	Window    time.Duration // how long a window lasts
}

// parseRateLimit reads headers such as
//
//	Ratelimit: "default";r=50;t=30
//	Ratelimit-Policy: "default";q=100;w=60
//
// and ignores what is malformed.
func parseRateLimit(header http.Header) RateLimit {
	var least RateLimit
	for _, item := range rateLimitItems(header, "Ratelimit") {
		remaining, hasRemaining := item.numbers["r"]
		if hasRemaining && (least.Policy == "" || remaining < least.Remaining) {
			least = RateLimit{Policy: item.name, Remaining: remaining, Reset: seconds(item.numbers["t"])}
		}
	}
	for i, item := range rateLimitItems(header, "Ratelimit-Policy") {
		if i == 0 || item.name == least.Policy {
			least.Quota, least.Window = item.numbers["q"], seconds(item.numbers["w"])
		}
	}
	return least
}

type rateLimitItem struct {
	name    string
	numbers map[string]int
}

func rateLimitItems(header http.Header, name string) []rateLimitItem {
	var items []rateLimitItem
	for text := range strings.SplitSeq(strings.Join(header.Values(name), ","), ",") {
		name, parameters, _ := strings.Cut(strings.TrimSpace(text), ";")
		name = strings.Trim(strings.TrimSpace(name), `"`)
		if name == "" {
			continue
		}
		item := rateLimitItem{name, map[string]int{}}
		for parameter := range strings.SplitSeq(parameters, ";") {
			key, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
			if number, err := strconv.ParseUint(value, 10, 31); err == nil {
				item.numbers[key] = int(number)
			}
		}
		items = append(items, item)
	}
	return items
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
