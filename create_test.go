package cfposture_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

// A fakeNetwork takes requests to a server without a connection, so that the time of synctest passes. What becomes of a
// POST is up to post, whose argument carries it out.
type fakeNetwork struct {
	server *posturetest.Server
	post   func(carryOut func() *http.Response) (*http.Response, error)
	posts  int
	gets   int
}

func (n *fakeNetwork) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	carryOut := func() *http.Response {
		sent := r.Clone(context.WithoutCancel(r.Context()))
		sent.Body = io.NopCloser(bytes.NewReader(body))
		recorder := httptest.NewRecorder()
		n.server.Handler().ServeHTTP(recorder, sent)
		response := recorder.Result()
		response.Request = r
		return response
	}
	if r.Method != http.MethodPost {
		n.gets++
		return carryOut(), nil
	}
	n.posts++
	return n.post(carryOut)
}

var errLost = errors.New("connection lost")

func gatewayTimeout() (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusGatewayTimeout, Header: http.Header{}, Body: http.NoBody}, nil
}

// Both services create the same way. A createOnce is one of them, with something to create.
type createOnce struct {
	add    func(*posturetest.Server, string) string // something like it, by its name
	held   func(*posturetest.Server) int
	create func(context.Context, *cfposture.Client) (id string, err error)
	find   func(context.Context, *cfposture.Client, func(string) bool) (id string, err error)
}

func createOnces() map[string]createOnce {
	rule := &cfposture.Rule{Name: "new", Schedule: "60m", Match: []cfposture.Match{{Platform: "mac"}}, Input: &cfposture.DiskEncryptionInput{RequireAll: new(true)}}
	integration := &cfposture.Integration{Name: "new", Interval: "60m", Config: &cfposture.KolideConfig{ClientID: "i", ClientSecret: "s"}}
	return map[string]createOnce{
		"rule": {
			add: func(s *posturetest.Server, name string) string {
				return s.AddRule(fmt.Appendf(nil, `{"name":%q,"type":"disk_encryption","schedule":"1h","match":[{"platform":"mac"}],"input":{"requireAll":true,"checkDisks":[]}}`, name))
			},
			held: func(s *posturetest.Server) int { return len(s.Rules()) },
			create: func(ctx context.Context, c *cfposture.Client) (string, error) {
				created, err := c.Posture.CreateOnce(ctx, rule)
				if err != nil {
					return "", err
				}
				return created.ID, nil
			},
			find: func(ctx context.Context, c *cfposture.Client, known func(string) bool) (string, error) {
				found, err := c.Posture.FindCreated(ctx, rule, known)
				if err != nil {
					return "", err
				}
				return found.ID, nil
			},
		},
		"integration": {
			add: func(s *posturetest.Server, name string) string {
				return s.AddIntegration(fmt.Appendf(nil, `{"name":%q,"type":"kolide","interval":"1h","config":{"client_id":"i"}}`, name))
			},
			held: func(s *posturetest.Server) int { return len(s.Integrations()) },
			create: func(ctx context.Context, c *cfposture.Client) (string, error) {
				created, err := c.Integrations.CreateOnce(ctx, integration)
				if err != nil {
					return "", err
				}
				return created.ID, nil
			},
			find: func(ctx context.Context, c *cfposture.Client, known func(string) bool) (string, error) {
				found, err := c.Integrations.FindCreated(ctx, integration, known)
				if err != nil {
					return "", err
				}
				return found.ID, nil
			},
		},
	}
}

