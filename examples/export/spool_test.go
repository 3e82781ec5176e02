package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSpoolSortsMoreThanItHoldsInMemory(t *testing.T) {
	const items, padding = 5000, 4000
	s := new(spool)
	defer s.close()
	for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(items) {
		// Three items of a name differ by type, and of those by ID.
		r := record{fmt.Sprintf("name %04d", i/6), fmt.Sprint("type ", i/2%3), fmt.Sprint("id ", i%2), ""}
		r.item = fmt.Sprintf("%05d", i) + strings.Repeat("x", padding)
		require.NoError(t, s.add(r))
		require.LessOrEqual(t, s.bytes, runBytes+padding+100)
	}
	require.Greater(t, len(s.runs), 3)
	i := 0
	for item, err := range s.sorted() {
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("%05d", i), item[:5])
		i++
	}
	assert.Equal(t, items, i)
	assert.Equal(t, items, s.count)

	s.close()
	assert.NoFileExists(t, s.file.Name())
}

func TestEmptySpoolHasNothing(t *testing.T) {
	s := new(spool)
	defer s.close()
	for item, err := range s.sorted() {
		require.NoError(t, err)
		t.Error(item)
	}
}

func TestSpoolTellsOfALostFile(t *testing.T) {
	s := new(spool)
	require.NoError(t, s.add(record{item: "{}"}))
	require.NoError(t, s.writeRun())
	require.NoError(t, s.file.Close())
	var last error
	for _, err := range s.sorted() {
		last = err
	}
	require.ErrorIs(t, last, os.ErrClosed)
	require.NoError(t, os.Remove(s.file.Name()))
}
