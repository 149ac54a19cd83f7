using System.Diagnostics;
using Microsoft.Extensions.Logging;
using OllamaMax.Diagnostics;
using OllamaMax.GpuWorker.Forwarding;
using OllamaMax.GpuWorker.Health;
using OllamaMax.GpuWorker.Models;
using OllamaMax.Inference.Native;
using OllamaMax.Jobs;
using OllamaMax.Models;
using OllamaMax.Streaming;

namespace OllamaMax.GpuWorker.Dispatch;

/// <summary>Runs one attempt from grant to end; every outcome is a value.</summary>
internal sealed partial class AttemptRunner(
    ModelHost models, ForwardedServers forwards, ModelMeters meters, DecoderWatch decoders, PayloadSource payloads, TimeProvider time, ILogger<AttemptRunner> logger)
{
    public async Task<AttemptEnd> RunAsync(GrantMessage grant, RunningAttempt attempt)
    {
        Job? job = grant.Job;
        using var deadline = new CancellationTokenSource(grant.Remaining, time);
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(attempt.Cancelled, deadline.Token);
        try
        {
            job ??= await payloads.ReadAsync(grant, ends.Token);
            if (job is null)
                return new AttemptEnd { Reason = EndReason.HandedBack, Error = "storage did not give it the job" };
            using Activity? activity = Telemetry.Source.StartActivity("attempt", ActivityKind.Consumer, job.TraceParent);
            activity?.SetTag("ollamamax.job", job.Id).SetTag("ollamamax.attempt", grant.Attempt.Number);
            string digest = ModelDigest.Brief(job.Model);
            LogStarted(job.RequestId, job.Id, job.AnsweredBy ?? "a model", digest, grant.Attempt.Number);
            AttemptEnd end = await DecodeAsync(job, grant, attempt, ends.Token);
            if (end.Reason == EndReason.Cancelled && attempt.HandBack)
                end = end with { Reason = EndReason.HandedBack };
            activity?.SetTag("ollamamax.end", end.Reason);
            if (end.Reason == EndReason.Failed)
                activity?.SetStatus(ActivityStatusCode.Error, end.Error);
            LogEnded(job.RequestId, job.Id, end.Reason, end.Error is null ? "" : $": {end.Error}");
            return end;
        }
        catch (OperationCanceledException) when (ends.IsCancellationRequested)
        {
            EndReason reason = attempt.HandBack ? EndReason.HandedBack : EndReason.Cancelled;
            LogEnded(job?.RequestId, grant.JobId, reason, "");
            return new AttemptEnd { Reason = reason };
        }
        catch (Exception e) when (e is ReplicaException or ModelLoadException or HttpRequestException)
        {
            LogFailed(job?.RequestId, grant.JobId, e.Message);
            return new AttemptEnd { Reason = EndReason.Failed, Error = e.Message };
        }
        catch (Exception e)
        {
            // Whatever it is: the owner must hear that this attempt has ended.
            LogUnexpected(e, job?.RequestId, grant.JobId);
            return new AttemptEnd { Reason = EndReason.Failed, Error = "the worker failed unexpectedly; its log says more" };
        }
    }

    private async Task<AttemptEnd> DecodeAsync(Job job, GrantMessage grant, RunningAttempt attempt, CancellationToken ends)
    {
        if (decoders.Hangs(job.Model))
            return new AttemptEnd { Reason = EndReason.Failed, Error = "the model's decoder stands still on this worker" };
        long asked = time.GetTimestamp();
        using ModelUse use = await UseAsync(job, ends);
        if (job.LoadOnly)
        {
            if (use.Engine is ForwardingEngine server && await server.LoadAsync(job.KeepAlive, ends) is { Reason: not EndReason.Loaded } failed)
                return failed;
            attempt.Output.Started(new AttemptStart(0, 0, time.GetElapsedTime(asked), TimeSpan.Zero));
            return new AttemptEnd { Reason = EndReason.Loaded };
        }
        // A server beside us may think for as long as it likes before it says something.
        attempt.Engine = use.Engine.IsContinuable ? use.Engine : null;
        TokenMeter[] measured = meters.For(job.Model);
        using Activity? activity = Telemetry.Source.StartActivity(job.EmbedInputs is null ? "generate" : "embed");
        var sink = new MeasuredSink(attempt.Output, time.GetElapsedTime(asked), measured, activity);
        foreach (TokenMeter meter in measured)
            meter.Enter();
        try
        {
            return job.EmbedInputs is { } inputs
                ? await use.Engine.EmbedAsync(Request(job, inputs, grant), sink, ends)
                : await use.Engine.RunAsync(Request(job, grant), sink, ends);
        }
        finally
        {
            foreach (TokenMeter meter in measured)
                meter.Exit();
        }
    }

    /// <summary>The model, in memory; where it has to come there first, that is a span of its own.</summary>
    private async Task<ModelUse> UseAsync(Job job, CancellationToken cancellationToken)
    {
        using Activity? activity = Telemetry.Source.StartActivity("load");
        activity?.SetTag("ollamamax.model", job.Model);
        return forwards.Use(job.Model) ?? await models.UseAsync(job.Model, job.KeepAlive, job.OnlyLengthensStay, cancellationToken);
    }

    private static EngineRequest Request(Job job, GrantMessage grant) => new()
    {
        Prompt = job.Prompt,
        Prediction = job.Prediction,
        Options = job.Options,
        Seed = job.Seed,
        ResumeTokens = grant.Resume,
        Partition = job.SharesPrompts ? "" : job.Tenant,
        Forward = job.Forward,
        Stop = job.Stop,
        KeepAlive = job.KeepAlive,
    };

    private static EmbedRequest Request(Job job, IReadOnlyList<string> inputs, GrantMessage grant) => new()
    {
        Inputs = inputs,
        Context = job.Options.NumCtx,
        Truncate = job.Truncate,
        Skip = grant.Resume.Count,
        KeepAlive = job.KeepAlive,
    };

    /// <summary>Adds to the engine's figures how long the model took to be there, counts tokens, and says on the trace what was read and when the first one came.</summary>
    private sealed class MeasuredSink(ITokenSink inner, TimeSpan load, TokenMeter[] meters, Activity? activity) : ITokenSink
    {
        private bool _hasWritten;

        public void Started(AttemptStart start)
        {
            activity?.SetTag("gen_ai.usage.input_tokens", start.PromptTokens).SetTag("ollamamax.cached_tokens", start.CachedTokens);
            inner.Started(start with { LoadDuration = load });
        }

        public void Write(int index, int token, ReadOnlySpan<byte> piece, TokenLogprobs? logprobs = null)
        {
            foreach (TokenMeter meter in meters)
                meter.Token();
            if (!_hasWritten)
            {
                _hasWritten = true;
                activity?.AddEvent(new ActivityEvent("first token"));
            }
            inner.Write(index, token, piece, logprobs);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Request {RequestId}: job {Job} of {Model} ({Digest}), attempt {Number} begins")]
    private partial void LogStarted(string requestId, string job, string model, string digest, int number);

    [LoggerMessage(Level = LogLevel.Information, Message = "Request {RequestId}: job {Job} ended by {Reason}{Error}")]
    private partial void LogEnded(string? requestId, string job, EndReason reason, string error);

    [LoggerMessage(Level = LogLevel.Error, Message = "Request {RequestId}: job {Job} failed: {Reason}")]
    private partial void LogFailed(string? requestId, string job, string reason);

    [LoggerMessage(Level = LogLevel.Error, Message = "Request {RequestId}: job {Job} failed unexpectedly")]
    private partial void LogUnexpected(Exception exception, string? requestId, string job);
}