func TestCreateOnceFindsOutWhatBecameOfALostPOST(t *testing.T) {
	type post = func(carryOut func() *http.Response) (*http.Response, error)
	answered := func(carryOut func() *http.Response) (*http.Response, error) { return carryOut(), nil }
	lostBefore := func(func() *http.Response) (*http.Response, error) { return nil, errLost }
	lostAfter := func(carryOut func() *http.Response) (*http.Response, error) {
		carryOut()
		return nil, errLost
	}
	later := func(d time.Duration) post {
		return func(carryOut func() *http.Response) (*http.Response, error) {
			time.AfterFunc(d, func() { _ = carryOut().Body.Close() })
			return gatewayTimeout()
		}
	}
	for name, test := range map[string]struct {
		post    post
		before  []string // names of what existed
		between []string // names of what others create meanwhile
		created int
		found   bool
		took    time.Duration // at most
		reason  string
	}{
		"answered":                        {post: answered, created: 1, found: true},
		"lost before":                     {post: lostBefore, took: time.Minute, reason: "like it appeared within 1m0s"},
		"lost after":                      {post: lostAfter, created: 1, found: true},
		"lost, and an older one is there": {post: lostBefore, before: []string{"new"}, took: time.Minute, reason: "like it appeared"},
		"carried out beside an older one": {post: lostAfter, before: []string{"new", "new"}, created: 1, found: true},
		"seconds later":                   {post: later(5 * time.Second), before: []string{"new"}, created: 1, found: true, took: 13 * time.Second},
		"half a minute later":             {post: later(30 * time.Second), created: 1, found: true, took: 39 * time.Second},
		"others of other names":           {post: lostAfter, between: []string{"other", ""}, created: 1, found: true},
		"several new ones":                {post: lostAfter, between: []string{"new"}, created: 1, reason: "may exist 2 times: compare the new ones, and delete all but one"},
		"a new one of somebody else":      {post: lostBefore, between: []string{"new"}, found: true}, // can't be told from its own
	} {
		for what, service := range createOnces() {
			t.Run(name+" "+what, func(t *testing.T) {
				server := newServer(t)
				old := map[string]bool{}
				for _, name := range test.before {
					old[service.add(server, name)] = true
				}
				synctest.Test(t, func(t *testing.T) {
					network := &fakeNetwork{server: server}
					network.post = func(carryOut func() *http.Response) (*http.Response, error) {
						for _, name := range test.between {
							service.add(server, name)
						}
						return test.post(carryOut)
					}
					client := server.Client(cfposture.WithHTTPClient(&http.Client{Transport: network}))
					start := time.Now()
					id, err := service.create(t.Context(), client)
					assert.Equal(t, 1, network.posts)
					assert.LessOrEqual(t, time.Since(start), test.took)
					assert.Equal(t, len(test.before)+len(test.between)+test.created, service.held(server))
					if !test.found {
						require.ErrorIs(t, err, cfposture.ErrOutcomeUnknown)
						require.ErrorContains(t, err, test.reason)
						require.ErrorContains(t, err, what+` "new"`)
						assert.NotContains(t, err.Error(), "\n")
						return
					}
					require.NoError(t, err)
					assert.NotEmpty(t, id)
					assert.False(t, old[id], "it adopted an older one")
				})
			})
		}
	}
}

func TestCreateOnceSendsNothingIfListFails(t *testing.T) {
	for what, service := range createOnces() {
		server := newServer(t)
		server.FailNext(1, http.StatusForbidden)
		_, err := service.create(t.Context(), server.Client())
		require.ErrorIs(t, err, cfposture.ErrForbidden, what)
		require.NotErrorIs(t, err, cfposture.ErrOutcomeUnknown)
		assert.Len(t, server.Requests(), 1)
	}
}

func TestCreateOnceSaysWhyNothingWasCreated(t *testing.T) {
	server := newServer(t)
	client := server.Client()
	_, err := client.Posture.CreateOnce(t.Context(), &cfposture.Rule{Name: "n", Input: new(cfposture.FileInput)})
	assertProblems(t, err, "input.path: is required")
	_, err = client.Posture.CreateOnce(t.Context(), &cfposture.Rule{Name: "n", Input: new(cfposture.FileInput)}, cfposture.WithoutValidation())
	var refused *cfposture.Error
	require.ErrorAs(t, err, &refused)
	require.NotErrorIs(t, err, cfposture.ErrOutcomeUnknown)
	for name, call := range map[string]func() error{
		"invalid rule: it is nil": func() error {
			_, err := client.Posture.CreateOnce(t.Context(), nil)
			_, also := client.Posture.FindCreated(t.Context(), nil, nil)
			assert.Equal(t, err, also)
			return err
		},
		"invalid integration: it is nil": func() error {
			_, err := client.Integrations.CreateOnce(t.Context(), nil)
			_, also := client.Integrations.FindCreated(t.Context(), nil, nil)
			assert.Equal(t, err, also)
			return err
		},
	} {
		require.EqualError(t, call(), "cfposture: "+name)
	}
}

