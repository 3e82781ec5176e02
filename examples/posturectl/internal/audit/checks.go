package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/apifacts"
)

// checks are what one rule is looked through for.
var checks = []struct {
	kind Kind
	find func(rule *cfposture.Rule, input map[string]any) []string
}{
	{Timing, mistimed},
	{NoDemand, demandsNothing},
	{Off, isOff},
	{Platform, misfits},
}

func mistimed(rule *cfposture.Rule, _ map[string]any) []string {
	var texts []string
	for _, interval := range []struct {
		member string
		value  cfposture.Interval
	}{{"schedule", rule.Schedule}, {"expiration", rule.Expiration}} {
		d, err := interval.value.Duration()
		switch {
		case interval.value == "":
		case err != nil:
			texts = append(texts, fmt.Sprintf("the %s %q is no interval", interval.member, string(interval.value)))
		case interval.member == "schedule" && d < apifacts.MinSchedule:
			texts = append(texts, fmt.Sprintf("the schedule %s is below the least, %v", interval.value, cfposture.Every(apifacts.MinSchedule)))
		}
	}
	return texts
}

func demandsNothing(rule *cfposture.Rule, input map[string]any) []string {
	switch rule.Type {
	case cfposture.RuleTypeFirewall:
		if input["enabled"] == false {
			return []string{"the check demands that the firewall is off"}
		}
	case cfposture.RuleTypeDiskEncryption:
		disks, _ := input["checkDisks"].([]any)
		if input["requireAll"] != true && len(disks) == 0 {
			return []string{"the check demands no disk to be encrypted: set requireAll or name checkDisks"}
		}
	default: // There is nothing else to demand nothing of.
	}
	return nil
}

func isOff(rule *cfposture.Rule, _ map[string]any) []string {
	if rule.Enabled != nil && !*rule.Enabled {
		return []string{"the API has switched the rule off"}
	}
	return nil
}

// misfits finds a rule for another operating system than the one its input names.
func misfits(rule *cfposture.Rule, input map[string]any) []string {
	system, _ := input["operating_system"].(string)
	if matched := platformsOf(rule); system != "" && matched[0] != AnyPlatform && !slices.Contains(matched, system) {
		return []string{fmt.Sprintf("operating_system is %s, and the rule matches %s", system, strings.Join(matched, ", "))}
	}
	return nil
}

// remarkKinds are the kinds of findings that the remarks of the tables of facts make.
var remarkKinds = map[apifacts.RemarkKind]Kind{
	apifacts.RemarkRange:      Range,
	apifacts.RemarkForm:       Range,
	apifacts.RemarkPlatform:   Platform,
	apifacts.RemarkDeprecated: Deprecated,
	apifacts.RemarkExpiration: Timing,
}

// platforms are those that the API documents, in its order.
var platforms = apifacts.Platforms

// basics are the checks that a platform should have, where it can have them.
var basics = []struct {
	ruleType  cfposture.RuleType
	name      string
	platforms []string
}{
	{cfposture.RuleTypeDiskEncryption, "disk-encryption", platforms[:3]},
	{cfposture.RuleTypeFirewall, "firewall", platforms[:2]},
	{cfposture.RuleTypeOSVersion, "OS-version", platforms},
}
