package live_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/apifacts"
)

// A run checks one account.
type run struct {
	client      *cfposture.Client
	wire        *wire
	prefix      string // of every name that the run gives
	list        string // an ID; empty leaves out what needs a list
	certificate string // likewise
	integration []byte // what to create; empty leaves the integrations out
}

func newPrefix() string { return "cfposture-live-" + strings.ToLower(rand.Text()[:8]) + "-" }

// check is everything that is checked, flow by flow and fact by fact. It returns what it found where the facts leave it
// open.
func (r *run) check(t *testing.T) (found map[string]string) {
	t.Helper()
	defer func() {
		assert.NoError(t, r.sweep(context.WithoutCancel(t.Context())), "sweeping up what begins with "+r.prefix)
	}()

	t.Run("a rule's life", r.ruleLife)
	t.Run("an integration's life", r.integrationLife)
	t.Run("rules of every type that needs no integration", r.everyType)
	t.Run("operating_system may be left out", r.withoutOperatingSystem)
	t.Run("os_version works on every platform", r.everyPlatform)
	t.Run("a rule may lack a name and comes back with an empty one", r.nameless)
	t.Run("the schedule is 5m where none is given", r.defaultSchedule)
	t.Run("PUT resets what is absent", r.putResets)
	t.Run("members that no document names are kept", r.unknownMembers)
	t.Run("a wrong token is 403 with code 10000 or 9109", r.wrongToken)
	t.Run("a malformed token is 400 with code 6003 and 6111 in its chain", r.malformedToken)
	t.Run("a rule that doesn't exist is 404 or has code 6024", r.unknownRule)
	t.Run("responses have a ray and the rate limit", r.headers)
	t.Run("open questions", func(t *testing.T) { found = r.findings(t) })
	return found
}

// sweep deletes every rule and integration whose name begins with the run's prefix; or the description, for the one
// rule that is to have no name.
func (r *run) sweep(ctx context.Context) error {
	rules, err := r.client.Posture.List(ctx)
	if err != nil {
		return err
	}
	var failed []error
	for _, rule := range rules {
		if strings.HasPrefix(rule.Name, r.prefix) || strings.HasPrefix(rule.Description, r.prefix) {
			failed = append(failed, r.client.Posture.Delete(ctx, rule.ID))
		}
	}
	integrations, err := r.client.Integrations.List(ctx)
	for _, integration := range integrations {
		if strings.HasPrefix(integration.Name, r.prefix) {
			failed = append(failed, r.client.Integrations.Delete(ctx, integration.ID))
		}
	}
	return errors.Join(append(failed, err)...)
}

// create makes a rule that is deleted when the test ends. Its name, given or not, begins with the run's prefix.
func (r *run) create(t *testing.T, rule *cfposture.Rule) *cfposture.Rule {
	t.Helper()
	rule.Name = r.prefix + rule.Name
	return r.createAsIs(t, rule)
}

func (r *run) createAsIs(t *testing.T, rule *cfposture.Rule) *cfposture.Rule {
	t.Helper()
	created, err := r.client.Posture.Create(t.Context(), rule)
	require.NoError(t, err)
	t.Cleanup(func() {
		err := r.client.Posture.Delete(context.WithoutCancel(t.Context()), created.ID)
		if !errors.Is(err, cfposture.ErrNotFound) {
			assert.NoError(t, err)
		}
	})
	return created
}

func (r *run) ruleLife(t *testing.T) {
	posture := r.client.Posture
	created := r.create(t, &cfposture.Rule{
		Name:        "life",
		Description: "Every disk is encrypted.",
		Schedule:    cfposture.Every(30 * time.Minute),
		Match:       []cfposture.Match{{Platform: cfposture.PlatformWindows}, {Platform: cfposture.PlatformMac}},
		Input:       &cfposture.DiskEncryptionInput{RequireAll: new(true)},
	})
	rules, err := posture.List(t.Context())
	require.NoError(t, err)
	assert.True(t, slices.ContainsFunc(rules, func(rule *cfposture.Rule) bool { return rule.ID == created.ID }))

	rule, err := posture.Get(t.Context(), created.ID)
	require.NoError(t, err)
	assert.Equal(t, cfposture.Interval("30m"), rule.Schedule)
	rule.Schedule = cfposture.Every(time.Hour)
	updated, err := posture.Update(t.Context(), rule)
	require.NoError(t, err)
	assert.Equal(t, rule, updated, "nothing but the schedule has changed")

	require.NoError(t, posture.Delete(t.Context(), created.ID))
	_, err = posture.Get(t.Context(), created.ID)
	assert.ErrorIs(t, err, cfposture.ErrNotFound)
}

