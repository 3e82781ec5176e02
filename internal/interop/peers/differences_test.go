package peers_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	cloudflarev0 "github.com/cloudflare/cloudflare-go"
	cloudflarev7 "github.com/cloudflare/cloudflare-go/v7"
	"github.com/cloudflare/cloudflare-go/v7/option"
	"github.com/cloudflare/cloudflare-go/v7/zero_trust"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/apifacts"
	"github.com/cfposture/cfposture/internal/interop/official"
	"github.com/cfposture/cfposture/posturetest"
)

// The tests below say what the official clients of these versions do. One that fails after an upgrade is news: the
// comparisons in README.md and internal/interop/README.md have to follow.
func TestVersionsAreTheComparedOnes(t *testing.T) {
	module, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	assert.Contains(t, string(module), "github.com/cloudflare/cloudflare-go/v7 "+official.V7Version+"\n")
	assert.Contains(t, string(module), "github.com/cloudflare/cloudflare-go "+official.V0Version+"\n")
}

// v7Right is the type of v7's that the input of each type of rule should become. v7 has none for gateway and warp.
var v7Right = map[string]any{
	"file":                  zero_trust.FileInput{},
	"application":           zero_trust.DeviceInputTeamsDevicesApplicationInputRequest{},
	"tanium":                zero_trust.TaniumInput{},
	"gateway":               nil,
	"warp":                  nil,
	"disk_encryption":       zero_trust.DiskEncryptionInput{},
	"serial_number":         zero_trust.DeviceInputTeamsDevicesAccessSerialNumberListInputRequest{},
	"sentinelone":           zero_trust.SentineloneInput{},
	"carbonblack":           zero_trust.DeviceInputTeamsDevicesCarbonblackInputRequest{},
	"firewall":              zero_trust.FirewallInput{},
	"os_version":            zero_trust.OSVersionInput{},
	"domain_joined":         zero_trust.DomainJoinedInput{},
	"client_certificate":    zero_trust.ClientCertificateInput{},
	"client_certificate_v2": zero_trust.DeviceInputTeamsDevicesClientCertificateV2InputRequest{},
	"antivirus":             zero_trust.DeviceInputTeamsDevicesAntivirusInputRequest{},
	"unique_client_id":      zero_trust.UniqueClientIDInput{},
	"kolide":                zero_trust.KolideInput{},
	"tanium_s2s":            zero_trust.TaniumInput{},
	"crowdstrike_s2s":       zero_trust.CrowdstrikeInput{},
	"intune":                zero_trust.IntuneInput{},
	"workspace_one":         zero_trust.WorkspaceOneInput{},
	"sentinelone_s2s":       zero_trust.SentineloneS2sInput{},
	"custom_s2s":            zero_trust.DeviceInputTeamsDevicesCustomS2sInputRequest{},
}

// readByBoth puts a rule with the input on a server and returns what each client makes of the input.
func readByBoth(t *testing.T, ruleType, input string) (theirs zero_trust.DeviceInputUnion, ours cfposture.DeviceInput) {
	t.Helper()
	server := newServer(t)
	id := server.AddRule(fmt.Appendf(nil, `{"input":%s,"match":[],"name":"n","schedule":"5m","type":%q}`, input, ruleType))
	rule, err := newV7(server).Get(t.Context(), id, zero_trust.DevicePostureGetParams{AccountID: account})
	require.NoError(t, err)
	read, err := server.Client().Posture.Get(t.Context(), id)
	require.NoError(t, err)
	return rule.Input.AsUnion(), read.Input
}

// isRight reports whether v7's union holds what it should.
func isRight(ruleType string, union zero_trust.DeviceInputUnion) bool {
	return fmt.Sprintf("%T", v7Right[ruleType]) == fmt.Sprintf("%T", union)
}

// v7Guesses are the types whose sample, with every member of the type, v7 takes for another's: 7 of 23.
var v7Guesses = map[string]string{
	"application":   "FileInput",
	"gateway":       "FileInput",
	"warp":          "FileInput",
	"serial_number": "UniqueClientIDInput",
	"sentinelone":   "FileInput",
	"carbonblack":   "FileInput",
	"os_version":    "FileInput", // of a platform that its documents don't have
}

func TestV7TakesWholeInputsForThoseOfOtherTypes(t *testing.T) {
	for _, ruleType := range apifacts.RuleTypes {
		t.Run(ruleType.Name, func(t *testing.T) {
			sample := ruleType.Input
			if sample == "" {
				sample = "{}"
			}
			theirs, ours := readByBoth(t, ruleType.Name, sample)
			assert.IsType(t, cfposture.NewInput(cfposture.RuleType(ruleType.Name)), ours)
			guess, wrong := v7Guesses[ruleType.Name]
			assert.Equal(t, !wrong, isRight(ruleType.Name, theirs), "%T", theirs)
			if wrong {
				assert.Equal(t, guess, typeName(theirs))
			}
		})
	}
}

