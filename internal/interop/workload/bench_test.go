package workload_test

import (
	"strconv"
	"testing"

	"github.com/cfposture/cfposture/internal/interop/workload"
)

func BenchmarkList(b *testing.B) {
	for _, n := range []int{10, 1_000, 10_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			benchmark(b, workload.List(n), func(client workload.Client) error {
				_, err := client.List(b.Context())
				return err
			})
		})
	}
}

func BenchmarkGet(b *testing.B) {
	benchmark(b, workload.One(0), func(client workload.Client) error { return client.Get(b.Context(), workload.RuleID(0)) })
}

func BenchmarkCreate(b *testing.B) {
	benchmark(b, workload.One(0), func(client workload.Client) error { return client.Create(b.Context()) })
}

func BenchmarkEncode(b *testing.B) {
	benchmark(b, nil, workload.Client.Encode)
}

// benchmark has every client do the same with the same answer.
func benchmark(b *testing.B, answer []byte, operation func(workload.Client) error) {
	b.Helper()
	for _, name := range workload.Names {
		b.Run(name, func(b *testing.B) {
			client, err := workload.New(name, workload.NewTransport(answer))
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(answer)))
			for b.Loop() {
				if err := operation(client); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
