//go:build goexperiment.jsonv2 && !go1.27

package cfposture

// Under Go 1.26's experiment the JSON library is an older copy in the standard library, which lacks the means to keep
// unknown members. This line makes the build stop there, with the reason in the compiler's message.
var _ = cfposture_would_lose_members_with_GOEXPERIMENT_jsonv2_before_go1_27__unset_GOEXPERIMENT_or_use_go1_27
