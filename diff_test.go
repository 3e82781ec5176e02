package cfposture_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/internal/apifacts"
)

func ruleOf(t *testing.T, text string) *cfposture.Rule {
	t.Helper()
	rule := new(cfposture.Rule)
	require.NoError(t, json.Unmarshal([]byte(text), rule), text)
	return rule
}

func integrationOf(t *testing.T, text string) *cfposture.Integration {
	t.Helper()
	integration := new(cfposture.Integration)
	require.NoError(t, json.Unmarshal([]byte(text), integration), text)
	return integration
}

// differing returns each difference as "field: want, have" without spaces in the values.
func differing(differences []cfposture.Difference) []string {
	texts := []string{}
	for _, d := range differences {
		texts = append(texts, fmt.Sprintf("%s: %s, %s", d.Field, string(d.Want), string(d.Have)))
	}
	return texts
}

func TestDiffOfRules(t *testing.T) {
	const disk = `{"name":"n","type":"disk_encryption","input":`
	for name, test := range map[string]struct {
		want, have string
		differing  []string
	}{
		"equal":                      {`{"name":"n","type":"warp"}`, `{"name":"n","type":"warp"}`, nil},
		"name":                       {`{"name":"n","type":"warp"}`, `{"name":"m","type":"warp"}`, []string{`name: "n", "m"`}},
		"what is left out":           {`{"type":"warp"}`, `{"name":"m","description":"d","schedule":"5m","expiration":"1h","match":[{"platform":"mac"}],"type":"warp","x":1}`, nil},
		"what only the API sets":     {`{"id":"a","enabled":true,"type":"warp"}`, `{"id":"b","enabled":false,"type":"warp"}`, nil},
		"what the API adds":          {disk + `{"requireAll":true}}`, `{"enabled":true,"expiration":null,"id":"x","input":{"checkDisks":[],"operating_system":"windows","requireAll":true},"name":"n","schedule":"5m","type":"disk_encryption"}`, nil},
		"missing":                    {`{"description":"d","schedule":"5m","type":"warp"}`, `{"type":"warp"}`, []string{`description: "d", `, `schedule: "5m", `}},
		"null and empty":             {`{"description":"","schedule":null,"type":"warp","x":null,"y":""}`, `{"description":"d","schedule":"1h","type":"warp","x":1,"y":"z"}`, nil},
		"intervals of equal length":  {`{"schedule":"60m","expiration":"2d","type":"warp"}`, `{"schedule":"1h","expiration":"48h","type":"warp"}`, nil},
		"intervals of other lengths": {`{"schedule":"60m","type":"warp"}`, `{"schedule":"2h","type":"warp"}`, []string{`schedule: "60m", "2h"`}},
		"intervals that are none":    {`{"schedule":"often","type":"warp"}`, `{"schedule":"2h","type":"warp"}`, []string{`schedule: "often", "2h"`}},

		"match in another order": {`{"type":"warp","match":[{"platform":"mac"},{"platform":"windows"}]}`, `{"type":"warp","match":[{"platform":"windows"},{"platform":"mac"}]}`, nil},
		"match twice":            {`{"type":"warp","match":[{"platform":"mac"},{"platform":"mac"}]}`, `{"type":"warp","match":[{"platform":"mac"}]}`, nil},
		"one match less":         {`{"type":"warp","match":[{"platform":"mac"}]}`, `{"type":"warp","match":[{"platform":"mac"},{"platform":"ios"}]}`, []string{`match: [{"platform":"mac"}], [{"platform":"mac"},{"platform":"ios"}]`}},
		"one match more":         {`{"type":"warp","match":[{"platform":"mac"},{"platform":"ios"}]}`, `{"type":"warp","match":[{"platform":"mac"}]}`, []string{`match: [{"platform":"mac"},{"platform":"ios"}], [{"platform":"mac"}]`}},
		"no match, and none":     {`{"type":"warp","match":[]}`, `{"type":"warp"}`, nil},
		"no match, and one":      {`{"type":"warp","match":[]}`, `{"type":"warp","match":[{"platform":"mac"}]}`, []string{`match: [], [{"platform":"mac"}]`}},
		"match with more":        {`{"type":"warp","match":[{"platform":"mac"}]}`, `{"type":"warp","match":[{"platform":"mac","later":1}]}`, nil},

		"input":                     {disk + `{"requireAll":true}}`, disk + `{"requireAll":false}}`, []string{`input.requireAll: true, false`}},
		"input where there is none": {disk + `{"requireAll":true}}`, `{"name":"n","type":"disk_encryption"}`, []string{`input: {"requireAll":true}, `}},
		"empty input":               {disk + `{}}`, `{"name":"n","type":"disk_encryption"}`, nil},
		"false where there is none": {disk + `{"requireAll":false}}`, disk + `{}}`, []string{`input.requireAll: false, `}},
		"set in another order":      {disk + `{"checkDisks":["C","D"]}}`, disk + `{"checkDisks":["D","C","C"]}}`, nil},
		"empty set, and none":       {disk + `{"checkDisks":[]}}`, disk + `{}}`, nil},
		"empty set, and more":       {disk + `{"checkDisks":[]}}`, disk + `{"checkDisks":["C"]}}`, []string{`input.checkDisks: [], ["C"]`}},
		"nested object": {
			`{"type":"client_certificate_v2","input":{"locations":{"paths":["/b","/a"],"trust_stores":["user"]}}}`,
			`{"type":"client_certificate_v2","input":{"locations":{"paths":["/a","/b"],"trust_stores":["system"],"x":1}}}`,
			[]string{`input.locations.trust_stores: ["user"], ["system"]`},
		},
		"numbers in other digits": {`{"type":"tanium_s2s","input":{"total_score":85.5}}`, `{"type":"tanium_s2s","input":{"total_score":8.550e1}}`, nil},
		"Extra in other words": {
			`{"type":"warp","x":{"a":1.10,"b":["\u0041"],"c":12345678901234567890}}`, `{"type":"warp","x":{"b":["A"],"c":12345678901234567890.0,"a":1.1}}`, nil,
		},
		"Extra in another order":      {`{"type":"warp","x":[1,2]}`, `{"type":"warp","x":[2,1]}`, []string{`x: [1,2], [2,1]`}},
		"Extra with another member":   {`{"type":"warp","x":{"a":1}}`, `{"type":"warp","x":{"a":1,"b":2}}`, []string{`x: {"a":1}, {"a":1,"b":2}`}},
		"Extra beyond a float64":      {`{"type":"warp","x":12345678901234567890}`, `{"type":"warp","x":12345678901234567891}`, []string{`x: 12345678901234567890, 12345678901234567891`}},
		"Extra of the input":          {`{"type":"warp","input":{"flavor":"w"}}`, `{"type":"warp","input":{"flavor":"v"}}`, []string{`input.flavor: "w", "v"`}},
		"another type":                {`{"type":"serial_number","input":{"id":"x"}}`, `{"type":"unique_client_id","input":{"id":"x","operating_system":"ios"}}`, []string{`type: "serial_number", "unique_client_id"`, `input: {"id":"x"}, {"operating_system":"ios","id":"x"}`}},
		"no type":                     {`{"name":"n"}`, `{"name":"n","type":"file","input":{"path":"/x"}}`, nil},
		"unknown type":                {`{"type":"quantum","input":{"a":1,"b":[1,2]}}`, `{"type":"quantum","input":{"b":[1,2],"a":1.0,"c":3}}`, nil},
		"unknown type, another value": {`{"type":"quantum","input":{"a":1}}`, `{"type":"quantum","input":{"a":2}}`, []string{`input.a: 1, 2`}},
		"input that does not fit":     {`{"type":"file","input":{"path":"/x","exists":true}}`, `{"type":"file","input":{"path":5,"exists":true}}`, []string{`input.path: "/x", 5`}},

		"members that do not come back": {
			`{"type":"os_version","input":{"operator":">=","version":"1.2.3","os_distro_name":"u","os_distro_revision":"1","os_version_extra":"x"}}`,
			`{"type":"os_version","input":{"operator":">="}}`, nil,
		},
		"members that came back": {
			`{"type":"os_version","input":{"operator":">=","version":"1.2.3","os_distro_name":"u"}}`,
			`{"type":"os_version","input":{"operator":">=","version":"1.2.4","os_distro_name":"u"}}`, []string{`input.version: "1.2.3", "1.2.4"`},
		},
		"path and sha256 do not come back": {
			`{"type":"file","input":{"path":"/x","sha256":"a","thumbprint":"t"}}`, `{"type":"file","input":{"exists":true}}`, []string{`input.thumbprint: "t", `},
		},
		"version of CrowdStrike does not come back": {
			`{"type":"crowdstrike_s2s","input":{"connection_id":"c","version":"7.1.0","overall":"80"}}`,
			`{"type":"crowdstrike_s2s","input":{"connection_id":"c"}}`, []string{`input.overall: "80", `},
		},
		"SentinelOne's do not come back": {
			`{"type":"sentinelone_s2s","input":{"connection_id":"c","infected":false,"active_threats":0,"operator":"<","network_status":"connected"}}`,
			`{"type":"sentinelone_s2s","input":{"connection_id":"c"}}`, nil,
		},
		"SentinelOne's came back": {
			`{"type":"sentinelone_s2s","input":{"connection_id":"c","infected":false}}`,
			`{"type":"sentinelone_s2s","input":{"connection_id":"d","infected":true}}`, []string{`input.connection_id: "c", "d"`, `input.infected: false, true`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			want, have := ruleOf(t, test.want), ruleOf(t, test.have)
			wantBefore, haveBefore := want.Clone(), have.Clone()
			if test.differing == nil {
				test.differing = []string{}
			}
			assert.Equal(t, test.differing, differing(want.Diff(have)))
			assert.Empty(t, want.Diff(want.Merge(have)), "after a merge")
			assert.Equal(t, wantBefore, want, "pure")
			assert.Equal(t, haveBefore, have, "pure")
		})
	}
}

