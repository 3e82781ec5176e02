package apifacts

import "fmt"

// IntegrationMembers are the members of an integration. What config holds is up to its type: see [IntegrationTypes].
var IntegrationMembers = []Member{
	required(Member{Name: "config", Kind: Object}),
	readOnly(id("id")),
	readOnly(withDefault(text("identifier"), `""`)),
	required(Member{Name: "interval", Kind: String, Interval: true}),
	required(text("name")),
	readOnly(withDefault(Member{Name: "schema", Kind: Any}, `{}`)),
	readOnly(withDefault(Member{Name: "test_results", Kind: Any}, `{}`)),
	required(text("type", integrationTypeNames()...)),
}

// IntegrationType is one type of integration.
type IntegrationType struct {
	Name string
	// Members are those of its config in a request, in alphabetical order. Responses were recorded with a config of
	// api_url, auth_url and client_id; the others that aren't secret are marked as MayBeOmitted.
	Members []Member
	// Config is a config with every member, as a request has it.
	Config string
	// Answer is the same config in the response that holds the most: everything but the secrets.
	Answer string
}

// SampleRequest returns the body that creates an integration of the type.
func (t IntegrationType) SampleRequest() []byte {
	return fmt.Appendf(nil, `{"config":%s,"interval":"10m","name":"Sample of %s","type":"%s"}`, t.Config, t.Name, t.Name)
}

// SampleAnswer returns the integration as a response holds it.
func (t IntegrationType) SampleAnswer() []byte {
	return fmt.Appendf(nil, `{"config":%s,"id":"%s","identifier":"","interval":"10m","name":"Sample of %s",`+
		`"schema":{},"test_results":{},"type":"%s"}`, t.Answer, t.SampleID(), t.Name, t.Name)
}

// SampleID returns the ID of the type's [IntegrationType.SampleAnswer], which no other type's sample has.
func (t IntegrationType) SampleID() string {
	for i, other := range IntegrationTypes {
		if other.Name == t.Name {
			return fmt.Sprintf("bc7cbfbb-600a-42e4-8a23-45b5e85f80%02d", i+1)
		}
	}
	panic("apifacts: no such integration type: " + t.Name)
}

// FindIntegrationType returns the integration type of that name.
func FindIntegrationType(name string) (IntegrationType, bool) {
	for _, t := range IntegrationTypes {
		if t.Name == name {
			return t, true
		}
	}
	return IntegrationType{}, false
}

// Secrets returns the names of all members that are a secret in some type's config.
func Secrets() []string {
	var names []string
	seen := map[string]bool{}
	for _, t := range IntegrationTypes {
		for _, m := range t.Members {
			if m.Secret && !seen[m.Name] {
				seen[m.Name] = true
				names = append(names, m.Name)
			}
		}
	}
	return names
}

// IntegrationTypes are the types of integration, in the documents' order.
var IntegrationTypes = []IntegrationType{
	{
		Name:    "workspace_one",
		Members: []Member{apiURL, required(text("auth_url")), clientID, clientSecret},
		Config:  `{"api_url":"https://as123.awmdm.example/API","auth_url":"https://na.uemauth.example/connect/token","client_id":"client-1","client_secret":"hidden-1"}`,
		Answer:  `{"api_url":"https://as123.awmdm.example/API","auth_url":"https://na.uemauth.example/connect/token","client_id":"client-1"}`,
	},
	{
		Name:    "crowdstrike_s2s",
		Members: []Member{apiURL, clientID, clientSecret, customerID},
		Config:  `{"api_url":"https://api.crowdstrike.example","client_id":"client-2","client_secret":"hidden-2","customer_id":"customer-2"}`,
		Answer:  `{"api_url":"https://api.crowdstrike.example","client_id":"client-2","customer_id":"customer-2"}`,
	},
	{
		Name:    "uptycs",
		Members: []Member{apiURL, required(secret("client_key")), clientSecret, customerID},
		Config:  `{"api_url":"https://acme.uptycs.example","client_key":"hidden-3-key","client_secret":"hidden-3","customer_id":"customer-3"}`,
		Answer:  `{"api_url":"https://acme.uptycs.example","customer_id":"customer-3"}`,
	},
	{
		Name:    "intune",
		Members: []Member{clientID, clientSecret, customerID},
		Config:  `{"client_id":"client-4","client_secret":"hidden-4","customer_id":"customer-4"}`,
		Answer:  `{"client_id":"client-4","customer_id":"customer-4"}`,
	},
	{
		Name:    "kolide",
		Members: []Member{clientID, clientSecret},
		Config:  `{"client_id":"client-5","client_secret":"hidden-5"}`,
		Answer:  `{"client_id":"client-5"}`,
	},
	{
		Name:    "tanium_s2s",
		Members: []Member{mayBeOmitted(text("access_client_id")), secret("access_client_secret"), apiURL, clientSecret},
		Config:  `{"access_client_id":"access-6","access_client_secret":"hidden-6-access","api_url":"https://tanium.example","client_secret":"hidden-6"}`,
		Answer:  `{"access_client_id":"access-6","api_url":"https://tanium.example"}`,
	},
	{
		Name:    "sentinelone_s2s",
		Members: []Member{apiURL, clientSecret},
		Config:  `{"api_url":"https://acme.sentinelone.example","client_secret":"hidden-7"}`,
		Answer:  `{"api_url":"https://acme.sentinelone.example"}`,
	},
	{
		Name:    "custom_s2s",
		Members: []Member{mayBeOmitted(required(text("access_client_id"))), required(secret("access_client_secret")), apiURL},
		Config:  `{"access_client_id":"access-8","access_client_secret":"hidden-8-access","api_url":"https://posture.example"}`,
		Answer:  `{"access_client_id":"access-8","api_url":"https://posture.example"}`,
	},
}

var (
	apiURL       = required(text("api_url"))
	clientID     = required(text("client_id"))
	clientSecret = required(secret("client_secret"))
	customerID   = mayBeOmitted(required(text("customer_id")))
)

func integrationTypeNames() []string {
	names := make([]string, len(IntegrationTypes))
	for i, t := range IntegrationTypes {
		names[i] = t.Name
	}
	return names
}
