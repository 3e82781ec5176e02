package main

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/cfposture/cfposture"
)

const defaultInterval = 10 * time.Minute

// The members that the configs of the eight types have between them.
var (
	publicMembers = []string{"api_url", "auth_url", "client_id", "customer_id", "access_client_id"}
	secretMembers = []string{"client_secret", "client_key", "access_client_secret"}
)

// typeMembers are those that each type needs.
var typeMembers = map[cfposture.IntegrationType][]string{
	cfposture.IntegrationTypeWorkspaceOne:   {"api_url", "auth_url", "client_id", "client_secret"},
	cfposture.IntegrationTypeCrowdStrikeS2S: {"api_url", "client_id", "client_secret", "customer_id"},
	cfposture.IntegrationTypeUptycs:         {"api_url", "client_key", "client_secret", "customer_id"},
	cfposture.IntegrationTypeIntune:         {"client_id", "client_secret", "customer_id"},
	cfposture.IntegrationTypeKolide:         {"client_id", "client_secret"},
	cfposture.IntegrationTypeTaniumS2S:      {"api_url", "client_secret"},
	cfposture.IntegrationTypeSentinelOneS2S: {"api_url", "client_secret"},
	cfposture.IntegrationTypeCustomS2S:      {"access_client_id", "access_client_secret", "api_url"},
}

// newConfig puts what was given into the config of the type. A program for one type would write the struct itself:
//
//	&cfposture.KolideConfig{ClientID: id, ClientSecret: cfposture.Secret(os.Getenv("KOLIDE_SECRET"))}
func newConfig(t cfposture.IntegrationType, members map[string]*string, secrets map[string]string) (cfposture.IntegrationConfig, error) {
	given := map[string]string{}
	for member, value := range members {
		if *value != "" {
			given[member] = *value
		}
	}
	for member, secret := range secrets {
		if secret != "" {
			given[member] = secret
		}
	}
	text, err := json.Marshal(given)
	if err != nil {
		return nil, err
	}
	// A member that the type has no field for goes to Extra and is sent all the same.
	return cfposture.ParseConfig(t, text, "*")
}

// makeUp fills in what the type needs and nobody gave, for the sample account.
func makeUp(t cfposture.IntegrationType, members map[string]*string, secrets map[string]string) {
	for _, member := range typeMembers[t] {
		switch {
		case slices.Contains(secretMembers, member):
			if secrets[member] == "" {
				secrets[member] = "made-up " + member
			}
		case *members[member] == "":
			*members[member] = madeUp[member]
		}
	}
}

var madeUp = map[string]string{
	"api_url":          "https://api.service.example",
	"auth_url":         "https://auth.service.example",
	"client_id":        "example-client",
	"customer_id":      "example-customer",
	"access_client_id": "example.access",
}
