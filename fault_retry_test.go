package cfposture_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
)

// The statuses of the truth table. The 200 comes with success: false.
var (
	lastingStatuses = []int{200, 400, 401, 403, 404, 405, 409, 410, 413, 422, 501, 505, 511, 530}
	passingStatuses = []int{408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527}
)

// sentinelOf is what errors.Is finds in an error of the status; nil where there is none.
func sentinelOf(status int) error {
	sentinels := map[int]error{
		401: cfposture.ErrUnauthorized, 403: cfposture.ErrForbidden, 404: cfposture.ErrNotFound,
		409: cfposture.ErrConflict, 429: cfposture.ErrRateLimited,
	}
	if status >= 500 {
		return cfposture.ErrServer
	}
	return sentinels[status]
}

// assertAnswerIs checks that err is the API's answer of the status and no other.
func assertAnswerIs(t *testing.T, err error, status int) {
	t.Helper()
	var answer *cfposture.Error
	require.ErrorAs(t, err, &answer)
	assert.Equal(t, status, answer.StatusCode)
	for _, sentinel := range []error{
		cfposture.ErrUnauthorized, cfposture.ErrForbidden, cfposture.ErrNotFound,
		cfposture.ErrConflict, cfposture.ErrRateLimited, cfposture.ErrServer,
	} {
		if errors.Is(sentinelOf(status), sentinel) {
			require.ErrorIs(t, err, sentinel)
		} else {
			require.NotErrorIs(t, err, sentinel)
		}
	}
}

// assertOutcomeUnknown checks that err says so, and what to do.
func assertOutcomeUnknown(t *testing.T, err error) {
	t.Helper()
	require.ErrorIs(t, err, cfposture.ErrOutcomeUnknown)
	require.ErrorContains(t, err, "outcome is unknown: list and look before sending it again")
	require.ErrorContains(t, err, "cfposture: POST accounts/")
	assert.NotContains(t, err.Error(), "\n")
}

// A trial is one operation on a fresh stage.
func (s *stage) try(t *testing.T, op operation) (names []string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // a hang fails, and soon
	defer cancel()
	return op.run(ctx, s.client)
}

func forEveryStatus(t *testing.T, statuses []int, test func(t *testing.T, s *stage, op operation, status int)) {
	s := newMemoryStage(t, cfposture.WithMaxRetries(2))
	for _, op := range operations() {
		for _, status := range statuses {
			s.reset()
			t.Run(fmt.Sprintf("%s/%d", op.name, status), func(t *testing.T) { test(t, s, op, status) })
		}
	}
}

func TestLastingFailureIsNeverSentAgain(t *testing.T) {
	forEveryStatus(t, lastingStatuses, func(t *testing.T, s *stage, op operation, status int) {
		s.api.FailNext(1, status)
		_, err := s.try(t, op)
		assertAnswerIs(t, err, status)
		assert.Len(t, s.api.Requests(), 1)
		assert.Zero(t, s.effects(op.method), "nothing was done")
		assert.Equal(t, op.method == http.MethodPost && status >= 500, errors.Is(err, cfposture.ErrOutcomeUnknown),
			"of a POST that failed at the server nobody knows what it did; of all others it is known: %v", err)
	})
}

func TestPassingFailureIsRetriedWhereThatDoesNothingTwice(t *testing.T) {
	forEveryStatus(t, passingStatuses, func(t *testing.T, s *stage, op operation, status int) {
		s.api.FailNext(1, status)
		names, err := s.try(t, op)
		assertSameBodies(t, s.api.Requests())
		if op.method == http.MethodPost && status != http.StatusTooManyRequests {
			assertOutcomeUnknown(t, err)
			assertAnswerIs(t, err, status)
			assert.Len(t, s.api.Requests(), 1, "a POST that may have been acted on is not sent again")
			assert.Zero(t, s.effects(op.method))
			return
		}
		require.NoError(t, err)
		assert.Equal(t, op.want, names)
		assert.Len(t, s.api.Requests(), 2)
		assertDone(t, s, op)
	})
}

// The answers are lost on their way here: what was asked for was done.
func TestLostAnswerIsAskedForAgainWhereThatDoesNothingTwice(t *testing.T) {
	lost := slices.DeleteFunc(slices.Clone(passingStatuses), func(status int) bool { return status == http.StatusTooManyRequests })
	forEveryStatus(t, lost, func(t *testing.T, s *stage, op operation, status int) {
		s.api.LoseNext(1, status)
		names, err := s.try(t, op)
		assertSameBodies(t, s.api.Requests())
		assertDone(t, s, op)
		if op.method == http.MethodPost {
			assertOutcomeUnknown(t, err)
			assertAnswerIs(t, err, status)
			assert.Len(t, s.api.Requests(), 1)
			return
		}
		require.NoError(t, err, "a DELETE that finds nothing on a retry has succeeded, too")
		assert.Equal(t, op.want, names)
		assert.Len(t, s.api.Requests(), 2)
	})
}

func TestFailureThatDoesNotPassEndsAfterTheRetries(t *testing.T) {
	forEveryStatus(t, passingStatuses, func(t *testing.T, s *stage, op operation, status int) {
		s.api.FailNext(100, status)
		_, err := s.try(t, op)
		assertAnswerIs(t, err, status)
		assert.Zero(t, s.effects(op.method))
		want := 3
		if op.method == http.MethodPost && status != http.StatusTooManyRequests {
			want = 1
		} else {
			require.NotErrorIs(t, err, cfposture.ErrOutcomeUnknown)
		}
		assert.Len(t, s.api.Requests(), want)
	})
}

