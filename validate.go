package cfposture

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cfposture/cfposture/internal/wire"
)

const (
	maxID       = 36 // characters of a UUID
	minSchedule = time.Minute
)

// problems gathers what is wrong. A member is named by its path: at, then its name on the wire.
type problems struct {
	list          []Problem
	at            string
	missingSecret string // what is said of a secret that is not there
}

// in calls check, which adds problems of what is below a member.
func (p *problems) in(member string, check func()) {
	outer := p.at
	p.at = p.path(member)
	check()
	p.at = outer
}

// add adds a problem of a member, or of all that p is for where member is empty.
func (p *problems) add(member, reason string) {
	p.list = append(p.list, Problem{p.path(member), reason})
}

func (p *problems) path(member string) string {
	if p.at == "" || member == "" {
		return p.at + member
	}
	return p.at + "." + member
}

func (p *problems) err() error {
	if len(p.list) == 0 {
		return nil
	}
	return &ValidationError{p.list}
}

func (p *problems) required(field, value string) {
	if value == "" {
		p.add(field, "is required")
	}
}

// idLength checks an ID that may be absent.
func (p *problems) idLength(field, value string) {
	if n := utf8.RuneCountInString(value); n > maxID {
		p.add(field, fmt.Sprintf("has %d characters, more than %d", n, maxID))
	}
}

func (p *problems) requiredSecret(field string, value Secret) {
	if value == "" {
		p.add(field, p.missingSecret)
	}
}

// interval checks an interval that may be absent.
func (p *problems) interval(field string, value Interval) {
	if value == "" {
		return
	}
	if d, err := value.Duration(); err != nil || d < 0 {
		p.add(field, fmt.Sprintf("%q is not an interval such as 5m or 1h", string(value)))
	}
}

// id checks a required ID.
func (p *problems) id(field, value string) {
	p.required(field, value)
	p.idLength(field, value)
}

func (p *problems) operator(field string, value Operator) {
	if value != "" && !value.known() {
		p.add(field, fmt.Sprintf("%q is none of <, <=, >, >=, ==", string(value)))
	}
}

// number checks a number that may be absent.
func (p *problems) number(field string, value *float64) {
	if value != nil && (math.IsNaN(*value) || math.IsInf(*value, 0)) {
		p.add(field, fmt.Sprintf("is %v, which JSON can't write", *value))
	}
}

// extra checks the Extra of the struct that model points to.
func (p *problems) extra(model any) {
	for _, problem := range wire.CheckExtra(model) {
		p.add(problem.Member, problem.Reason)
	}
}

var knownVariables = []string{"${serial_number}", "${hostname}"}

// commonName checks the variables of a certificate's common name.
func (p *problems) commonName(value string) {
	for _, name := range variables(value) {
		if !slices.Contains(knownVariables, name) {
			p.add("cn", fmt.Sprintf("has the variable %s; there are ${serial_number} and ${hostname}", name))
		}
	}
}

// variables lists all of the form ${name} that value holds.
func variables(value string) []string {
	var found []string
	for {
		_, after, opened := strings.Cut(value, "${")
		name, rest, closed := strings.Cut(after, "}")
		if !opened || !closed {
			return found
		}
		found, value = append(found, "${"+name+"}"), rest
	}
}

func (in *FileInput) validate(p *problems)        { p.required("path", in.Path) }
func (in *ApplicationInput) validate(p *problems) { p.required("path", in.Path) }
func (in *SentinelOneInput) validate(p *problems) { p.required("path", in.Path) }
func (in *CarbonBlackInput) validate(p *problems) { p.required("path", in.Path) }

// These have no member that could be wrong.
func (*GatewayInput) validate(*problems)        {}
func (*WARPInput) validate(*problems)           {}
func (*DiskEncryptionInput) validate(*problems) {}
func (*FirewallInput) validate(*problems)       {}
func (*DomainJoinedInput) validate(*problems)   {}

func (in *SerialNumberInput) validate(p *problems) {
	p.id("id", in.ID)
}

func (in *OSVersionInput) validate(p *problems) {
	p.required("operator", string(in.Operator))
	p.operator("operator", in.Operator)
	p.required("version", in.Version)
}

func (in *ClientCertificateInput) validate(p *problems) {
	p.id("certificate_id", in.CertificateID)
	p.required("cn", in.CN)
	p.commonName(in.CN)
}

func (in *ClientCertificateV2Input) validate(p *problems) {
	p.id("certificate_id", in.CertificateID)
	p.commonName(in.CN)
	if in.Locations != nil {
		p.in("locations", func() { p.extra(in.Locations) })
	}
}

