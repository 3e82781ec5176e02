package main

const bare = `package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
)

func main() {
	if len(os.Args) < 2 {
		return
	}
	request, err := http.NewRequest(http.MethodGet, "https://api.cloudflare.com/client/v4/accounts/"+os.Args[1]+"/devices/posture", nil)
	if err != nil {
		panic(err)
	}
	request.Header.Set("Authorization", "Bearer "+os.Getenv("CLOUDFLARE_API_TOKEN"))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	defer response.Body.Close()
	var answer struct{ Result []map[string]any }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		panic(err)
	}
	for _, rule := range answer.Result {
		fmt.Println(rule["id"], rule["name"])
	}
}
`

const own = `package main

import (
	"context"
	"fmt"
	"os"

	"github.com/cfposture/cfposture"
)

func main() {
	if len(os.Args) < 2 {
		return
	}
	client, err := cfposture.NewClient(cfposture.WithAccountID(os.Args[1]))
	if err != nil {
		panic(err)
	}
	rules, err := client.Posture.List(context.Background())
	if err != nil {
		panic(err)
	}
	for _, rule := range rules {
		fmt.Println(rule.ID, rule.Name)
	}
}
`

const v7 = `package main

import (
	"context"
	"fmt"
	"os"

	"github.com/cloudflare/cloudflare-go/v7"
	"github.com/cloudflare/cloudflare-go/v7/zero_trust"
)

func main() {
	if len(os.Args) < 2 {
		return
	}
	client := cloudflare.NewClient()
	rules, err := client.ZeroTrust.Devices.Posture.List(context.Background(),
		zero_trust.DevicePostureListParams{AccountID: cloudflare.F(os.Args[1])})
	if err != nil {
		panic(err)
	}
	for _, rule := range rules.Result {
		fmt.Println(rule.ID, rule.Name)
	}
}
`

const v0 = `package main

import (
	"context"
	"fmt"
	"os"

	"github.com/cloudflare/cloudflare-go"
)

func main() {
	if len(os.Args) < 2 {
		return
	}
	client, err := cloudflare.NewWithAPIToken(os.Getenv("CLOUDFLARE_API_TOKEN"))
	if err != nil {
		panic(err)
	}
	rules, _, err := client.DevicePostureRules(context.Background(), os.Args[1])
	if err != nil {
		panic(err)
	}
	for _, rule := range rules {
		fmt.Println(rule.ID, rule.Name)
	}
}
`