// assertDone checks that the operation was done, once.
func assertDone(t *testing.T, s *stage, op operation) {
	t.Helper()
	want := 1
	if op.method == http.MethodGet {
		want = 0
	}
	assert.Equal(t, want, s.effects(op.method), "effects of the %s on what the server holds", op.method)
}

func TestRetriesCanBeTurnedOff(t *testing.T) {
	s := newMemoryStage(t, cfposture.WithMaxRetries(0))
	for _, op := range operations() {
		s.reset()
		s.api.FailNext(1, http.StatusServiceUnavailable)
		_, err := s.try(t, op)
		assertAnswerIs(t, err, http.StatusServiceUnavailable)
		assert.Len(t, s.api.Requests(), 1, op.name)
	}
}

func TestDeleteOnRetryAfterNotFoundSucceeds(t *testing.T) {
	s := newMemoryStage(t)
	s.api.LoseNext(1, http.StatusGatewayTimeout)
	var response cfposture.Response
	require.NoError(t, s.client.Posture.Delete(t.Context(), stageRuleID, cfposture.WithResponse(&response)))
	assert.Equal(t, 2, response.Attempts)
	assert.Equal(t, http.StatusNotFound, response.StatusCode, "the response is the last one, as it came")

	err := s.client.Posture.Delete(t.Context(), stageRuleID)
	require.ErrorIs(t, err, cfposture.ErrNotFound, "without a retry, what isn't there isn't found")
}

func TestGetOnRetryAfterNotFoundFails(t *testing.T) {
	s := newMemoryStage(t)
	for _, op := range operations() {
		if op.method == http.MethodDelete || op.method == http.MethodPost {
			continue
		}
		s.reset()
		s.api.FailNext(1, http.StatusBadGateway)
		s.api.FailNext(1, http.StatusNotFound)
		_, err := s.try(t, op)
		require.ErrorIs(t, err, cfposture.ErrNotFound, op.name)
	}
}

func TestPOSTIsRetriedForAsLongAsItIsLimitedAndNoLonger(t *testing.T) {
	s := newMemoryStage(t)
	s.api.FailNext(3, http.StatusTooManyRequests)
	rule, err := s.client.Posture.Create(t.Context(), &cfposture.Rule{Name: "created", Type: cfposture.RuleTypeWARP})
	require.NoError(t, err)
	assert.Equal(t, "created", rule.Name)
	assert.Len(t, s.api.Requests(), 4)
	assert.Equal(t, 1, s.effects(http.MethodPost))

	s.reset()
	s.api.FailNext(1, http.StatusTooManyRequests)
	s.api.LoseNext(1, http.StatusBadGateway)
	_, err = s.client.Posture.Create(t.Context(), &cfposture.Rule{Name: "created", Type: cfposture.RuleTypeWARP})
	assertOutcomeUnknown(t, err)
	assert.Len(t, s.api.Requests(), 2, "the second attempt may have been acted on")
	assert.Equal(t, 1, s.effects(http.MethodPost))
}

// A transport that doesn't say whether it wrote the request may have written it.
func TestPOSTThroughATransportThatTellsNothingIsSentOnce(t *testing.T) {
	requests := 0
	client := mockClient(t, func(*http.Request) (*http.Response, error) {
		requests++
		return nil, errors.New("dial tcp: connection refused")
	}, cfposture.WithMaxRetries(3), cfposture.WithMaxRetryWait(0))
	_, err := client.Posture.Create(t.Context(), &cfposture.Rule{Name: "n", Type: cfposture.RuleTypeWARP})
	assertOutcomeUnknown(t, err)
	assert.Equal(t, 1, requests)
	_, err = client.Posture.Get(t.Context(), "1")
	require.ErrorContains(t, err, "connection refused")
	assert.Equal(t, 5, requests, "a GET is tried four times")
}

// A method that nobody knows may do something twice.
func TestUnknownMethodIsTreatedLikePOST(t *testing.T) {
	for _, method := range []string{"post", "get", "PURGE", http.MethodConnect} {

		s := newMemoryStage(t)
		s.api.FailNext(1, http.StatusBadGateway)
		err := s.client.Do(t.Context(), cfposture.Request{Method: method, Path: "zones"}, nil)
		require.ErrorIs(t, err, cfposture.ErrOutcomeUnknown, method)
		assert.Len(t, s.api.Requests(), 1, method)
	}
}

func TestAnswerThatIsNoResultIsNotAskedForAgain(t *testing.T) {
	bodies := map[string]string{
		"empty": "", "HTML": "<html>Welcome to the hotel</html>", "other JSON": `{"hello":"world"}`, "list": `[1,2]`,
		"no result": `{"success":true,"errors":[]}`, "result of another kind": `{"success":true,"result":17}`,
	}
	for name, body := range bodies {
		for _, op := range operations() {
			if name == "empty" && op.method == http.MethodDelete || name == "no result" && op.want == nil || name == "result of another kind" && op.want == nil {
				continue // nothing is expected of it
			}
			t.Run(name+"/"+op.name, func(t *testing.T) {
				requests := 0
				s := newStage(t, newServer(t), "https://api.example.com/client/v4", handledBy(http.HandlerFunc(
					func(w http.ResponseWriter, _ *http.Request) {
						requests++
						_, _ = w.Write([]byte(body))
					})))
				_, err := s.try(t, op)
				assertAnswerIs(t, err, http.StatusOK)
				assert.Equal(t, 1, requests)
				assert.Equal(t, op.method == http.MethodPost, errors.Is(err, cfposture.ErrOutcomeUnknown), "%v", err)
			})
		}
	}
}
