package cfposture

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Who keeps one rule of a long list must not keep the list.
func TestBlocksOfTextsStaySmall(t *testing.T) {
	var blocks textBlocks
	for i := range 10_000 {
		text := bytes.Repeat([]byte{byte(i)}, i%2_000)
		assert.Equal(t, string(text), blocks.keep(text))
		assert.LessOrEqual(t, blocks.block.Cap(), largestBlock)
	}
	var few textBlocks
	few.keep(make([]byte, 300))
	assert.LessOrEqual(t, few.block.Cap(), 2*300, "a list of one rule")
}