func TestDiffOfNothing(t *testing.T) {
	rule := &cfposture.Rule{Name: "n", Type: "warp"}
	assert.Equal(t, []string{`name: "n", `, `type: "warp", `}, differing(rule.Diff(nil)))
	assert.Empty(t, (*cfposture.Rule)(nil).Diff(rule))
	integration := &cfposture.Integration{Interval: "5m"}
	assert.Equal(t, []string{`interval: "5m", `}, differing(integration.Diff(nil)))
	assert.Empty(t, (*cfposture.Integration)(nil).Diff(integration))
}

func TestDiffOfWhatJSONCannotWriteIsTheWhole(t *testing.T) {
	broken := &cfposture.Rule{Name: "n", Input: &cfposture.CustomS2SInput{Score: new(math.NaN())}}
	have := ruleOf(t, `{"id":"x","name":"m","type":"custom_s2s","enabled":true}`)
	require.Len(t, broken.Diff(have), 1)
	assert.Empty(t, broken.Diff(have)[0].Field)
	merged := broken.Merge(have)
	assert.Equal(t, "x", merged.ID)
	require.Error(t, merged.Validate(), "Update says what is wrong")

	odd := &cfposture.Rule{Type: "warp", Extra: map[string]json.RawMessage{"schedule": json.RawMessage("5")}}
	assert.Equal(t, []string{"schedule: 5, "}, differing(odd.Diff(have.Clone())[1:]))
	require.Error(t, odd.Merge(have).Validate())
}

