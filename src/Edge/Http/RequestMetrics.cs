using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using OllamaMax.Diagnostics;
using OllamaMax.Edge.Requests;
using OllamaMax.Jobs;

namespace OllamaMax.Edge.Http;

/// <summary>
/// Figures of requests, measured where the client's bytes are read and written. Those of inference have the names of OpenTelemetry's conventions for generative AI.
/// </summary>
internal sealed class RequestMetrics
{
    public const string MeterName = Telemetry.Name + ".Edge";

    private readonly TimeProvider _time;
    private readonly Counter<long> _requests;
    private long _answered;
    private readonly UpDownCounter<long> _running;
    private readonly BilledTime _billed;
    private readonly Histogram<double> _duration;
    private readonly Counter<long> _tokens;
    private readonly Counter<long> _promptTokens;
    private readonly Counter<long> _draftedTokens;
    private readonly Histogram<double> _inference;
    private readonly Histogram<double> _firstToken;
    private readonly Histogram<double> _outputToken;

    public RequestMetrics(IMeterFactory meters, TimeProvider time)
    {
        (_time, _billed) = (time, new(time));
        Meter meter = meters.Create(MeterName);
        _requests = meter.CreateCounter<long>("ollamamax.requests", description: "Answered requests.");
        _running = meter.CreateUpDownCounter<long>("ollamamax.requests.running", description: "Requests being answered now.");
        _duration = meter.CreateHistogram("ollamamax.request.duration", "s", "From a request's arrival to the end of its answer.",
            advice: Buckets(0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600));
        _tokens = meter.CreateCounter<long>("ollamamax.tokens", description: "Tokens of finished jobs, by kind: prompt, output.");
        _promptTokens = meter.CreateCounter<long>("ollamamax.prompt.tokens", description: "Prompt tokens of finished jobs, by model; cached: their state was still there.");
        _draftedTokens = meter.CreateCounter<long>("ollamamax.drafted.tokens", description: "Guessed tokens of finished jobs, by model; accepted: they were chosen indeed.");
        _inference = meter.CreateHistogram("gen_ai.server.request.duration", "s", "From an inference request's arrival to the end of its answer.",
            advice: Buckets(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92));
        _firstToken = meter.CreateHistogram("gen_ai.server.time_to_first_token", "s", "From an inference request's arrival to its answer's first text.",
            advice: Buckets(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0));
        _outputToken = meter.CreateHistogram("gen_ai.server.time_per_output_token", "s", "Time of an answer's tokens after its first, each.",
            advice: Buckets(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5));
    }

    /// <summary>Requests answered so far.</summary>
    public long Answered => Interlocked.Read(ref _answered);

    /// <summary>Time with requests so far, as functions on demand are billed for it.</summary>
    public long BilledMilliseconds => _billed.Milliseconds;

    public void Begun()
    {
        _running.Add(1);
        _billed.Begun();
    }

    public void Ended(HttpContext context)
    {
        _running.Add(-1);
        _billed.Ended();
        Interlocked.Increment(ref _answered);
        KeyValuePair<string, object?> route = RouteOf(context);
        _requests.Add(1, route, new("status", context.Response.StatusCode));
        _duration.Record(SinceArrival(context), route);
        if (InferenceInfo.Of(context) is not { } inference)
            return;
        TagList tags = inference.Tags;
        if (inference.Error is { } error)
            tags.Add("error.type", error.ToString());
        _inference.Record(SinceArrival(context), tags);
    }

    public void FirstText(HttpContext context)
    {
        if (InferenceInfo.Of(context) is { } inference)
            _firstToken.Record(SinceArrival(context), inference.Tags);
    }

    public void Finished(HttpContext context, AnswerLease lease, JobStatistics statistics)
    {
        if (lease.IsReplay)
            return; // Counted with the request that ran it.
        Used(statistics, lease.Model);
        Activity.Current?.SetTag("gen_ai.usage.input_tokens", statistics.PromptTokens).SetTag("gen_ai.usage.output_tokens", statistics.Tokens);
        if (statistics.Tokens > 1 && InferenceInfo.Of(context) is { } inference)
            _outputToken.Record(statistics.EvalDuration.TotalSeconds / (statistics.Tokens - 1), inference.Tags);
    }

    /// <summary>A job has finished, for a client that waits or in the background.</summary>
    /// <param name="model">The own name of the model that answered; null where nobody has said it.</param>
    public void Used(JobStatistics statistics, string? model)
    {
        _tokens.Add(statistics.PromptTokens, new KeyValuePair<string, object?>("kind", "prompt"));
        _tokens.Add(statistics.Tokens, new KeyValuePair<string, object?>("kind", "output"));
        Add(_promptTokens, statistics.PromptTokens - statistics.CachedTokens, "cached", "false");
        Add(_promptTokens, statistics.CachedTokens, "cached", "true");
        Add(_draftedTokens, statistics.DraftedTokens - statistics.AcceptedTokens, "accepted", "false");
        Add(_draftedTokens, statistics.AcceptedTokens, "accepted", "true");

        void Add(Counter<long> counter, int tokens, string tag, string value)
        {
            TagList tags = new() { { tag, value } };
            if (model is not null)
                tags.Add("gen_ai.response.model", model);
            counter.Add(tokens, tags);
        }
    }

    /// <summary>A job of the request failed, before its answer or in the middle of it.</summary>
    public static void Failed(HttpContext context, JobError error)
    {
        if (InferenceInfo.Of(context) is { } inference)
            inference.Error = error.Kind;
        Activity.Current?.SetStatus(ActivityStatusCode.Error, error.Message);
    }

    private double SinceArrival(HttpContext context) => _time.GetElapsedTime(RequestInfo.Of(context).Arrived).TotalSeconds;

    /// <summary>The route's pattern, never the path: paths are the client's and without number.</summary>
    private static KeyValuePair<string, object?> RouteOf(HttpContext context) =>
        new("route", (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "none");

    private static InstrumentAdvice<double> Buckets(params double[] bounds) => new() { HistogramBucketBoundaries = bounds };
}
