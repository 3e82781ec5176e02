package audit

import "github.com/cfposture/cfposture"

// isOff finds rules that the API says are switched off.
func isOff(rule *cfposture.Rule, _ map[string]any) []string {
	if string(rule.Extra["enabled"]) == "false" {
		return []string{"the API has switched the rule off"}
	}
	return nil
}