// Every value of every type's sample differs from another, and from none at all unless responses may leave it out.
func TestDiffNoticesEveryMemberOfEveryType(t *testing.T) {
	leftOut := []string{"path", "sha256", "version", "os_distro_name", "os_distro_revision", "os_version_extra"}
	for _, ruleType := range apifacts.RuleTypes {
		want := ruleOf(t, string(ruleType.Sample()))
		assert.Empty(t, want.Diff(want.Clone()), ruleType.Name)
		for _, member := range ruleType.Members {
			have := ruleOf(t, changed(t, ruleType.Sample(), member.Name, `["another"]`))
			path := "input." + member.Name
			assert.Equal(t, path, want.Diff(have)[0].Field)
			assert.JSONEq(t, `["another"]`, string(want.Diff(have)[0].Have))

			have = ruleOf(t, changed(t, ruleType.Sample(), member.Name, ""))
			isLeftOut := strings.Contains(" "+strings.Join(leftOut, " ")+" ", " "+member.Name+" ") ||
				ruleType.Name == "sentinelone_s2s" && member.Name != "connection_id"
			assert.Equal(t, isLeftOut, len(want.Diff(have)) == 0, "%s %s", ruleType.Name, member.Name)
		}
	}
}

// changed gives a member of the sample's input another value, or takes it away.
func changed(t *testing.T, sample []byte, member, value string) string {
	t.Helper()
	var rule, input map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(sample, &rule))
	require.NoError(t, json.Unmarshal(rule["input"], &input))
	if delete(input, member); value != "" {
		input[member] = json.RawMessage(value)
	}
	var err error
	rule["input"], err = json.Marshal(input)
	require.NoError(t, err)
	text, err := json.Marshal(rule)
	require.NoError(t, err)
	return string(text)
}

