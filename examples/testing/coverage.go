// Package coverage stands for code of your own that uses cfposture. How to test it is in coverage_test.go.
package coverage

import (
	"context"
	"slices"

	"github.com/cfposture/cfposture"
)

// Uncovered returns the desktop platforms for which no rule demands encrypted disks.
func Uncovered(ctx context.Context, client *cfposture.Client) ([]cfposture.Platform, error) {
	missing := []cfposture.Platform{cfposture.PlatformWindows, cfposture.PlatformMac, cfposture.PlatformLinux}
	for rule, err := range client.Posture.All(ctx) {
		if err != nil {
			return nil, err
		}
		if _, ok := rule.Input.(*cfposture.DiskEncryptionInput); !ok {
			continue
		}
		for _, match := range rule.Match {
			missing = slices.DeleteFunc(missing, func(p cfposture.Platform) bool { return p == match.Platform })
		}
	}
	return missing, nil
}

// Cover creates a rule for each platform that is not covered.
func Cover(ctx context.Context, client *cfposture.Client) error {
	missing, err := Uncovered(ctx, client)
	if err != nil {
		return err
	}
	for _, platform := range missing {
		_, err := client.Posture.CreateOnce(ctx, &cfposture.Rule{
			Name:  "Disks encrypted (" + string(platform) + ")",
			Match: []cfposture.Match{{Platform: platform}},
			Input: &cfposture.DiskEncryptionInput{RequireAll: new(true)},
		})
		if err != nil {
			return err
		}
	}
	return nil
}
