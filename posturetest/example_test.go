package posturetest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

// platformsWithoutDiskEncryption stands for code of your own: it finds the platforms that no disk-encryption rule is
// for.
func platformsWithoutDiskEncryption(ctx context.Context, client *cfposture.Client) ([]cfposture.Platform, error) {
	missing := []cfposture.Platform{cfposture.PlatformWindows, cfposture.PlatformMac, cfposture.PlatformLinux}
	for rule, err := range client.Posture.All(ctx) {
		if err != nil {
			return nil, err
		}
		if _, ok := rule.Input.(*cfposture.DiskEncryptionInput); !ok {
			continue
		}
		for _, match := range rule.Match {
			missing = slices.DeleteFunc(missing, func(p cfposture.Platform) bool { return p == match.Platform })
		}
	}
	return missing, nil
}

// Give the server some rules, and your code the server's client.
func Example() {
	server := posturetest.NewServer() // in a test: posturetest.New(t)
	defer server.Close()
	server.PutRule(&cfposture.Rule{
		Name:  "Disks",
		Match: []cfposture.Match{{Platform: cfposture.PlatformMac}},
		Input: &cfposture.DiskEncryptionInput{RequireAll: new(true)},
	})

	client := server.Client(cfposture.WithMaxRetryWait(time.Millisecond))
	fmt.Println(platformsWithoutDiskEncryption(context.Background(), client))

	// Does it still work if the account has more rules than one page takes, and the network fails once?
	server.PutRule(&cfposture.Rule{Name: "WARP", Input: &cfposture.WARPInput{}})
	server.SetPageSize(1)
	server.CutNext(1, posturetest.CutMiddle)
	fmt.Println(platformsWithoutDiskEncryption(context.Background(), client))
	// Output:
	// [windows linux] <nil>
	// [windows linux] <nil>
}

// testOf stands for the *testing.T of a test.
type testOf struct{ cleanups []func() }

func (*testOf) Helper()            {}
func (t *testOf) Cleanup(f func()) { t.cleanups = append(t.cleanups, f) }
func (t *testOf) end() {
	for _, cleanup := range t.cleanups {
		cleanup()
	}
}

func ExampleNew() {
	t := new(testOf) // in a test, its *testing.T
	defer t.end()

	server := posturetest.New(t)
	rules, err := server.Client().Posture.List(context.Background())
	fmt.Println(len(rules), err)
	// Output: 0 <nil>
}

