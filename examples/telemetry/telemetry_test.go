package main

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/cfposture/cfposture"
	"github.com/cfposture/cfposture/posturetest"
)

func TestEveryAttemptIsASpanAndAMeasurement(t *testing.T) {
	spans, reader := tracetest.NewSpanRecorder(), metric.NewManualReader()
	traces := trace.NewTracerProvider(trace.WithSpanProcessor(spans))
	meters := metric.NewMeterProvider(metric.WithReader(reader))
	middleware, err := Middleware(traces.Tracer("test"), meters.Meter("test"))
	require.NoError(t, err)
	server := posturetest.NewServer()
	defer server.Close()
	client := server.Client(cfposture.WithMiddleware(middleware))

	ctx, parent := traces.Tracer("test").Start(t.Context(), "parent")
	created, err := client.Posture.Create(ctx, &cfposture.Rule{Name: "WARP", Input: &cfposture.WARPInput{}})
	require.NoError(t, err)
	server.FailNext(1, http.StatusServiceUnavailable)
	server.CutNext(1, posturetest.CutMiddle)
	_, err = client.Posture.Get(ctx, created.ID)
	require.NoError(t, err)
	parent.End()

	var names []string
	var states []codes.Code
	for _, span := range spans.Ended() {
		names, states = append(names, span.Name()), append(states, span.Status().Code)
		if span.Name() != "parent" {
			assert.Equal(t, parent.SpanContext().SpanID(), span.Parent().SpanID())
		}
		for _, a := range span.Attributes() {
			assert.NotContains(t, a.Value.String(), created.ID, "an ID would make each rule a series of its own")
			assert.NotContains(t, a.Value.String(), posturetest.APIToken)
		}
	}
	assert.Equal(t, []string{"posture.create", "posture.get", "posture.get", "posture.get", "parent"}, names)
	assert.Equal(t, []codes.Code{codes.Unset, codes.Error, codes.Unset, codes.Unset, codes.Unset}, states)

	var measured metricdata.ResourceMetrics
	require.NoError(t, reader.Collect(t.Context(), &measured))
	counts := map[string]uint64{}
	for _, point := range measured.ScopeMetrics[0].Metrics[0].Data.(metricdata.Histogram[float64]).DataPoints {
		operation, _ := point.Attributes.Value(attribute.Key("cfposture.operation"))
		status, _ := point.Attributes.Value(attribute.Key("http.response.status_code"))
		counts[operation.AsString()+" "+status.String()] = point.Count
	}
	assert.Equal(t, map[string]uint64{"posture.create 200": 1, "posture.get 503": 1, "posture.get 200": 2}, counts)
}

func TestTransportErrorIsRecorded(t *testing.T) {
	spans := tracetest.NewSpanRecorder()
	traces, meters := trace.NewTracerProvider(trace.WithSpanProcessor(spans)), metric.NewMeterProvider()
	middleware, err := Middleware(traces.Tracer("test"), meters.Meter("test"))
	require.NoError(t, err)
	server := posturetest.NewServer()
	client := server.Client(cfposture.WithMiddleware(middleware), cfposture.WithMaxRetries(0))
	server.Close()
	_, err = client.Posture.List(t.Context())
	require.Error(t, err)
	require.Len(t, spans.Ended(), 1)
	assert.Equal(t, codes.Error, spans.Ended()[0].Status().Code)
	assert.Len(t, spans.Ended()[0].Events(), 1)
}

func TestProgramWorksEmbedded(t *testing.T) {
	t.Setenv("CLOUDFLARE_API_TOKEN", "nobody asked to use it")
	require.NoError(t, run(t.Context(), false))
}