func TestDiffOfIntegrations(t *testing.T) {
	const full = `{"name":"n","interval":"10m","type":"crowdstrike_s2s","config":{"api_url":"u","client_id":"i","client_secret":"hidden","customer_id":"c"}}`
	for name, test := range map[string]struct {
		want, have string
		differing  []string
	}{
		"as it comes back":          {full, `{"id":"x","identifier":"","schema":{},"test_results":{},"name":"n","interval":"10m","type":"crowdstrike_s2s","config":{"api_url":"u","client_id":"i"}}`, nil},
		"with customer_id":          {full, `{"name":"n","interval":"10m","type":"crowdstrike_s2s","config":{"api_url":"u","client_id":"i","customer_id":"d"}}`, []string{`config.customer_id: "c", "d"`}},
		"config":                    {full, `{"name":"n","interval":"600s","type":"crowdstrike_s2s","config":{"api_url":"v","client_id":"i"}}`, []string{`config.api_url: "u", "v"`}},
		"api_url always comes back": {full, `{"name":"n","interval":"10m","type":"crowdstrike_s2s","config":{"client_id":"i"}}`, []string{`config.api_url: "u", `}},
		"other secrets":             {full, strings.Replace(full, "hidden", "other", 1), nil},
		"access_client_id": {
			`{"type":"custom_s2s","config":{"access_client_id":"a","access_client_secret":"hidden","api_url":"u"}}`,
			`{"type":"custom_s2s","config":{"api_url":"u"}}`, nil,
		},
		"other access_client_id": {
			`{"type":"custom_s2s","config":{"access_client_id":"a"}}`, `{"type":"custom_s2s","config":{"access_client_id":"b"}}`, []string{`config.access_client_id: "a", "b"`},
		},
		"unknown members do not come back": {`{"type":"kolide","config":{"pin":"hidden"}}`, `{"type":"kolide","config":{"client_id":"i"}}`, nil},
		"unknown members came back":        {`{"type":"kolide","config":{"region":"eu"}}`, `{"type":"kolide","config":{"region":"us"}}`, []string{`config.region: "eu", "us"`}},
		"unknown type":                     {`{"type":"quantum","config":{"key":"hidden","a":1}}`, `{"type":"quantum","config":{"a":2}}`, []string{`config.a: 1, 2`}},
		"secret names of an unknown type":  {`{"type":"quantum","config":{"client_secret":"hidden","a":[{"token":"hidden","b":1}]}}`, `{"type":"quantum","config":{"client_secret":"****","a":[{"token":"***","b":1}]}}`, nil},
		"secret names that came back":      {`{"type":"kolide","config":{"new_secret":"hidden","x":{"key":"hidden"}}}`, `{"type":"kolide","config":{"new_secret":"****","x":{"key":"***"}}}`, nil},
		"no config":                        {full, `{"name":"n","interval":"10m","type":"crowdstrike_s2s"}`, []string{`config: {"api_url":"u","client_id":"i","customer_id":"c"}, `}},
		"secrets of another type":          {`{"type":"kolide","config":{"client_id":"i","client_secret":"hidden","pin":"hidden"}}`, `{"type":"intune","config":{"client_id":"i","client_secret":"hidden"}}`, []string{`type: "kolide", "intune"`}},
		"secrets of an unknown type":       {`{"type":"quantum","config":{"pin":"hidden"}}`, `{"type":"intune","config":{"client_id":"i"}}`, []string{`type: "quantum", "intune"`, `config: {}, {"client_id":"i"}`}},
		"another type":                     {`{"type":"kolide","config":{"client_id":"i"}}`, `{"type":"intune","config":{"client_id":"i","customer_id":"c"}}`, []string{`type: "kolide", "intune"`, `config: {"client_id":"i"}, {"client_id":"i","customer_id":"c"}`}},
	} {
		t.Run(name, func(t *testing.T) {
			want, have := integrationOf(t, test.want), integrationOf(t, test.have)
			if test.differing == nil {
				test.differing = []string{}
			}
			assert.Equal(t, test.differing, differing(want.Diff(have)))
			assert.Empty(t, want.Diff(want.Merge(have)), "after a merge")
		})
	}
}