func ExampleNewServer() {
	server := posturetest.NewServer()
	defer server.Close()

	// Any client can use it.
	request, err := http.NewRequest(http.MethodGet, server.URL+"/accounts/"+posturetest.AccountID+"/devices/posture", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	request.Header.Set("Authorization", "Bearer "+posturetest.APIToken)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	body, err := io.ReadAll(response.Body)
	fmt.Println(string(body), err)
	// Output: {"errors":[],"messages":[],"result":[],"success":true} <nil>
}

// A server without a port works in a testing/synctest bubble, whose clock jumps over the pauses between retries.
func ExampleInMemory() {
	server := posturetest.NewServer(posturetest.InMemory())
	defer server.Close()

	rules, err := server.Client().Posture.List(context.Background())
	fmt.Println(len(rules), err)
	// Output: 0 <nil>
}

// Nobody recorded what the live API does with a DELETE of an integration that doesn't exist. Try both.
func ExampleWithBehavior() {
	for _, status := range []int{http.StatusOK, http.StatusNotFound} {
		server := posturetest.NewServer(posturetest.WithBehavior(posturetest.Behavior{DeleteMissingIntegration: status}))
		err := server.Client().Integrations.Delete(context.Background(), "f174e90a-fafe-4643-bbbc-4a0ed4fc8415")
		fmt.Println(status, errors.Is(err, cfposture.ErrNotFound))
		server.Close()
	}
	// Output:
	// 200 false
	// 404 true
}

// A program in another language adds a fault over HTTP.
func ExampleWithControl() {
	server := posturetest.NewServer(posturetest.WithControl())
	defer server.Close()
	control := strings.TrimSuffix(server.URL, "/client/v4") + "/posturetest/"

	response, err := http.Post(control+"faults", "application/json", strings.NewReader(`{"operation": "posture.list", "status": 503}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(response.StatusCode, response.Body.Close())

	_, err = server.Client(cfposture.WithMaxRetryWait(0)).Posture.List(context.Background())
	fmt.Println(len(server.Requests()), err)
	// Output:
	// 204 <nil>
	// 2 <nil>
}

// A program that keeps what the server stores writes every change before the client hears of it.
func ExampleWithOnChange() {
	var journal []string
	server := posturetest.NewServer(posturetest.WithOnChange(func(change posturetest.Change) error {
		if len(journal) == 1 {
			return errors.New("disk full")
		}
		journal = append(journal, change.Operation)
		return nil
	}))
	defer server.Close()

	client := server.Client(cfposture.WithMaxRetries(0))
	for range 2 {
		_, err := client.Posture.Create(context.Background(), &cfposture.Rule{Name: "WARP", Input: &cfposture.WARPInput{}})
		fmt.Println(err == nil)
	}
	fmt.Println(journal, len(server.Rules()))
	// Output:
	// true
	// false
	// [posture.create] 1
}

// Does your code come to rest if responses leave out what it sent?
func ExampleOmittedMembers() {
	server := posturetest.NewServer(posturetest.WithBehavior(posturetest.Behavior{
		OmittedMembers: posturetest.OmittedMembers(),
	}))
	defer server.Close()

	created, err := server.Client().Posture.Create(context.Background(), &cfposture.Rule{
		Name:  "macOS is current",
		Input: &cfposture.OSVersionInput{Operator: cfposture.OperatorGreaterOrEqual, Version: "15.5.0"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%q\n", created.Input.(*cfposture.OSVersionInput).Version)
	fmt.Printf("%q\n", server.ListRules()[0].Input.(*cfposture.OSVersionInput).Version)
	// Output:
	// ""
	// "15.5.0"
}

func ExampleParseFaults() {
	faults, err := posturetest.ParseFaults([]byte(`[
		{"operation": "posture.create", "after": 2, "times": 3, "status": 503},
		{"delay": "250ms", "times": -1}
	]`))
	fmt.Println(faults[0].Status, faults[1].Delay, err)
	_, err = posturetest.ParseFaults([]byte(`{"statuz": 503}`))
	fmt.Println(err)
	// Output:
	// 503 250ms <nil>
	// posturetest: faults: json: unknown field "statuz"
}

// A program that serves the fake takes faults from its environment.
func ExampleFaultsFromEnv() {
	_ = os.Setenv("POSTURETEST_FAULTS", `{"status": 429, "times": 3}`) // as a shell would
	defer os.Unsetenv("POSTURETEST_FAULTS")                            //nolint:errcheck // an example's own variable

	faults, err := posturetest.FaultsFromEnv()
	if err != nil {
		fmt.Println(err)
		return
	}
	server := posturetest.NewServer()
	defer server.Close()
	server.Inject(faults...)

	_, err = server.Client(cfposture.WithMaxRetries(0)).Posture.List(context.Background())
	fmt.Println(errors.Is(err, cfposture.ErrRateLimited))
	// Output: true
}

func ExampleServer_PutRule() {
	server := posturetest.NewServer()
	defer server.Close()
	id := server.PutRule(&cfposture.Rule{
		Name:  "Agent runs",
		Match: []cfposture.Match{{Platform: cfposture.PlatformMac}},
		Input: &cfposture.ApplicationInput{Path: "/Applications/Agent.app"},
	})

	rule, err := server.Client().Posture.Get(context.Background(), id)
	fmt.Println(rule.Name, rule.Type, rule.Schedule, err)
	// Output: Agent runs application 5m <nil>
}

func ExampleServer_ListRules() {
	server := posturetest.NewServer()
	defer server.Close()

	// What did the code under test make of the account?
	_, err := server.Client().Posture.Create(context.Background(), &cfposture.Rule{Name: "WARP", Input: &cfposture.WARPInput{}})
	for _, rule := range server.ListRules() {
		fmt.Println(rule.Name, rule.Type, err)
	}
	// Output: WARP warp <nil>
}

// AddRule takes what no client would send, such as a type that cfposture doesn't know yet.
func ExampleServer_AddRule() {
	server := posturetest.NewServer()
	defer server.Close()
	server.AddRule([]byte(`{"id": "1", "name": "Quantum", "type": "quantum", "input": {"qubits": 50}}`))

	rule, err := server.Client().Posture.Get(context.Background(), "1")
	fmt.Println(rule.Name, rule.Type, err)
	// Output: Quantum quantum <nil>
}

func ExampleServer_Rules() {
	server := posturetest.NewServer()
	defer server.Close()
	server.PutRule(&cfposture.Rule{ID: "1", Name: "WARP", Input: &cfposture.WARPInput{}})

	for _, rule := range server.Rules() {
		fmt.Println(string(rule))
	}
	// Output: {"enabled":true,"expiration":null,"id":"1","name":"WARP","schedule":"5m","type":"warp"}
}

func ExampleServer_PutIntegration() {
	server := posturetest.NewServer()
	defer server.Close()
	id := server.PutIntegration(&cfposture.Integration{
		Name: "Kolide", Interval: "10m", Config: &cfposture.KolideConfig{ClientID: "c-77", ClientSecret: "a secret"},
	})
	server.PutRule(&cfposture.Rule{Name: "Kolide is content", Input: &cfposture.KolideInput{
		ConnectionID: id, AuthState: []cfposture.KolideAuthState{cfposture.KolideAuthStateGood},
	}})

	integration, err := server.Client().Integrations.Get(context.Background(), id)
	fmt.Println(integration.Name, integration.Config.(*cfposture.KolideConfig).ClientID, err)
	// Output: Kolide c-77 <nil>
}

// The server has the secrets that no response holds, so that a test can check that one was rotated.
func ExampleServer_ListIntegrations() {
	server := posturetest.NewServer()
	defer server.Close()
	id := server.PutIntegration(&cfposture.Integration{
		Name: "Kolide", Interval: "10m", Config: &cfposture.KolideConfig{ClientID: "c-77", ClientSecret: "old"},
	})

	_, err := server.Client().Integrations.Update(context.Background(), id, cfposture.IntegrationUpdate{
		Config: &cfposture.KolideConfig{ClientID: "c-77", ClientSecret: "new"},
	})
	config := server.ListIntegrations()[0].Config.(*cfposture.KolideConfig)
	fmt.Println(config.ClientSecret == "new", err)
	// Output: true <nil>
}

func ExampleServer_AddIntegration() {
	server := posturetest.NewServer()
	defer server.Close()
	server.AddIntegration([]byte(`{"id": "1", "name": "Kolide", "type": "kolide", "config": {"client_id": "c-77"}}`))

	integrations, err := server.Client().Integrations.List(context.Background())
	fmt.Println(integrations[0].Name, err)
	// Output: Kolide <nil>
}

func ExampleServer_Integrations() {
	server := posturetest.NewServer()
	defer server.Close()
	server.AddIntegration([]byte(`{"id":"1","config":{"client_id":"c-77","client_secret":"a secret"},"type":"kolide"}`))

	for _, integration := range server.Integrations() {
		fmt.Println(string(integration))
	}
	// Output: {"config":{"client_id":"c-77"},"id":"1","type":"kolide"}
}

func ExampleServer_Client() {
	server := posturetest.NewServer()
	defer server.Close()

	// Options of your own replace the server's.
	client := server.Client(cfposture.WithAPIToken("another-token"), cfposture.WithMaxRetries(0))
	_, err := client.Posture.List(context.Background())
	fmt.Println(errors.Is(err, cfposture.ErrForbidden))
	// Output: true
}

func ExampleServer_Close() {
	server := posturetest.NewServer()
	server.PutRule(&cfposture.Rule{Name: "WARP", Input: &cfposture.WARPInput{}})
	server.Close()
	fmt.Println(len(server.ListRules())) // it can still be read
	// Output: 1
}

// Requests returns the received requests, without secrets.
func ExampleServer_Requests() {
	server := posturetest.NewServer()
	defer server.Close()

	rule, err := server.Client().Posture.Create(context.Background(), &cfposture.Rule{Name: "WARP", Input: &cfposture.WARPInput{}})
	if err == nil {
		err = server.Client().Posture.Delete(context.Background(), rule.ID)
	}
	for _, request := range server.Requests() {
		fmt.Println(request.Operation, request.Method, request.Header.Get("Authorization"), err)
	}
	// Output:
	// posture.create POST Bearer [redacted] <nil>
	// posture.delete DELETE Bearer [redacted] <nil>
}

func ExampleServer_KeepRequests() {
	server := posturetest.NewServer()
	defer server.Close()
	server.KeepRequests(1)

	for range 3 {
		if _, err := server.Client().Posture.List(context.Background()); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(len(server.Requests()))
	// Output: 1
}

// One server can serve several tests.
func ExampleServer_Reset() {
	server := posturetest.NewServer()
	defer server.Close()
	server.PutRule(&cfposture.Rule{Name: "WARP", Input: &cfposture.WARPInput{}})

	server.Reset()
	fmt.Println(len(server.Rules()), len(server.Requests()))
	// Output: 0 0
}

func ExampleServer_SetPageSize() {
	server := posturetest.NewServer()
	defer server.Close()
	for range 5 {
		server.PutRule(&cfposture.Rule{Name: "WARP", Input: &cfposture.WARPInput{}})
	}
	server.SetPageSize(2)

	rules, err := server.Client().Posture.List(context.Background())
	fmt.Println(len(rules), "rules by", len(server.Requests()), "requests", err)
	// Output: 5 rules by 3 requests <nil>
}

func ExampleServer_SetBehavior() {
	server := posturetest.NewServer()
	defer server.Close()
	client := server.Client()

	fmt.Println(client.Posture.Delete(context.Background(), "f174e90a-fafe-4643-bbbc-4a0ed4fc8415"))
	server.SetBehavior(posturetest.Behavior{DeleteMissingRule: http.StatusNotFound})
	err := client.Posture.Delete(context.Background(), "f174e90a-fafe-4643-bbbc-4a0ed4fc8415")
	fmt.Println(errors.Is(err, cfposture.ErrNotFound))
	// Output:
	// <nil>
	// true
}

// The credentials of a third party's service are wrong.
func ExampleServer_Inject() {
	server := posturetest.NewServer()
	defer server.Close()
	server.Inject(posturetest.Fault{
		Operation: "integrations.create", Status: http.StatusBadRequest,
		Code: 2046, Message: "invalid posture integration request: invalid credentials",
	})

	_, err := server.Client().Integrations.Create(context.Background(), &cfposture.Integration{
		Name: "Kolide", Interval: "10m", Config: &cfposture.KolideConfig{ClientID: "c-77", ClientSecret: "a secret"},
	})
	var refused *cfposture.Error
	fmt.Println(errors.As(err, &refused) && refused.HasCode(2046), len(server.Integrations()))
	// Output: true 0
}

func ExampleServer_ClearFaults() {
	server := posturetest.NewServer()
	defer server.Close()
	server.Inject(posturetest.Fault{Status: http.StatusServiceUnavailable, Times: -1}) // until it is cleared
	client := server.Client(cfposture.WithMaxRetries(0))

	_, err := client.Posture.List(context.Background())
	fmt.Println(err != nil)
	server.ClearFaults()
	_, err = client.Posture.List(context.Background())
	fmt.Println(err != nil)
	// Output:
	// true
	// false
}

func ExampleServer_FailNext() {
	server := posturetest.NewServer()
	defer server.Close()

	server.FailNext(2, http.StatusInternalServerError)
	_, err := server.Client(cfposture.WithMaxRetryWait(time.Millisecond)).Posture.List(context.Background())
	fmt.Println(len(server.Requests()), "requests", err)
	// Output: 3 requests <nil>
}

// A gateway gives up on a POST that the API carries out.
func ExampleServer_LoseNext() {
	server := posturetest.NewServer()
	defer server.Close()

	server.LoseNext(1, http.StatusGatewayTimeout)
	_, err := server.Client().Posture.Create(context.Background(), &cfposture.Rule{Name: "WARP", Input: &cfposture.WARPInput{}})
	fmt.Println(errors.Is(err, cfposture.ErrOutcomeUnknown), len(server.Rules()))
	// Output: true 1
}

func ExampleServer_DelayNext() {
	server := posturetest.NewServer()
	defer server.Close()

	server.DelayNext(1, time.Hour)
	client := server.Client(cfposture.WithTimeout(10*time.Millisecond), cfposture.WithMaxRetries(0))
	_, err := client.Posture.List(context.Background())
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	// Output: true
}

func ExampleServer_CutNext() {
	server := posturetest.NewServer()
	defer server.Close()

	server.CutNext(1, posturetest.CutAfter)
	_, err := server.Client().Posture.Create(context.Background(), &cfposture.Rule{Name: "WARP", Input: &cfposture.WARPInput{}})
	fmt.Println(errors.Is(err, cfposture.ErrOutcomeUnknown), len(server.Rules()))
	// Output: true 1
}

func ExampleServer_LimitNext() {
	server := posturetest.NewServer()
	defer server.Close()

	server.LimitNext(1, 10*time.Minute)
	client := server.Client(cfposture.WithMaxRetryWait(time.Minute))
	_, err := client.Posture.List(context.Background())
	fmt.Println(errors.Is(err, cfposture.ErrRateLimited), len(server.Requests()))
	// Output: true 1
}

// The API behind a handler of your own, here one that adds a header.
func ExampleServer_Handler() {
	fake := posturetest.NewServer(posturetest.InMemory())
	defer fake.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Proxy", "mine")
		fake.Handler().ServeHTTP(w, r)
	}))
	defer server.Close()

	var response cfposture.Response
	client := fake.Client(cfposture.WithBaseURL(server.URL+"/client/v4"), cfposture.WithHTTPClient(nil))
	_, err := client.Posture.List(context.Background(), cfposture.WithResponse(&response))
	fmt.Println(response.Header.Get("X-Proxy"), err)
	// Output: mine <nil>
}

// Code that makes its own client can be given a transport.
func ExampleServer_Transport() {
	server := posturetest.NewServer(posturetest.InMemory())
	defer server.Close()

	client, err := cfposture.NewClient(
		cfposture.WithHTTPClient(&http.Client{Transport: server.Transport()}),
		cfposture.WithAPIToken(posturetest.APIToken),
		cfposture.WithAccountID(posturetest.AccountID),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	rules, err := client.Posture.List(context.Background())
	fmt.Println(len(rules), err)
	// Output: 0 <nil>
}
