package store_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/examples/posturectl/internal/document"
	"github.com/cfposture/cfposture/examples/posturectl/internal/store"
	"github.com/cfposture/cfposture/posturetest"
)

// A disk that is full is made of a device that always is.
func TestChangeThatCanNotBeSavedIsNotMade(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("there is no device that is always full")
	}
	path := filepath.Join(t.TempDir(), "state.json")
	saved, err := store.Open(path, document.Sample())
	require.NoError(t, err)
	store.SetFile(t, saved, "/dev/full")
	server := posturetest.NewServer(posturetest.WithOnChange(saved.Save))
	defer server.Close()
	document.Sample().AddTo(server)
	err = server.Client(cfposture.WithMaxRetries(0)).Posture.Delete(t.Context(), "f174e90a-fafe-4643-bbbc-4a0ed4fc8401")
	require.ErrorContains(t, err, "500 Internal Server Error")
	assert.Len(t, server.Rules(), 12)
	assert.Len(t, saved.Document().Rules, 12)
}

// Without that, a file that many changes came to could grow beyond what can be read again.
func TestFileOfManyChangesBecomesADocumentNowAndThen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	saved, err := store.Open(path, document.Sample())
	require.NoError(t, err)
	before, err := os.Stat(path)
	require.NoError(t, err)
	rule := []byte(`{"id":"1","name":"` + strings.Repeat("n", 10_000) + `","type":"warp"}`)
	for range 500 {
		require.NoError(t, saved.Save(posturetest.Change{Operation: "posture.update", ID: "1", JSON: rule}))
	}
	after, err := os.Stat(path)
	require.NoError(t, err)
	assert.Less(t, after.Size(), before.Size()+2<<20)
	require.NoError(t, saved.Close())
}
