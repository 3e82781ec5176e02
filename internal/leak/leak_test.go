package leak

import (
	"fmt"
	"html"
	"net/url"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFind(t *testing.T) {
	const secret = `tok/en&hush<1>"quoted"'single'\back%41+é==`
	for _, text := range []string{
		secret, secret[:8], secret[len(secret)-8:], html.EscapeString(secret), url.QueryEscape(secret), url.PathEscape(secret),
		strconv.Quote(secret), strconv.QuoteToASCII(secret), fmt.Sprintf("%x", secret), fmt.Sprintf("%X", secret),
		fmt.Sprintf("% x", secret), fmt.Sprintf("%#x", secret), fmt.Sprintf("% #X", secret), fmt.Sprintf("%d", []byte(secret)),
	} {
		assert.NotEmpty(t, Find("before "+text+" after", "another", secret), text)
	}
	assert.Empty(t, Find("tok/en and [redacted]", "another", secret))
	assert.Equal(t, "short", Find("a short one", "short"))
}