func (r *run) integrationLife(t *testing.T) {
	if len(r.integration) == 0 {
		t.Skipf("%s is not set", envIntegration)
	}
	integrations := r.client.Integrations
	integration := new(cfposture.Integration)
	require.NoError(t, json.Unmarshal(r.integration, integration))
	integration.Name = r.prefix + "life"
	created, err := integrations.Create(t.Context(), integration)
	require.NoError(t, err)
	assert.Equal(t, integration.Type, created.Type)
	text, err := json.Marshal(created)
	require.NoError(t, err)
	for _, secret := range apifacts.Secrets() {
		assert.NotContains(t, string(text), `"`+secret+`"`, "secrets never come back")
	}

	updated, err := integrations.Update(t.Context(), created.ID, cfposture.IntegrationUpdate{Interval: new(cfposture.Every(12 * time.Hour))})
	require.NoError(t, err)
	assert.Equal(t, cfposture.Interval("12h"), updated.Interval)
	assert.Equal(t, created.Name, updated.Name, "PATCH leaves what is absent")
	assert.Equal(t, created.Config, updated.Config)

	require.NoError(t, integrations.Delete(t.Context(), created.ID))
	_, err = integrations.Get(t.Context(), created.ID)
	assert.ErrorIs(t, err, cfposture.ErrNotFound)
}

func (r *run) everyType(t *testing.T) {
	for _, ruleType := range apifacts.RuleTypes {
		t.Run(ruleType.Name, func(t *testing.T) {
			rule := r.minimal(t, ruleType)
			created := r.create(t, rule)
			assert.Equal(t, cfposture.RuleType(ruleType.Name), created.Type)
			if ruleType.Minimal != "" {
				assert.IsType(t, cfposture.NewInput(created.Type), created.Input)
			}
			require.NoError(t, created.Validate())
			read, err := r.client.Posture.Get(t.Context(), created.ID)
			require.NoError(t, err)
			assert.Equal(t, created, read)
		})
	}
}

// minimal returns a rule with no more than its type needs, or skips the test where the account has no list or no
// certificate for it. What needs an integration is left out.
func (r *run) minimal(t *testing.T, ruleType apifacts.RuleType) *cfposture.Rule {
	t.Helper()
	for _, member := range ruleType.Members {
		if member.Name == "connection_id" {
			t.Skip("needs an integration")
		}
	}
	rule := &cfposture.Rule{Type: cfposture.RuleType(ruleType.Name)}
	if ruleType.Minimal == "" {
		return rule
	}
	var err error
	rule.Input, err = cfposture.ParseInput(rule.Type, []byte(ruleType.Minimal))
	require.NoError(t, err)
	switch input := rule.Input.(type) {
	case *cfposture.SerialNumberInput:
		input.ID = needs(t, r.list, envList)
	case *cfposture.UniqueClientIDInput:
		input.ID = needs(t, r.list, envList)
	case *cfposture.ClientCertificateInput:
		input.CertificateID = needs(t, r.certificate, envCertificate)
	case *cfposture.ClientCertificateV2Input:
		input.CertificateID = needs(t, r.certificate, envCertificate)
	default: // complete as it is
	}
	return rule
}

func needs(t *testing.T, value, variable string) string {
	t.Helper()
	if value == "" {
		t.Skipf("%s is not set", variable)
	}
	return value
}

func (r *run) withoutOperatingSystem(t *testing.T) {
	for _, ruleType := range apifacts.RuleTypes {
		for _, member := range ruleType.Members {
			if member.Name == "operating_system" && member.LiveOptional {
				t.Run(ruleType.Name, func(t *testing.T) {
					assert.NotContains(t, ruleType.Minimal, member.Name)
					r.create(t, r.minimal(t, ruleType))
				})
			}
		}
	}
}

