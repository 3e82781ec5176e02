package audit

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cfposture/cfposture"
)

// checks are what one rule is looked through for.
var checks = []struct {
	kind Kind
	find func(rule *cfposture.Rule, input map[string]any) []string
}{
	{Timing, mistimed},
	{NoDemand, demandsNothing},
	{Off, isOff},
	{Deprecated, isDeprecated},
	{Platform, neverMatches},
	{Range, outOfRange},
}

const (
	defaultSchedule = 5 * time.Minute
	leastSchedule   = time.Minute
)

func mistimed(rule *cfposture.Rule, _ map[string]any) []string {
	schedule, problem := length("schedule", rule.Schedule, defaultSchedule)
	var texts []string
	switch {
	case problem != "":
		texts = append(texts, problem)
	case schedule < leastSchedule:
		texts = append(texts, fmt.Sprintf("the schedule %s is below the least, 1m", rule.Schedule))
	}
	expiration, expirationProblem := length("expiration", rule.Expiration, 2*schedule)
	switch {
	case expirationProblem != "":
		texts = append(texts, expirationProblem)
	case problem != "":
	case expiration < schedule:
		texts = append(texts, fmt.Sprintf("results expire after %s, and the next come after %s", rule.Expiration, cfposture.Every(schedule)))
	case expiration == schedule:
		texts = append(texts, fmt.Sprintf("results expire after %s, just when the next come: expire them after %s at least",
			rule.Expiration, cfposture.Every(2*schedule)))
	}
	return texts
}

// length returns an interval's length, or what is wrong with it.
func length(member string, interval cfposture.Interval, unset time.Duration) (time.Duration, string) {
	if interval == "" {
		return unset, ""
	}
	d, err := interval.Duration()
	if err != nil {
		return 0, fmt.Sprintf("the %s %q is no interval", member, string(interval))
	}
	return d, ""
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

func isDeprecated(rule *cfposture.Rule, input map[string]any) []string {
	if rule.Type == cfposture.RuleTypeKolide && (input["issue_count"] != nil || input["countOperator"] != nil) {
		return []string{"issue_count and countOperator are deprecated: check auth_state"}
	}
	return nil
}

func neverMatches(rule *cfposture.Rule, input map[string]any) []string {
	able, known := platformsByType[rule.Type]
	var texts []string
	for _, platform := range platformsOf(rule) {
		if known && platform != AnyPlatform && slices.Contains(platforms, platform) && !slices.Contains(able, platform) {
			texts = append(texts, fmt.Sprintf("%s works on %s, never on %s", rule.Type, strings.Join(able, ", "), platform))
		}
	}
	system, _ := input["operating_system"].(string)
	if matched := platformsOf(rule); system != "" && matched[0] != AnyPlatform && !slices.Contains(matched, system) {
		texts = append(texts, fmt.Sprintf("operating_system is %s, and the rule matches %s", system, strings.Join(matched, ", ")))
	}
	return texts
}

func outOfRange(rule *cfposture.Rule, input map[string]any) []string {
	var texts []string
	for _, r := range ranges {
		if r.ruleType != "" && r.ruleType != rule.Type {
			continue
		}
		if value, there := input[r.member]; there && !r.holds(fmt.Sprint(value)) {
			texts = append(texts, fmt.Sprintf("%s is %q, and the documents want %s", r.member, fmt.Sprint(value), r.want))
		}
	}
	return texts
}

// platforms are those that the API documents, in its order.
var platforms = []string{"windows", "mac", "linux", "android", "ios", "chromeos"}

var (
	desktop = platforms[:3]
	mobile  = platforms[3:]
)

// basics are the checks that a platform should have, where it can have them.
var basics = []struct {
	ruleType  cfposture.RuleType
	name      string
	platforms []string
}{
	{cfposture.RuleTypeDiskEncryption, "disk-encryption", desktop},
	{cfposture.RuleTypeFirewall, "firewall", platforms[:2]},
	{cfposture.RuleTypeOSVersion, "OS-version", platforms},
}

// platformsByType are those that a rule of the type can match.
var platformsByType = map[cfposture.RuleType][]string{
	cfposture.RuleTypeAntivirus:      platforms[:1],
	cfposture.RuleTypeDomainJoined:   platforms[:1],
	cfposture.RuleTypeFirewall:       platforms[:2],
	cfposture.RuleTypeIntune:         platforms[:2],
	cfposture.RuleTypeFile:           desktop,
	cfposture.RuleTypeApplication:    desktop,
	cfposture.RuleTypeDiskEncryption: desktop,
	cfposture.RuleTypeSerialNumber:   desktop,
	cfposture.RuleTypeKolide:         desktop,
	cfposture.RuleTypeTaniumS2S:      desktop,
	cfposture.RuleTypeCrowdStrikeS2S: desktop,
	cfposture.RuleTypeWorkspaceOne:   desktop,
	cfposture.RuleTypeSentinelOneS2S: desktop,
	cfposture.RuleTypeUniqueClientID: mobile,
}

// A valueRange is what the documents want of a member.
type valueRange struct {
	ruleType cfposture.RuleType // "": every type that has the member
	member   string
	want     string
	holds    func(value string) bool
}

var ranges = []valueRange{
	{cfposture.RuleTypeCrowdStrikeS2S, "os", "1 to 100", between(1, 100)},
	{cfposture.RuleTypeCrowdStrikeS2S, "overall", "1 to 100", between(1, 100)},
	{cfposture.RuleTypeCrowdStrikeS2S, "sensor_config", "1 to 100", between(1, 100)},
	{cfposture.RuleTypeTaniumS2S, "total_score", "1 to 1000", between(1, 1000)},
	{cfposture.RuleTypeOSVersion, "version", "a full version such as 10.0.26100", regexp.MustCompile(`^\d+\.\d+\.\d+`).MatchString},
	{"", "thumbprint", "a SHA-1 of 40 hexadecimal digits", regexp.MustCompile(`^[0-9A-Fa-f]{40}$`).MatchString},
	{"", "sha256", "64 hexadecimal digits", regexp.MustCompile(`^[0-9A-Fa-f]{64}$`).MatchString},
}

func between(least, most float64) func(string) bool {
	return func(value string) bool {
		n, err := strconv.ParseFloat(value, 64)
		return err == nil && n >= least && n <= most
	}
}
