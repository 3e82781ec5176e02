package main

import (
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/cfposture/cfposture"
)

// Middleware returns a middleware for [cfposture.WithMiddleware] that makes a span of every attempt and measures how long
// it took. Spans and measurements are named by the operation, such as posture.create, because paths hold IDs: each would
// be a series of its own.
func Middleware(tracer trace.Tracer, meter metric.Meter) (func(http.RoundTripper) http.RoundTripper, error) {
	duration, err := meter.Float64Histogram("cfposture.attempt.duration", metric.WithUnit("s"),
		metric.WithDescription("How long attempts took, until the response was read or failed."))
	if err != nil {
		return nil, err
	}
	return func(next http.RoundTripper) http.RoundTripper { return &transport{next, tracer, duration} }, nil
}

// A transport observes the attempts that go through it.
type transport struct {
	next     http.RoundTripper
	tracer   trace.Tracer
	duration metric.Float64Histogram
}

// RoundTrip makes one attempt. It ends when the body is closed, unless there is none.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	operation := cfposture.Operation(r.Context())
	attributes := []attribute.KeyValue{
		attribute.String("cfposture.operation", operation),
		attribute.String("http.request.method", r.Method),
	}
	begun := time.Now()
	ctx, span := t.tracer.Start(r.Context(), operation, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attributes...))
	end := func() {
		t.duration.Record(ctx, time.Since(begun).Seconds(), metric.WithAttributes(attributes...))
		span.End()
	}
	response, err := t.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		attributes = append(attributes, attribute.String("error.type", "transport"))
		span.RecordError(err)
		span.SetStatus(codes.Error, "no response")
		end()
		return nil, err
	}
	status := attribute.Int("http.response.status_code", response.StatusCode)
	attributes = append(attributes, status)
	span.SetAttributes(status, attribute.String("cloudflare.ray", response.Header.Get("CF-Ray")))
	if response.StatusCode >= http.StatusBadRequest {
		attributes = append(attributes, attribute.String("error.type", strconv.Itoa(response.StatusCode)))
		span.SetStatus(codes.Error, http.StatusText(response.StatusCode))
	}
	response.Body = &body{response.Body, sync.OnceFunc(end)}
	return response, nil
}

// A body calls end when it is closed.
type body struct {
	io.ReadCloser
	end func()
}

func (b *body) Close() error {
	defer b.end()
	return b.ReadCloser.Close()
}