func TestMergePutsTheWantedOverWhatIsThere(t *testing.T) {
	have := ruleOf(t, `{"id":"x","enabled":true,"name":"old","description":"kept","type":"client_certificate_v2","match":[{"platform":"mac","later":1},{"platform":"ios"}],
		"input":{"certificate_id":"c","check_private_key":true,"flavor":{"a":1},"locations":{"paths":["/a"],"new":1}},"zz":[1.10]}`)
	want := ruleOf(t, `{"id":"y","enabled":false,"name":"new","match":[{"platform":"windows"},{"platform":"mac"}],"type":"client_certificate_v2",
		"input":{"check_private_key":false,"flavor":{"b":2},"locations":{"trust_stores":["user"]}},"yy":true}`)
	wantBefore, haveBefore := want.Clone(), have.Clone()
	merged := want.Merge(have)
	assert.Equal(t, ruleOf(t, `{"id":"x","enabled":true,"name":"new","description":"kept","type":"client_certificate_v2","match":[{"platform":"windows"},{"platform":"mac","later":1}],
		"input":{"certificate_id":"c","check_private_key":false,"flavor":{"b":2},"locations":{"paths":["/a"],"trust_stores":["user"],"new":1}},"yy":true,"zz":[1.10]}`), merged)
	assert.Equal(t, wantBefore, want)
	assert.Equal(t, haveBefore, have)

	*merged.Enabled = false
	merged.Match[1].Extra["later"][0] = '9'
	merged.Input.(*cfposture.ClientCertificateV2Input).Locations.Paths[0] = "/changed"
	assert.Equal(t, wantBefore, want, "nothing is shared")
	assert.Equal(t, haveBefore, have, "nothing is shared")
}

func TestMergeOfAnotherTypeTakesItsInputWhole(t *testing.T) {
	have := ruleOf(t, `{"id":"x","name":"n","type":"unique_client_id","input":{"id":"list","operating_system":"ios"},"x":1}`)
	merged := (&cfposture.Rule{Input: &cfposture.SerialNumberInput{ID: "other"}}).Merge(have)
	assert.Equal(t, ruleOf(t, `{"id":"x","name":"n","type":"serial_number","input":{"id":"other"},"x":1}`), merged)
	merged = (&cfposture.Rule{Type: "file", Input: &cfposture.FileInput{Path: "/x"}}).Merge(ruleOf(t, `{"id":"x","type":"file","input":{"path":5,"y":1}}`))
	assert.Equal(t, ruleOf(t, `{"id":"x","type":"file","input":{"path":"/x","y":1}}`), merged, "an input that didn't fit, now does")
}

