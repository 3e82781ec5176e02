package coverage

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

// A fake of the API that has a rule for Windows and one that doesn't matter.
func newServer(t *testing.T, opts ...posturetest.Option) *posturetest.Server {
	t.Helper()
	server := posturetest.New(t, opts...) // closes when the test ends
	server.PutRule(&cfposture.Rule{
		Name:  "Windows",
		Match: []cfposture.Match{{Platform: cfposture.PlatformWindows}},
		Input: &cfposture.DiskEncryptionInput{RequireAll: new(true)},
	})
	server.PutRule(&cfposture.Rule{Name: "WARP", Match: []cfposture.Match{{Platform: cfposture.PlatformMac}}, Input: &cfposture.WARPInput{}})
	return server
}

func TestUncovered(t *testing.T) {
	server := newServer(t)
	missing, err := Uncovered(t.Context(), server.Client())
	if err != nil || len(missing) != 2 || missing[0] != cfposture.PlatformMac {
		t.Errorf("got %v, %v", missing, err)
	}
}

// An account may have more rules than one page takes.
func TestUncoveredReadsEveryPage(t *testing.T) {
	server := newServer(t)
	server.SetPageSize(1)
	missing, err := Uncovered(t.Context(), server.Client())
	if err != nil || len(missing) != 2 {
		t.Errorf("got %v, %v", missing, err)
	}
}

// What must not be taken for "not covered": an API that doesn't respond.
func TestUncoveredFailsWithTheAPI(t *testing.T) {
	server := newServer(t)
	server.FailNext(1, http.StatusForbidden)
	_, err := Uncovered(t.Context(), server.Client())
	var failed *cfposture.Error
	if !errors.As(err, &failed) || failed.StatusCode != http.StatusForbidden {
		t.Errorf("got %v", err)
	}
}

// Requests returns what was sent, and ListRules what the server holds.
func TestCover(t *testing.T) {
	server := newServer(t)
	if err := Cover(t.Context(), server.Client()); err != nil {
		t.Fatal(err)
	}
	posts := 0
	for _, request := range server.Requests() {
		if request.Method == http.MethodPost {
			posts++
		}
	}
	if rules := server.ListRules(); posts != 2 || len(rules) != 4 {
		t.Errorf("got %d requests and the rules %v", posts, rules)
	}
}

// A fault can be aimed: here the second create gets no response, although the API carries it out.
func TestCoverSurvivesALostResponse(t *testing.T) {
	server := newServer(t)
	server.Inject(posturetest.Fault{Operation: "posture.create", After: 1, Status: http.StatusGatewayTimeout, Lost: true})
	if err := Cover(t.Context(), server.Client()); err != nil {
		t.Fatal(err)
	}
	if rules := server.ListRules(); len(rules) != 4 {
		t.Errorf("got %v", rules)
	}
}

// In a bubble of testing/synctest, with a server in memory, retries wait without taking time.
func TestCoverGivesUpInTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newServer(t, posturetest.InMemory())
		server.Inject(posturetest.Fault{Status: http.StatusServiceUnavailable, Times: -1})
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if err := Cover(ctx, server.Client()); err == nil || ctx.Err() != nil {
			t.Errorf("got %v", err)
		}
	})
}