func (in *AntivirusInput) validate(p *problems) {
	p.number("update_window_days", in.UpdateWindowDays)
}

func (in *UniqueClientIDInput) validate(p *problems) {
	p.id("id", in.ID)
}

func (in *KolideInput) validate(p *problems) {
	p.id("connection_id", in.ConnectionID)
	p.operator("countOperator", in.CountOperator)
	countsIssues := in.CountOperator != "" && in.IssueCount != ""
	// Extra may hold a check that this package doesn't know.
	if len(in.AuthState) == 0 && !countsIssues && len(in.Extra) == 0 {
		p.add("auth_state", "is required, or both countOperator and issue_count: the rule would check nothing")
	}
}

func (in *TaniumInput) validate(p *problems) {
	p.idLength("connection_id", in.ConnectionID)
	p.operator("operator", in.Operator)
	p.operator("scoreOperator", in.ScoreOperator)
	p.number("total_score", in.TotalScore)
}

func (in *TaniumS2SInput) validate(p *problems) {
	p.id("connection_id", in.ConnectionID)
	p.operator("operator", in.Operator)
	p.operator("scoreOperator", in.ScoreOperator)
	p.number("total_score", in.TotalScore)
}

func (in *CrowdStrikeS2SInput) validate(p *problems) {
	p.id("connection_id", in.ConnectionID)
	p.operator("operator", in.Operator)
	p.operator("versionOperator", in.VersionOperator)
}

func (in *IntuneInput) validate(p *problems) {
	p.id("connection_id", in.ConnectionID)
	p.required("compliance_status", string(in.ComplianceStatus))
}

func (in *WorkspaceOneInput) validate(p *problems) {
	p.id("connection_id", in.ConnectionID)
	p.required("compliance_status", string(in.ComplianceStatus))
}

func (in *SentinelOneS2SInput) validate(p *problems) {
	p.id("connection_id", in.ConnectionID)
	p.number("active_threats", in.ActiveThreats)
	p.operator("operator", in.Operator)
}

func (in *CustomS2SInput) validate(p *problems) {
	p.id("connection_id", in.ConnectionID)
	p.required("operator", string(in.Operator))
	p.operator("operator", in.Operator)
	if !(in.Score >= 0 && in.Score <= 100) {
		p.add("score", fmt.Sprintf("is %v, not between 0 and 100", in.Score))
	}
}

func (in *UnknownInput) validate(p *problems) {
	if len(in.Raw) > 0 && !wire.Valid(in.Raw) {
		p.add("", "is not valid JSON")
	}
}

func (c *WorkspaceOneConfig) validate(p *problems) {
	p.required("api_url", c.APIURL)
	p.required("auth_url", c.AuthURL)
	p.required("client_id", c.ClientID)
	p.requiredSecret("client_secret", c.ClientSecret)
}

func (c *CrowdStrikeS2SConfig) validate(p *problems) {
	p.required("api_url", c.APIURL)
	p.required("client_id", c.ClientID)
	p.requiredSecret("client_secret", c.ClientSecret)
	p.required("customer_id", c.CustomerID)
}

func (c *UptycsConfig) validate(p *problems) {
	p.required("api_url", c.APIURL)
	p.requiredSecret("client_key", c.ClientKey)
	p.requiredSecret("client_secret", c.ClientSecret)
	p.required("customer_id", c.CustomerID)
}

func (c *IntuneConfig) validate(p *problems) {
	p.required("client_id", c.ClientID)
	p.requiredSecret("client_secret", c.ClientSecret)
	p.required("customer_id", c.CustomerID)
}

func (c *KolideConfig) validate(p *problems) {
	p.required("client_id", c.ClientID)
	p.requiredSecret("client_secret", c.ClientSecret)
}

func (c *TaniumS2SConfig) validate(p *problems) {
	p.required("api_url", c.APIURL)
	p.requiredSecret("client_secret", c.ClientSecret)
}

func (c *SentinelOneS2SConfig) validate(p *problems) {
	p.required("api_url", c.APIURL)
	p.requiredSecret("client_secret", c.ClientSecret)
}

func (c *CustomS2SConfig) validate(p *problems) {
	p.required("access_client_id", c.AccessClientID)
	p.requiredSecret("access_client_secret", c.AccessClientSecret)
	p.required("api_url", c.APIURL)
}

func (c *UnknownConfig) validate(p *problems) {
	if len(c.Raw) > 0 && !wire.Valid(c.Raw) {
		p.add("", "is not valid JSON")
	}
}
