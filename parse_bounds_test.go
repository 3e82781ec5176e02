package cfposture_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
)

func TestValidationErrorStaysShort(t *testing.T) {
	var document strings.Builder
	document.WriteString(`{"type":"warp"`)
	for i := range 10_000 {
		fmt.Fprintf(&document, `,"unknown%d":1`, i)
	}
	document.WriteString("}")
	_, err := cfposture.ParseRule([]byte(document.String()))
	var invalid *cfposture.ValidationError
	require.ErrorAs(t, err, &invalid)
	assert.Less(t, len(err.Error()), 20<<10)
	assert.Regexp(t, `; and \d+ more problems$`, err.Error(), "what is left out is counted")

	_, err = cfposture.ParseRule([]byte(`{"type":"` + strings.Repeat("x", 1<<20) + `"}`))
	require.Error(t, err)
	assert.Less(t, len(err.Error()), 20<<10)
}

func TestParseInputNeedsAType(t *testing.T) {
	_, err := cfposture.ParseInput("", []byte(`{"path":"/x"}`))
	require.ErrorContains(t, err, "type is required")
	_, err = cfposture.ParseConfig("", []byte(`{"client_id":"x"}`), "*")
	require.ErrorContains(t, err, "type is required")
}
