package cfposture

import (
	"fmt"
	"strings"
	"time"
)

// The enumerations below grow with the API: a value that is not among the constants is kept and sent like any other.

// A Platform is an operating system that devices run.
type Platform string

// The platforms of a [Match] and of operating_system members.
const (
	PlatformWindows  Platform = "windows"
	PlatformMac      Platform = "mac"
	PlatformLinux    Platform = "linux"
	PlatformAndroid  Platform = "android"
	PlatformIOS      Platform = "ios"
	PlatformChromeOS Platform = "chromeos"
)

// An Operator compares what a device has with what a rule asks for. There are no others than these five.
type Operator string

// The operators.
const (
	OperatorLess           Operator = "<"
	OperatorLessOrEqual    Operator = "<="
	OperatorGreater        Operator = ">"
	OperatorGreaterOrEqual Operator = ">="
	OperatorEqual          Operator = "=="
)

func (o Operator) known() bool {
	switch o {
	case OperatorLess, OperatorLessOrEqual, OperatorGreater, OperatorGreaterOrEqual, OperatorEqual:
		return true
	default:
		return false
	}
}

// A ComplianceStatus is what Intune or Workspace ONE says of a device. Workspace ONE knows the first three.
type ComplianceStatus string

// The compliance statuses.
const (
	ComplianceStatusCompliant     ComplianceStatus = "compliant"
	ComplianceStatusNonCompliant  ComplianceStatus = "noncompliant"
	ComplianceStatusUnknown       ComplianceStatus = "unknown"
	ComplianceStatusNotApplicable ComplianceStatus = "notapplicable"
	ComplianceStatusInGracePeriod ComplianceStatus = "ingraceperiod"
	ComplianceStatusError         ComplianceStatus = "error"
)

// A RiskLevel is Tanium's.
type RiskLevel string

// The risk levels.
const (
	RiskLevelLow      RiskLevel = "low"
	RiskLevelMedium   RiskLevel = "medium"
	RiskLevelHigh     RiskLevel = "high"
	RiskLevelCritical RiskLevel = "critical"
)

// A NetworkStatus is whether SentinelOne has a device on the network.
type NetworkStatus string

// The network statuses.
const (
	NetworkStatusConnected     NetworkStatus = "connected"
	NetworkStatusDisconnected  NetworkStatus = "disconnected"
	NetworkStatusDisconnecting NetworkStatus = "disconnecting"
	NetworkStatusConnecting    NetworkStatus = "connecting"
)

// An OperationalState is that of SentinelOne's agent.
type OperationalState string

// The operational states.
const (
	OperationalStateNA                    OperationalState = "na"
	OperationalStatePartiallyDisabled     OperationalState = "partially_disabled"
	OperationalStateAutoFullyDisabled     OperationalState = "auto_fully_disabled"
	OperationalStateFullyDisabled         OperationalState = "fully_disabled"
	OperationalStateAutoPartiallyDisabled OperationalState = "auto_partially_disabled"
	OperationalStateDisabledError         OperationalState = "disabled_error"
	OperationalStateDBCorruption          OperationalState = "db_corruption"
)

// A CrowdStrikeState is whether CrowdStrike sees a device.
type CrowdStrikeState string

// The CrowdStrike states.
const (
	CrowdStrikeStateOnline  CrowdStrikeState = "online"
	CrowdStrikeStateOffline CrowdStrikeState = "offline"
	CrowdStrikeStateUnknown CrowdStrikeState = "unknown"
)

// A KolideAuthState is how far Kolide has gone with a device that has issues.
type KolideAuthState string

// The Kolide authentication states.
const (
	KolideAuthStateGood      KolideAuthState = "Good"
	KolideAuthStateNotified  KolideAuthState = "Notified"
	KolideAuthStateWillBlock KolideAuthState = "Will Block"
	KolideAuthStateBlocked   KolideAuthState = "Blocked"
)

// An ExtendedKeyUsage is a purpose that a certificate's key may serve.
type ExtendedKeyUsage string

// The extended key usages.
const (
	ExtendedKeyUsageClientAuth      ExtendedKeyUsage = "clientAuth"
	ExtendedKeyUsageEmailProtection ExtendedKeyUsage = "emailProtection"
)

// A TrustStore is where a device keeps certificates.
type TrustStore string

// The trust stores.
const (
	TrustStoreSystem TrustStore = "system"
	TrustStoreUser   TrustStore = "user"
)

// An Interval is a length of time as the API writes it: "5m", "1h", "24h". It is kept as written. Empty is unset.
type Interval string

// Every returns the interval of a duration, in hours, minutes or seconds, whichever is the largest that divides it:
// Every(5*time.Minute) is "5m", Every(24*time.Hour) is "24h". Anything finer is as [time.Duration.String] has it.
func Every(d time.Duration) Interval {
	switch {
	case d != 0 && d%time.Hour == 0:
		return Interval(fmt.Sprintf("%dh", d/time.Hour))
	case d != 0 && d%time.Minute == 0:
		return Interval(fmt.Sprintf("%dm", d/time.Minute))
	case d != 0 && d%time.Second == 0:
		return Interval(fmt.Sprintf("%ds", d/time.Second))
	default:
		return Interval(d.String())
	}
}

// Duration returns the interval's length. It takes what [time.ParseDuration] does, negative ones included, and days by
// themselves: "2d". It fails on anything else, the empty interval included.
func (i Interval) Duration() (time.Duration, error) {
	text := string(i)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		d, err := time.ParseDuration(days + "h")
		if err == nil && d.Abs() <= (1<<63-1)/24 {
			return d * 24, nil
		}
	} else if d, err := time.ParseDuration(text); err == nil {
		return d, nil
	}
	return 0, fmt.Errorf("cfposture: %q is not an interval such as 5m or 1h", text)
}
