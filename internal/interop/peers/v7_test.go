package peers_test

import (
	"testing"

	"github.com/cloudflare/cloudflare-go/v7/zero_trust"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/apifacts"
	"github.com/cfposture/cfposture/internal/interop/official"
)

func TestV7AndCFPostureDoTheSameWithRulesOfEveryType(t *testing.T) {
	for _, ruleType := range apifacts.RuleTypes {
		t.Run(ruleType.Name, func(t *testing.T) {
			server := newServer(t)
			theirs, ours := newV7(server), server.Client()
			request, rule := sampleRule(t, ruleType)
			params, err := official.V7NewRule(accountID, request)
			require.NoError(t, err)

			created, err := theirs.New(t.Context(), params)
			require.NoError(t, err)
			stateOfTheirs := without(t, last(t, server.Rules()), "id")
			made, err := ours.Posture.Create(t.Context(), rule)
			require.NoError(t, err)
			assert.JSONEq(t, string(request), stateOfTheirs)
			assert.JSONEq(t, stateOfTheirs, without(t, last(t, server.Rules()), "id"))

			// Each reads what the other wrote.
			read, err := ours.Posture.Get(t.Context(), created.ID)
			require.NoError(t, err)
			rule.ID = created.ID
			assert.Equal(t, rule, read)
			readByThem, err := theirs.Get(t.Context(), made.ID, zero_trust.DevicePostureGetParams{AccountID: account})
			require.NoError(t, err)
			assert.Equal(t, made.ID, readByThem.ID)
			assert.Equal(t, made.Name, readByThem.Name)
			assert.JSONEq(t, string(last(t, server.Rules())), readByThem.JSON.RawJSON())

			// Each changes what the other wrote.
			change, err := official.V7UpdateRule(accountID, request)
			require.NoError(t, err)
			change.Description.Value = "changed"
			_, err = theirs.Update(t.Context(), made.ID, change)
			require.NoError(t, err)
			read.Description = "changed"
			_, err = ours.Posture.Update(t.Context(), read)
			require.NoError(t, err)
			rules := server.Rules()
			require.Len(t, rules, 2)
			assert.JSONEq(t, without(t, rules[0], "id"), without(t, rules[1], "id"))

			// Both list the same.
			listed, err := ours.Posture.List(t.Context())
			require.NoError(t, err)
			page, err := theirs.List(t.Context(), zero_trust.DevicePostureListParams{AccountID: account})
			require.NoError(t, err)
			pager := theirs.ListAutoPaging(t.Context(), zero_trust.DevicePostureListParams{AccountID: account})
			for i, rule := range listed {
				assert.Equal(t, rule.ID, page.Result[i].ID)
				require.True(t, pager.Next())
				assert.Equal(t, rule.ID, pager.Current().ID)
			}
			assert.False(t, pager.Next())
			require.NoError(t, pager.Err())

			// Each deletes what the other wrote.
			gone, err := theirs.Delete(t.Context(), made.ID, zero_trust.DevicePostureDeleteParams{AccountID: account})
			require.NoError(t, err)
			assert.Equal(t, made.ID, gone.ID)
			require.NoError(t, ours.Posture.Delete(t.Context(), created.ID))
			assert.Empty(t, server.Rules())
		})
	}
}

func TestV7AndCFPostureDoTheSameWithIntegrationsOfEveryType(t *testing.T) {
	for _, integrationType := range apifacts.IntegrationTypes {
		t.Run(integrationType.Name, func(t *testing.T) {
			server := newServer(t)
			server.Reset()
			theirs, ours := newV7(server).Integrations, server.Client().Integrations
			params, err := official.V7NewIntegration(accountID, integrationType.SampleRequest())
			require.NoError(t, err)

			created, err := theirs.New(t.Context(), params)
			require.NoError(t, err)
			made, err := ours.Create(t.Context(), sampleIntegration(t, integrationType))
			require.NoError(t, err)
			integrations := server.Integrations()
			require.Len(t, integrations, 2)
			assert.JSONEq(t, without(t, integrationType.SampleAnswer(), "id"), without(t, integrations[0], "id"))
			assert.JSONEq(t, without(t, integrations[0], "id"), without(t, integrations[1], "id"))
			requests := server.Requests()
			assert.JSONEq(t, string(requests[0].Body), string(requests[1].Body), "secrets are sent alike")

			read, err := ours.Get(t.Context(), created.ID)
			require.NoError(t, err)
			assert.Equal(t, made.Config, read.Config)
			readByThem, err := theirs.Get(t.Context(), made.ID, zero_trust.DevicePostureIntegrationGetParams{AccountID: account})
			require.NoError(t, err)
			assert.JSONEq(t, string(integrations[1]), readByThem.JSON.RawJSON())

			for _, body := range []string{
				`{"name":"changed"}`,
				`{"config":` + integrationType.Config + `,"interval":"1h","type":"` + integrationType.Name + `"}`,
			} {
				change, err := official.V7EditIntegration(accountID, []byte(body))
				require.NoError(t, err)
				_, err = theirs.Edit(t.Context(), made.ID, change)
				require.NoError(t, err)
			}
			_, err = ours.Update(t.Context(), created.ID, cfposture.IntegrationUpdate{
				Name: new("changed"), Interval: new(cfposture.Interval("1h")), Config: sampleIntegration(t, integrationType).Config,
			})
			require.NoError(t, err)
			integrations = server.Integrations()
			assert.JSONEq(t, without(t, integrations[0], "id"), without(t, integrations[1], "id"))

			listed, err := ours.List(t.Context())
			require.NoError(t, err)
			page, err := theirs.List(t.Context(), zero_trust.DevicePostureIntegrationListParams{AccountID: account})
			require.NoError(t, err)
			pager := theirs.ListAutoPaging(t.Context(), zero_trust.DevicePostureIntegrationListParams{AccountID: account})
			require.Len(t, page.Result, len(listed))
			for i, integration := range listed {
				assert.Equal(t, integration.ID, page.Result[i].ID)
				require.True(t, pager.Next())
				assert.Equal(t, integration.ID, pager.Current().ID)
			}
			assert.False(t, pager.Next())

			_, err = theirs.Delete(t.Context(), made.ID, zero_trust.DevicePostureIntegrationDeleteParams{AccountID: account})
			require.NoError(t, err)
			require.NoError(t, ours.Delete(t.Context(), created.ID))
			assert.Empty(t, server.Integrations())
		})
	}
}
