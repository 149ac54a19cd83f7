using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OllamaMax.Diagnostics;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Http;

/// <summary>Figures of requests, measured where the client's bytes are read and written.</summary>
internal sealed class RequestMetrics
{
    public const string MeterName = Telemetry.Name + ".Edge";

    private readonly TimeProvider _time;
    private readonly Counter<long> _requests;
    private readonly UpDownCounter<long> _running;
    private readonly Histogram<double> _duration;
    private readonly Histogram<double> _firstText;
    private readonly Counter<long> _tokens;

    public RequestMetrics(IMeterFactory meters, TimeProvider time)
    {
        _time = time;
        Meter meter = meters.Create(MeterName);
        _requests = meter.CreateCounter<long>("ollamamax.requests", description: "Answered requests.");
        _running = meter.CreateUpDownCounter<long>("ollamamax.requests.running", description: "Requests being answered now.");
        _duration = meter.CreateHistogram("ollamamax.request.duration", "s", "From a request's arrival to the end of its answer.",
            advice: Buckets(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600));
        _firstText = meter.CreateHistogram("ollamamax.request.time_to_first_text", "s", "From a request's arrival to its answer's first text.",
            advice: Buckets(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60));
        _tokens = meter.CreateCounter<long>("ollamamax.tokens", description: "Tokens of finished jobs, by kind: prompt, output.");
    }

    public void Begun() => _running.Add(1);

    public void Ended(HttpContext context)
    {
        _running.Add(-1);
        KeyValuePair<string, object?> route = RouteOf(context);
        _requests.Add(1, route, new("status", context.Response.StatusCode));
        _duration.Record(SinceArrival(context), route);
    }

    public void FirstText(HttpContext context) => _firstText.Record(SinceArrival(context), RouteOf(context));

    public void Finished(AnswerLease lease, JobStatistics statistics)
    {
        if (lease.IsReplay)
            return; // Counted with the request that ran it.
        _tokens.Add(statistics.PromptTokens, new KeyValuePair<string, object?>("kind", "prompt"));
        _tokens.Add(statistics.Tokens, new KeyValuePair<string, object?>("kind", "output"));
    }

    private double SinceArrival(HttpContext context) => _time.GetElapsedTime(RequestInfo.Of(context).Arrived).TotalSeconds;

    /// <summary>The route's pattern, never the path: paths are the client's and without number.</summary>
    private static KeyValuePair<string, object?> RouteOf(HttpContext context) =>
        new("route", (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "none");

    private static InstrumentAdvice<double> Buckets(params double[] bounds) => new() { HistogramBucketBoundaries = bounds };
}