func typeName(v any) string { return strings.TrimPrefix(fmt.Sprintf("%T", v), "zero_trust.") }

// v7GuessesOfShapes are what v7 makes of apifacts.Shapes, in their order: "" where that is right, as 7 of 27 are.
var v7GuessesOfShapes = []string{
	"",                       // file, all members of a program
	"FileInput",              // application, the same
	"FileInput",              // carbonblack, the same
	"FileInput",              // sentinelone, the same
	"",                       // file, path alone
	"FileInput",              // gateway, empty
	"FileInput",              // warp, empty
	"FileInput",              // disk_encryption, empty
	"FileInput",              // antivirus, empty
	"FileInput",              // domain_joined, empty
	"FileInput",              // tanium, empty
	"FileInput",              // domain_joined, operating_system alone
	"FileInput",              // firewall, the same
	"FileInput",              // os_version, the same
	"WorkspaceOneInput",      // kolide, connection_id alone
	"WorkspaceOneInput",      // tanium_s2s, the same
	"WorkspaceOneInput",      // crowdstrike_s2s, the same
	"WorkspaceOneInput",      // sentinelone_s2s, the same
	"",                       // tanium, all members
	"",                       // tanium_s2s, the same
	"WorkspaceOneInput",      // intune, a status both know
	"",                       // workspace_one, the same
	"CrowdstrikeInput",       // custom_s2s, connection_id and operator
	"UniqueClientIDInput",    // serial_number
	"",                       // unique_client_id, id alone
	"",                       // client_certificate
	"ClientCertificateInput", // client_certificate_v2, the same
}

func TestV7TakesAmbiguousInputsForThoseOfOtherTypes(t *testing.T) {
	require.Len(t, v7GuessesOfShapes, len(apifacts.Shapes))
	for i, shape := range apifacts.Shapes {
		t.Run(fmt.Sprintf("%s %s", shape.Type, shape.Input), func(t *testing.T) {
			theirs, ours := readByBoth(t, shape.Type, shape.Input)
			assert.IsType(t, cfposture.NewInput(cfposture.RuleType(shape.Type)), ours)
			if v7GuessesOfShapes[i] == "" {
				assert.True(t, isRight(shape.Type, theirs), "%T", theirs)
				return
			}
			assert.False(t, isRight(shape.Type, theirs))
			assert.Equal(t, v7GuessesOfShapes[i], typeName(theirs))
		})
	}
}

// live is a rule as the dashboard makes it, with members on every level that no document names.
const live = `{"id":"f174e90a-fafe-4643-bbbc-4a0ed4fc8415","input":{"flavor":"application","operating_system":"windows",` +
	`"path":"C:\\agent.exe","running":true},"match":[{"edition":"pro","platform":"windows"}],"name":"Agent","priority":1.10,` +
	`"schedule":"5m","type":"application"}`

func TestReadingAndWritingBackLosesMembersInTheOfficialClientsAlone(t *testing.T) {
	for name, test := range map[string]struct {
		lost      []string
		writeBack func(*testing.T, *posturetest.Server, string)
	}{
		"v7": {
			[]string{"input.flavor", "input.running", "match", "priority"},
			func(t *testing.T, server *posturetest.Server, id string) {
				client := newV7(server)
				rule, err := client.Get(t.Context(), id, zero_trust.DevicePostureGetParams{AccountID: account})
				require.NoError(t, err)
				params, err := official.V7UpdateRule(accountID, []byte(rule.JSON.RawJSON()))
				require.NoError(t, err)
				_, err = client.Update(t.Context(), id, params)
				require.NoError(t, err)
			},
		},
		"v0": {
			[]string{"input.flavor", "input.operating_system", "match", "priority"},
			func(t *testing.T, server *posturetest.Server, id string) {
				client := newV0(t, server)
				rule, err := client.DevicePostureRule(t.Context(), accountID, id)
				require.NoError(t, err)
				_, err = client.UpdateDevicePostureRule(t.Context(), accountID, rule)
				require.NoError(t, err)
			},
		},
		"cfposture": {
			nil,
			func(t *testing.T, server *posturetest.Server, id string) {
				client := server.Client()
				rule, err := client.Posture.Get(t.Context(), id)
				require.NoError(t, err)
				_, err = client.Posture.Update(t.Context(), rule)
				require.NoError(t, err)
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t)
			id := server.AddRule([]byte(live))
			test.writeBack(t, server, id)
			assert.ElementsMatch(t, test.lost, lost(t, []byte(live), last(t, server.Rules())))
		})
	}
}

