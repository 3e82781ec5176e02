package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestGeneratingChangesNothing(t *testing.T) {
	want, err := generate("../..")
	require.NoError(t, err)
	have, err := os.ReadFile("../../" + output)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(have), "%s is out of date: run go generate ./...", output)
}

// source declares one rule type, and what the given text adds.
func source(t *testing.T, added string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	text := `package p

import "encoding/json"

type RuleType string

const RuleTypeDisk RuleType = "disk"

// [RuleTypeDisk]: [DiskInput]
type DeviceInput interface{ RuleType() RuleType }

type DiskInput struct {
	On    *bool                      ` + "`json:\"on,omitzero\"`" + `
	Names []string                   ` + "`json:\"names,omitzero\"`" + `
	Extra map[string]json.RawMessage ` + "`json:\",embed\"`" + `
}

` + added
	require.NoError(t, os.WriteFile(filepath.Join(dir, "p.go"), []byte(text), 0o600))
	return dir
}

func TestGenerateWritesWhatEveryInputHas(t *testing.T) {
	code, err := generate(source(t, ""))
	require.NoError(t, err)
	for _, want := range []string{
		"case RuleTypeDisk:\n\t\treturn new(DiskInput)\n",
		"func (*DiskInput) RuleType() RuleType { return RuleTypeDisk }\n",
		"func (in DiskInput) String() string {",
		"func (in DiskInput) MarshalJSON() ([]byte, error) {",
		"func (in *DiskInput) UnmarshalJSON(data []byte) error {",
		"\tcopied.On = clonePointer(in.On)\n\tcopied.Names = slices.Clone(in.Names)\n\tcopied.Extra = cloneExtra(in.Extra)\n",
	} {
		assert.Contains(t, string(code), want)
	}
}

func TestGenerateWritesWhatAnObjectWithAnInputHas(t *testing.T) {
	code, err := generate(source(t, `type Rule struct {
	Type  RuleType
	Input DeviceInput
	Extra map[string]json.RawMessage `+"`json:\",embed\"`"+`
}
`))
	require.NoError(t, err)
	for _, want := range []string{
		"func (r *Rule) UnmarshalJSON(data []byte) error {\n\treturn wire.Unmarshal(data, r, decodeRule)\n}\n",
		"func (r *Rule) Clone() *Rule { return r.clone() }\n",
		"func (r *Rule) wireType() RuleType {\n\tif r.Type == \"\" && !variant.IsNil(r.Input) {\n\t\treturn r.Input.RuleType()\n",
		"\treturn wire.Unknowns(r, \"input\", in)\n",
		"\tcopied.Input = cloneDeviceInput(r.Input)\n",
	} {
		assert.Contains(t, string(code), want)
	}
	assert.NotContains(t, string(code), "func (r Rule) MarshalJSON()", "it is written by hand")
}

func TestGenerateLeavesWhatIsWrittenByHand(t *testing.T) {
	code, err := generate(source(t, "type Place struct {\n\tExtra map[string]json.RawMessage `json:\",embed\"`\n}\n"))
	require.NoError(t, err)
	assert.Contains(t, string(code), "func (p Place) String() string {")
	code, err = generate(source(t, "type Place struct {\n\tExtra map[string]json.RawMessage `json:\",embed\"`\n}\n\nfunc (p Place) String() string { return \"\" }\n"))
	require.NoError(t, err)
	assert.NotContains(t, string(code), "func (p Place) String() string {")
}

func TestGenerateSaysWhatIsMissing(t *testing.T) {
	const extra = "{\n\tExtra map[string]json.RawMessage `json:\",embed\"`\n}\n"
	var manyFields []string
	for i := range 65 {
		manyFields = append(manyFields, fmt.Sprintf("\tF%d string `json:\"f%d,omitzero\"`\n", i, i))
	}
	for added, want := range map[string]string{
		`const RuleTypeTPM RuleType = "tpm"`:                                    "RuleTypeTPM has no struct: declare TPMInput with a field Extra",
		"type TPMInput struct " + extra:                                         "TPMInput has no type: declare the constant RuleTypeTPM",
		"type TPMConfig struct " + extra:                                        "TPMConfig has no type: declare the constant IntegrationTypeTPM",
		"const RuleTypeTPM RuleType = \"tpm\"\n\ntype TPMInput struct " + extra: "the comment of DeviceInput doesn't list [RuleTypeTPM]: [TPMInput]",
		"type": "p.go",
		"type Place struct {\n\tOn *bool `json:\"on\"`" + extra[1:]:        "On is always written, which only a string can be: add omitzero",
		"type Place struct {\n\tA []string `json:\"a\"`" + extra[1:]:       "A is always written",
		"type Place struct {\n" + strings.Join(manyFields, "") + extra[1:]: "F64 is one of more than 64 members",
	} {
		_, err := generate(source(t, added))
		require.ErrorContains(t, err, want)
	}
}