// A rule that can't be read hides no other, and isn't taken for a new one.
func TestCreateOnceBesideAnUnreadableRule(t *testing.T) {
	server := newServer(t)
	server.AddRule([]byte(`{"id":"odd","name":5}`))
	server.AddRule([]byte(`[]`))
	synctest.Test(t, func(t *testing.T) {
		network := &fakeNetwork{server: server}
		network.post = func(carryOut func() *http.Response) (*http.Response, error) {
			server.AddRule([]byte(`{"id":"odd","name":"new","type":"warp"}`)) // now it can be
			carryOut()
			return nil, errLost
		}
		client := server.Client(cfposture.WithHTTPClient(&http.Client{Transport: network}))
		created, err := client.Posture.CreateOnce(t.Context(), &cfposture.Rule{Name: "new", Type: "warp"})
		require.NoError(t, err)
		assert.NotEqual(t, "odd", created.ID)
		assert.Equal(t, 1, network.posts)
	})
}

func TestCreateOnceOfARuleWithoutAName(t *testing.T) {
	server := newServer(t)
	synctest.Test(t, func(t *testing.T) {
		network := &fakeNetwork{server: server}
		network.post = func(func() *http.Response) (*http.Response, error) {
			server.AddRule([]byte(`{"name":"somebody else's","type":"warp"}`))
			return nil, errLost
		}
		client := server.Client(cfposture.WithHTTPClient(&http.Client{Transport: network}))
		_, err := client.Posture.CreateOnce(t.Context(), &cfposture.Rule{Type: "warp"})
		require.ErrorIs(t, err, cfposture.ErrOutcomeUnknown)
	})
}

func TestFindCreatedLooksUntilItFinds(t *testing.T) {
	for what, service := range createOnces() {
		t.Run(what, func(t *testing.T) {
			server := newServer(t)
			old := service.add(server, "new")
			synctest.Test(t, func(t *testing.T) {
				network := &fakeNetwork{server: server}
				client := server.Client(cfposture.WithHTTPClient(&http.Client{Transport: network}))
				known := func(id string) bool { return id == old }

				start := time.Now()
				_, err := service.find(t.Context(), client, known)
				require.ErrorIs(t, err, cfposture.ErrOutcomeUnknown)
				require.EqualError(t, err, "cfposture: "+what+` "new" (`+map[string]string{"rule": "disk_encryption", "integration": "kolide"}[what]+`) may exist: no new `+what+` like it appeared within 1m0s`)
				assert.Equal(t, time.Minute, time.Since(start))
				assert.Equal(t, 12, network.gets, "the pauses grow")

				added := make(chan string, 1)
				time.AfterFunc(3*time.Second, func() { added <- service.add(server, "new") })
				id, err := service.find(t.Context(), client, known)
				require.NoError(t, err)
				assert.Equal(t, <-added, id)

				_, err = service.find(t.Context(), client, nil)
				require.ErrorIs(t, err, cfposture.ErrOutcomeUnknown, "known is nil, so both are new")
				require.ErrorContains(t, err, "may exist 2 times")
			})
		})
	}
}

func TestFindCreatedEndsWithItsContext(t *testing.T) {
	server := newServer(t)
	synctest.Test(t, func(t *testing.T) {
		client := server.Client(cfposture.WithHTTPClient(&http.Client{Transport: &fakeNetwork{server: server}}))
		cause := errors.New("the program ends")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(10*time.Second, func() { cancel(cause) })
		start := time.Now()
		_, err := client.Posture.FindCreated(ctx, &cfposture.Rule{Name: "new", Type: "warp"}, nil)
		require.ErrorIs(t, err, cfposture.ErrOutcomeUnknown)
		require.ErrorIs(t, err, cause)
		assert.Equal(t, 10*time.Second, time.Since(start))
	})
}

// A look that fails says nothing, so the next one may find what there is.
func TestFindCreatedOutlivesFailedLists(t *testing.T) {
	server := newServer(t)
	synctest.Test(t, func(t *testing.T) {
		client := server.Client(cfposture.WithHTTPClient(&http.Client{Transport: &fakeNetwork{server: server}}), cfposture.WithMaxRetries(0))
		server.FailNext(3, http.StatusInternalServerError)
		id := server.AddRule([]byte(`{"name":"new","type":"warp"}`))
		found, err := client.Posture.FindCreated(t.Context(), &cfposture.Rule{Name: "new", Type: "warp"}, nil)
		require.NoError(t, err)
		assert.Equal(t, id, found.ID)

		server.FailNext(1000, http.StatusInternalServerError)
		_, err = client.Posture.FindCreated(t.Context(), &cfposture.Rule{Name: "new", Type: "warp"}, nil)
		require.ErrorIs(t, err, cfposture.ErrOutcomeUnknown)
		require.ErrorIs(t, err, cfposture.ErrServer)
		assert.True(t, strings.HasPrefix(err.Error(), `cfposture: rule "new" (warp) may exist: `), err)
	})
}