func TestOneScoreWithDecimalsHidesTheWholeListFromV0(t *testing.T) {
	server := newServer(t)
	for _, name := range []string{"file", "custom_s2s"} {
		ruleType, _ := apifacts.FindRuleType(name)
		server.AddRule(ruleType.Sample())
	}
	rules, _, err := newV0(t, server).DevicePostureRules(t.Context(), accountID)
	require.Error(t, err)
	assert.Empty(t, rules)

	page, err := newV7(server).List(t.Context(), zero_trust.DevicePostureListParams{AccountID: account})
	require.NoError(t, err)
	assert.Len(t, page.Result, 2)
	read, err := server.Client().Posture.List(t.Context())
	require.NoError(t, err)
	assert.Len(t, read, 2)
}

func TestPOSTAnswered502IsSentAgainByTheOfficialClients(t *testing.T) {
	ruleType, _ := apifacts.FindRuleType("disk_encryption")
	for name, test := range map[string]struct {
		rules  int
		create func(context.Context, *testing.T, *posturetest.Server) error
	}{
		"v7": {3, func(ctx context.Context, t *testing.T, server *posturetest.Server) error {
			request, _ := sampleRule(t, ruleType)
			params, err := official.V7NewRule(accountID, request)
			require.NoError(t, err)
			_, err = newV7(server).New(ctx, params)
			return err
		}},
		"v0": {4, func(ctx context.Context, t *testing.T, server *posturetest.Server) error {
			request, _ := sampleRule(t, ruleType)
			_, err := newV0(t, server).CreateDevicePostureRule(ctx, accountID, v0Rule(t, request))
			return err
		}},
		"cfposture": {1, func(ctx context.Context, t *testing.T, server *posturetest.Server) error {
			_, rule := sampleRule(t, ruleType)
			_, err := server.Client().Posture.Create(ctx, rule)
			require.ErrorIs(t, err, cfposture.ErrOutcomeUnknown)
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t)
			server.LoseNext(10, http.StatusBadGateway)
			require.Error(t, test.create(t.Context(), t, server))
			assert.Len(t, server.Rules(), test.rules)
		})
	}
}

func TestFailureCalled200IsTakenForSuccessByTheOfficialClients(t *testing.T) {
	server := newServer(t)
	const id = "f174e90a-fafe-4643-bbbc-4a0ed4fc8415"

	server.FailNext(1, http.StatusOK)
	rule, err := newV7(server).Get(t.Context(), id, zero_trust.DevicePostureGetParams{AccountID: account})
	require.NoError(t, err)
	assert.Empty(t, rule.ID)

	server.FailNext(1, http.StatusOK)
	ruleOfV0, err := newV0(t, server).DevicePostureRule(t.Context(), accountID, id)
	require.NoError(t, err)
	assert.Empty(t, ruleOfV0)

	server.FailNext(1, http.StatusOK)
	_, err = server.Client().Posture.Get(t.Context(), id)
	var answer *cfposture.Error
	require.ErrorAs(t, err, &answer)
}

func TestIDWithDotsLeadsTheOfficialClientsToAnotherEndpoint(t *testing.T) {
	const id = "../../../zones"
	for name, test := range map[string]struct {
		path string
		get  func(*testing.T, *posturetest.Server) error
	}{
		"v7": {"/accounts/zones", func(t *testing.T, server *posturetest.Server) error {
			_, err := newV7(server).Get(t.Context(), id, zero_trust.DevicePostureGetParams{AccountID: account})
			return err
		}},
		// Left for the server to resolve, as most do.
		"v0": {"/accounts/" + accountID + "/devices/posture/../../../zones", func(t *testing.T, server *posturetest.Server) error {
			_, err := newV0(t, server).DevicePostureRule(t.Context(), accountID, id)
			return err
		}},
		"cfposture": {"/accounts/" + accountID + "/devices/posture/..%2F..%2F..%2Fzones", func(t *testing.T, server *posturetest.Server) error {
			_, err := server.Client().Posture.Get(t.Context(), id)
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t)
			require.Error(t, test.get(t, server))
			requests := server.Requests()
			require.Len(t, requests, 1)
			assert.Equal(t, test.path, requests[0].Path)
		})
	}
}

