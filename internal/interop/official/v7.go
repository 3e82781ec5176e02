// Package official makes the official clients' requests from JSON, for tests and comparisons that have rules and
// integrations as JSON.
package official

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/cloudflare/cloudflare-go/v7"
	"github.com/cloudflare/cloudflare-go/v7/zero_trust"
)

// V7Version and V0Version are the versions of the clients that go.mod has.
const (
	V7Version = "v7.9.0"
	V0Version = "v0.116.0"
)

// v7Inputs are the types that v7 has for the input of each type of rule. It has none for gateway and warp.
var v7Inputs = map[string]func() zero_trust.DeviceInputUnionParam{
	"file":                  variant[zero_trust.FileInputParam],
	"application":           variant[zero_trust.DeviceInputTeamsDevicesApplicationInputRequestParam],
	"tanium":                variant[zero_trust.TaniumInputParam],
	"gateway":               variant[zero_trust.DeviceInputParam],
	"warp":                  variant[zero_trust.DeviceInputParam],
	"disk_encryption":       variant[zero_trust.DiskEncryptionInputParam],
	"serial_number":         variant[zero_trust.DeviceInputTeamsDevicesAccessSerialNumberListInputRequestParam],
	"sentinelone":           variant[zero_trust.SentineloneInputParam],
	"carbonblack":           variant[zero_trust.DeviceInputTeamsDevicesCarbonblackInputRequestParam],
	"firewall":              variant[zero_trust.FirewallInputParam],
	"os_version":            variant[zero_trust.OSVersionInputParam],
	"domain_joined":         variant[zero_trust.DomainJoinedInputParam],
	"client_certificate":    variant[zero_trust.ClientCertificateInputParam],
	"client_certificate_v2": variant[zero_trust.DeviceInputTeamsDevicesClientCertificateV2InputRequestParam],
	"antivirus":             variant[zero_trust.DeviceInputTeamsDevicesAntivirusInputRequestParam],
	"unique_client_id":      variant[zero_trust.UniqueClientIDInputParam],
	"kolide":                variant[zero_trust.KolideInputParam],
	"tanium_s2s":            variant[zero_trust.TaniumInputParam],
	"crowdstrike_s2s":       variant[zero_trust.CrowdstrikeInputParam],
	"intune":                variant[zero_trust.IntuneInputParam],
	"workspace_one":         variant[zero_trust.WorkspaceOneInputParam],
	"sentinelone_s2s":       variant[zero_trust.SentineloneS2sInputParam],
	"custom_s2s":            variant[zero_trust.DeviceInputTeamsDevicesCustomS2sInputRequestParam],
}

func variant[T any, P interface {
	*T
	zero_trust.DeviceInputUnionParam
}]() zero_trust.DeviceInputUnionParam {
	return P(new(T))
}

// V7NewRule returns what v7 creates a rule with. What v7 has no field for is left out.
func V7NewRule(accountID string, rule []byte) (zero_trust.DevicePostureNewParams, error) {
	params := zero_trust.DevicePostureNewParams{AccountID: cloudflare.F(accountID)}
	err := fillRule(&params, rule, func(input zero_trust.DeviceInputUnionParam) { params.Input = cloudflare.F(input) })
	return params, err
}

// V7UpdateRule returns what v7 replaces a rule with. What v7 has no field for is left out.
func V7UpdateRule(accountID string, rule []byte) (zero_trust.DevicePostureUpdateParams, error) {
	params := zero_trust.DevicePostureUpdateParams{AccountID: cloudflare.F(accountID)}
	err := fillRule(&params, rule, func(input zero_trust.DeviceInputUnionParam) { params.Input = cloudflare.F(input) })
	return params, err
}

// V7NewIntegration returns what v7 creates an integration with.
func V7NewIntegration(accountID string, integration []byte) (zero_trust.DevicePostureIntegrationNewParams, error) {
	params := zero_trust.DevicePostureIntegrationNewParams{AccountID: cloudflare.F(accountID)}
	var config zero_trust.DevicePostureIntegrationNewParamsConfig
	if err := fillMember(&config, integration, "config"); err != nil {
		return params, err
	}
	params.Config = cloudflare.F[zero_trust.DevicePostureIntegrationNewParamsConfigUnion](config)
	err := fill(&params, integration)
	return params, err
}

// V7EditIntegration returns what v7 changes an integration with.
func V7EditIntegration(accountID string, change []byte) (zero_trust.DevicePostureIntegrationEditParams, error) {
	params := zero_trust.DevicePostureIntegrationEditParams{AccountID: cloudflare.F(accountID)}
	var config zero_trust.DevicePostureIntegrationEditParamsConfig
	if err := fillMember(&config, change, "config"); err != nil {
		return params, err
	}
	if strings.Contains(string(change), `"config"`) {
		params.Config = cloudflare.F[zero_trust.DevicePostureIntegrationEditParamsConfigUnion](config)
	}
	err := fill(&params, change)
	return params, err
}

// fillRule fills params, which creates or replaces a rule, and hands the input over, if there is one.
func fillRule(params any, rule []byte, setInput func(zero_trust.DeviceInputUnionParam)) error {
	var parts struct {
		Type  string
		Input json.RawMessage
	}
	if err := json.Unmarshal(rule, &parts); err != nil {
		return fmt.Errorf("rule: %w", err)
	}
	if parts.Input != nil {
		newInput, ok := v7Inputs[parts.Type]
		if !ok {
			return fmt.Errorf("no type of v7's for the input of %q", parts.Type)
		}
		input := newInput()
		if err := fill(input, parts.Input); err != nil {
			return err
		}
		setInput(input)
	}
	return fill(params, rule)
}

func fillMember(params any, object []byte, name string) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(object, &members); err != nil || members[name] == nil {
		return err
	}
	return fill(params, members[name])
}

// fill sets the fields of the params struct that a pointer points to from the members of a JSON object. v7 itself has
// no way from what it reads to what it writes; this is the most that a program can carry over through its types.
// Unions are left as they are.
func fill(params any, object []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(object, &members); err != nil {
		return fmt.Errorf("%T: %w", params, err)
	}
	v := reflect.ValueOf(params).Elem()
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		text, ok := members[name]
		value := v.Field(i).FieldByName("Value")
		if !ok || value.Kind() == reflect.Interface && value.NumMethod() > 0 {
			continue
		}
		if err := set(value, text); err != nil {
			return fmt.Errorf("%T: %s: %w", params, name, err)
		}
		v.Field(i).FieldByName("Present").SetBool(true)
	}
	return nil
}

func set(value reflect.Value, text []byte) error {
	switch {
	case isParams(value.Type()):
		return fill(value.Addr().Interface(), text)
	case value.Kind() == reflect.Slice && isParams(value.Type().Elem()):
		var elements []json.RawMessage
		if err := json.Unmarshal(text, &elements); err != nil {
			return err
		}
		value.Set(reflect.MakeSlice(value.Type(), len(elements), len(elements)))
		for i, element := range elements {
			if err := fill(value.Index(i).Addr().Interface(), element); err != nil {
				return err
			}
		}
		return nil
	default:
		return json.Unmarshal(text, value.Addr().Interface())
	}
}

// isParams reports whether a type is a struct of v7's param.Field.
func isParams(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && slices.ContainsFunc(reflect.VisibleFields(t), func(f reflect.StructField) bool {
		return f.Type.Kind() == reflect.Struct && strings.HasPrefix(f.Type.Name(), "Field[")
	})
}
