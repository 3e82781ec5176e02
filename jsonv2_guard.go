//go:build goexperiment.jsonv2 && !go1.27

package cfposture

// Under Go 1.26's experiment the JSON module stands back for an older copy of itself in the standard library, which has
// no way to keep unknown members and which no test here runs with. The build stops at this line, whose name is the
// reason in the compiler's message.
var _ = cfposture_does_not_build_with_GOEXPERIMENT_jsonv2_before_go1_27__its_older_JSON_can_lose_members__unset_GOEXPERIMENT
