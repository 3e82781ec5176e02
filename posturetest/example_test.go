package posturetest_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

// platformsWithoutDiskEncryption stands for code of your own: it finds the platforms that no disk-encryption rule is
// for.
func platformsWithoutDiskEncryption(ctx context.Context, client *cfposture.Client) ([]cfposture.Platform, error) {
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

// A test of code that lists rules: give the server some rules, and the code the server's client.
func Example() {
	server := posturetest.NewServer()
	defer server.Close()
	server.AddRule([]byte(`{"name": "Disks", "type": "disk_encryption", "match": [{"platform": "mac"}], "input": {}}`))
	server.AddRule([]byte(`{"name": "WARP", "type": "warp", "match": [{"platform": "linux"}]}`))

	missing, err := platformsWithoutDiskEncryption(context.Background(), server.Client())
	fmt.Println(missing, err)

	// Does it hold when the account has more rules than one page takes, and the network fails once?
	server.SetPageSize(1)
	server.CutNext(1, posturetest.CutMiddle)
	missing, err = platformsWithoutDiskEncryption(context.Background(), server.Client())
	fmt.Println(missing, err)
	// Output:
	// [windows linux] <nil>
	// [windows linux] <nil>
}

// Faults spoil the requests to come, and Requests tells which came.
func ExampleServer_FailNext() {
	server := posturetest.NewServer()
	defer server.Close()

	server.FailNext(1, http.StatusInternalServerError)
	_, err := server.Client().Posture.List(context.Background())
	fmt.Println(err)
	for _, request := range server.Requests() {
		fmt.Println(request.Method, request.Header.Get("Authorization"))
	}
	// Output:
	// <nil>
	// GET Bearer [redacted]
	// GET Bearer [redacted]
}