func (r *run) everyPlatform(t *testing.T) {
	for _, platform := range apifacts.Platforms {
		t.Run(platform, func(t *testing.T) {
			created := r.create(t, &cfposture.Rule{
				Match: []cfposture.Match{{Platform: cfposture.Platform(platform)}},
				Input: &cfposture.OSVersionInput{
					OperatingSystem: cfposture.Platform(platform), Operator: cfposture.OperatorGreaterOrEqual, Version: "10.0.0",
				},
			})
			assert.Equal(t, cfposture.Platform(platform), created.Input.(*cfposture.OSVersionInput).OperatingSystem)
		})
	}
}

func (r *run) nameless(t *testing.T) {
	created := r.createAsIs(t, &cfposture.Rule{Description: r.prefix + "nameless", Input: &cfposture.DiskEncryptionInput{}})
	assert.Empty(t, created.Name)
}

func (r *run) defaultSchedule(t *testing.T) {
	created := r.create(t, &cfposture.Rule{Input: &cfposture.DiskEncryptionInput{}})
	assert.Equal(t, cfposture.Interval(apifacts.DefaultSchedule), created.Schedule)
}

func (r *run) putResets(t *testing.T) {
	created := r.create(t, &cfposture.Rule{
		Description: "goes", Schedule: "1h", Expiration: "2h", Input: &cfposture.DiskEncryptionInput{RequireAll: new(true)},
	})
	updated, err := r.client.Posture.Update(t.Context(), &cfposture.Rule{
		ID: created.ID, Name: created.Name, Input: &cfposture.DiskEncryptionInput{RequireAll: new(true)},
	})
	require.NoError(t, err)
	assert.Empty(t, updated.Description)
	assert.Empty(t, updated.Expiration)
	assert.Equal(t, cfposture.Interval(apifacts.DefaultSchedule), updated.Schedule)
}

func (r *run) unknownMembers(t *testing.T) {
	input := &cfposture.ApplicationInput{
		OperatingSystem: cfposture.PlatformWindows, Path: `C:\agent.exe`,
		Extra: map[string]json.RawMessage{"running": json.RawMessage("true"), "flavor": json.RawMessage(`"application"`)},
	}
	created := r.create(t, &cfposture.Rule{Match: []cfposture.Match{{Platform: cfposture.PlatformWindows}}, Input: input})
	read, err := r.client.Posture.Get(t.Context(), created.ID)
	require.NoError(t, err)
	assert.Equal(t, input.Extra, read.Input.(*cfposture.ApplicationInput).Extra)
}

func (r *run) wrongToken(t *testing.T) {
	_, err := r.client.Posture.List(t.Context(), cfposture.WithAPIToken(strings.Repeat("0", 40)))
	refused := asError(t, err)
	require.ErrorIs(t, err, cfposture.ErrForbidden)
	assert.True(t, refused.HasCode(apifacts.CodeAuthentication) || refused.HasCode(apifacts.CodeInvalidToken), "%v", err)
}

func (r *run) malformedToken(t *testing.T) {
	_, err := r.client.Posture.List(t.Context(), cfposture.WithAPIToken("not a token"))
	refused := asError(t, err)
	assert.Equal(t, 400, refused.StatusCode)
	assert.True(t, refused.HasCode(apifacts.CodeInvalidHeaders), "%v", err)
	assert.True(t, refused.HasCode(apifacts.CodeMalformedBearer), "%v", err)
}

func (r *run) unknownRule(t *testing.T) {
	_, err := r.client.Posture.Get(t.Context(), missingID)
	refused := asError(t, err)
	assert.True(t, refused.StatusCode == 404 || refused.HasCode(apifacts.CodeRuleNotFound), "%v", err)
}

func (r *run) headers(t *testing.T) {
	var response cfposture.Response
	_, err := r.client.Posture.List(t.Context(), cfposture.WithResponse(&response))
	require.NoError(t, err)
	assert.NotEmpty(t, response.RayID)
	assert.NotEmpty(t, response.RateLimit.Policy)
	assert.Positive(t, response.RateLimit.Remaining)
}

func asError(t *testing.T, err error) *cfposture.Error {
	t.Helper()
	var refused *cfposture.Error
	require.ErrorAs(t, err, &refused)
	return refused
}