func TestRedirectToAnotherHostTakesTheAPIKeyAlongInTheOfficialClients(t *testing.T) {
	for name, test := range map[string]struct {
		key string
		get func(ctx context.Context, baseURL string) error
	}{
		"v7": {posturetest.APIKey, func(ctx context.Context, baseURL string) error {
			client := cloudflarev7.NewClient(option.WithBaseURL(baseURL+"/"), option.WithAPIEmail(posturetest.APIEmail),
				option.WithAPIKey(posturetest.APIKey), option.WithMaxRetries(0))
			_, err := client.ZeroTrust.Devices.Posture.Get(ctx, "id", zero_trust.DevicePostureGetParams{AccountID: account})
			return err
		}},
		"v0": {posturetest.APIKey, func(ctx context.Context, baseURL string) error {
			client, err := cloudflarev0.New(posturetest.APIKey, posturetest.APIEmail, cloudflarev0.BaseURL(baseURL),
				cloudflarev0.UsingRetryPolicy(0, 0, 0))
			if err == nil {
				_, err = client.DevicePostureRule(ctx, accountID, "id")
			}
			return err
		}},
		"cfposture": {"", func(ctx context.Context, baseURL string) error {
			client, err := cfposture.NewClient(cfposture.WithoutEnvironment(), cfposture.WithBaseURL(baseURL),
				cfposture.WithAPIKey(posturetest.APIEmail, posturetest.APIKey), cfposture.WithAccountID(accountID),
				cfposture.WithMaxRetries(0))
			if err == nil {
				_, err = client.Posture.Get(ctx, "id")
			}
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			keys := make(chan string, 10)
			other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				keys <- r.Header.Get("X-Auth-Key")
				w.WriteHeader(http.StatusNotFound)
			}))
			defer other.Close()
			elsewhere := strings.Replace(other.URL, "127.0.0.1", "localhost", 1)
			api := httptest.NewServer(http.RedirectHandler(elsewhere, http.StatusFound))
			defer api.Close()

			require.Error(t, test.get(t.Context(), api.URL))
			close(keys)
			assert.Equal(t, test.key, <-keys, "the key that came to the other host")
		})
	}
}

func TestLongRetryAfterBlocksTheOfficialClientUntilTheContextEnds(t *testing.T) {
	server := newServer(t)
	server.LimitNext(10, 2*time.Minute)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	_, err := newV7(server).Get(ctx, "id", zero_trust.DevicePostureGetParams{AccountID: account})
	require.ErrorIs(t, err, context.DeadlineExceeded)

	// Without a deadline at all.
	_, err = server.Client().Posture.Get(context.WithoutCancel(t.Context()), "id")
	var answer *cfposture.Error
	require.ErrorAs(t, err, &answer)
	assert.Equal(t, 2*time.Minute, answer.RetryAfter)
}

func TestPrintingAConfigShowsItsSecretInTheOfficialClients(t *testing.T) {
	const secret = "a-secret-to-hide"
	v7 := zero_trust.DevicePostureIntegrationNewParamsConfig{ClientSecret: cloudflarev7.F(secret)}
	v0 := cloudflarev0.DevicePostureIntegrationConfig{ClientSecret: secret}
	ours := cfposture.KolideConfig{ClientSecret: secret}
	for _, verb := range []string{"%v", "%+v"} {
		assert.Contains(t, fmt.Sprintf(verb, v7), secret)
		assert.Contains(t, fmt.Sprintf(verb, v0), secret)
		assert.NotContains(t, fmt.Sprintf(verb, ours), secret)
		assert.NotContains(t, fmt.Sprintf(verb, &ours), secret)
	}
}

// Every number that v7 reads becomes a float64, which may be another number.
func TestNumbersBeyondAFloat64AreKeptByCFPostureOnly(t *testing.T) {
	const text = `{"id":"1","input":{"connection_id":"` + apifacts.ConnectionID + `","total_score":12345678901234567890},"name":"n","schedule":"5m","type":"tanium_s2s"}`
	server := newServer(t)
	id := server.AddRule([]byte(text))

	theirs := newV7(server)
	rule, err := theirs.Get(t.Context(), id, zero_trust.DevicePostureGetParams{AccountID: account})
	require.NoError(t, err)
	params, err := official.V7UpdateRule(accountID, []byte(rule.JSON.RawJSON()))
	require.NoError(t, err)
	_, err = theirs.Update(t.Context(), id, params)
	require.NoError(t, err)
	assert.NotContains(t, string(last(t, server.Rules())), "12345678901234567890")

	server.AddRule([]byte(text))
	ours := server.Client().Posture
	read, err := ours.Get(t.Context(), id)
	require.NoError(t, err)
	_, err = ours.Update(t.Context(), read)
	require.NoError(t, err)
	assert.Contains(t, string(last(t, server.Rules())), `"total_score":12345678901234567890}`)
	assert.True(t, json.Valid(last(t, server.Rules())))
}