func TestMergeComparesElementsAsDiffDoes(t *testing.T) {
	want := ruleOf(t, `{"type":"warp","match":[{"schedule":"60m"}]}`) // which is no interval here
	assert.Empty(t, want.Diff(want.Merge(ruleOf(t, `{"type":"warp","match":[{"schedule":"1h"},{"platform":"mac"}]}`))))
}

func TestMergeWithNothing(t *testing.T) {
	rule := &cfposture.Rule{ID: "x", Name: "n", Type: "warp"}
	assert.Equal(t, rule, rule.Merge(nil))
	assert.Equal(t, rule, (*cfposture.Rule)(nil).Merge(rule))
	integration := &cfposture.Integration{ID: "x", Name: "n", Type: "kolide"}
	assert.Equal(t, integration, integration.Merge(nil))
	assert.Equal(t, integration, (*cfposture.Integration)(nil).Merge(integration))
	assert.Nil(t, (*cfposture.Rule)(nil).Merge(nil))
}

func TestMergeKeepsWhatOnlyTheAPISetsOfAnIntegration(t *testing.T) {
	have := integrationOf(t, `{"id":"x","identifier":"i","schema":{"a":1},"test_results":[],"name":"n","type":"kolide","interval":"1h","config":{"client_id":"c"}}`)
	want := integrationOf(t, `{"id":"y","identifier":"j","schema":{"b":1},"type":"kolide","interval":"2h","config":{"client_secret":"s"}}`)
	assert.Equal(t, integrationOf(t, `{"id":"x","identifier":"i","schema":{"a":1},"test_results":[],"name":"n","type":"kolide","interval":"2h","config":{"client_id":"c","client_secret":"s"}}`), want.Merge(have))
}

// Diff, Merge and Update together come to rest, and lose nothing.
func TestMergeAndUpdateEndWithoutADifference(t *testing.T) {
	samples := sampleRules(t)
	for haveName, sample := range samples {
		have := ruleOf(t, sample)
		for wantName, text := range samples {
			want := ruleOf(t, text)
			if want.Type != have.Type {
				continue
			}
			want.ID, want.Name, want.Schedule = "", "wanted", "30m"
			other := cfposture.PlatformLinux
			if have.Match[0].Platform == other {
				other = cfposture.PlatformMac
			}
			want.Match = []cfposture.Match{{Platform: other}, {Platform: have.Match[0].Platform}}
			t.Run(wantName+" over "+haveName, func(t *testing.T) {
				server := newServer(t)
				server.AddIntegration([]byte(`{"id":"` + apifacts.ConnectionID + `","name":"x","type":"kolide"}`))
				id := server.AddRule([]byte(sample))
				client := server.Client()
				there, err := client.Posture.Get(t.Context(), id)
				require.NoError(t, err)
				require.NotEmpty(t, want.Diff(there))
				_, err = client.Posture.Update(t.Context(), want.Merge(there))
				require.NoError(t, err)

				now, err := client.Posture.Get(t.Context(), id)
				require.NoError(t, err)
				assert.Empty(t, differing(want.Diff(now)))
				assert.Equal(t, there.ID, now.ID)
				kept, err := json.Marshal(now)
				require.NoError(t, err)
				expected := strings.Replace(sample, `"name":"Sample of `+string(have.Type)+`"`, `"name":"wanted"`, 1)
				expected = strings.Replace(expected, `"schedule":"5m"`, `"schedule":"30m"`, 1)
				expected = strings.Replace(expected, `"match":[{`, `"match":[{"platform":"`+string(other)+`"},{`, 1)
				assertAllKept(t, []byte(expected), kept)
			})
		}
	}
}

func TestDifferencePrintsInOneLine(t *testing.T) {
	want, have := ruleOf(t, `{"type":"warp","schedule":"5m","description":"a\u202eb"}`), ruleOf(t, `{"type":"warp","schedule":"1h"}`)
	assert.Equal(t, `[description: want "a b", have nothing schedule: want "5m", have "1h"]`, fmt.Sprint(want.Diff(have)))
}
