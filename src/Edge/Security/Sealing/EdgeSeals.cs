using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Dispatch;
using OllamaMax.Jobs;
using OllamaMax.Security;
using OllamaMax.Storage.Workers;
using OllamaMax.Streaming;

namespace OllamaMax.Edge.Security.Sealing;

/// <summary>This edge's side of the encryption between it and workers (<see cref="DispatchOptions.EncryptPayloads"/>): SignalR and storage see of jobs and answers how long they are.</summary>
internal sealed partial class EdgeSeals(WorkerEnrolments enrolments, IOptions<DispatchOptions> options, ILogger<EdgeSeals> logger) : IDisposable
{
    private readonly SealingKey _key = SealingKey.Create();

    /// <summary>What was agreed on with each worker that was ever granted something; a worker keeps its key as long as its id.</summary>
    private readonly ConcurrentDictionary<string, byte[]> _secrets = [];

    /// <summary>By job and nonce: an attempt that is over may still be heard, until its job is.</summary>
    private readonly ConcurrentDictionary<string, ConcurrentDictionary<string, AttemptSeal>> _seals = [];

    public bool IsOn => options.Value.EncryptPayloads;

    /// <summary>Of this process.</summary>
    public byte[] PublicKey => _key.PublicKey;

    /// <summary>The attempt's seal, known here before anything can come back under it. Null: its worker is not enrolled any more.</summary>
    /// <exception cref="Azure.RequestFailedException">Storage, which is asked once for each worker, refused or cannot be reached.</exception>
    public async ValueTask<AttemptSeal?> OfAsync(JobRun run, Attempt attempt, CancellationToken cancellationToken)
    {
        if (await OfGrantAsync(run.Job.Id, attempt, cancellationToken) is not { } seal)
            return null;
        _seals.GetOrAdd(run.Job.Id, _ => [])[attempt.Nonce] = seal;
        // Storage may have taken longer than the job.
        if (run.Owner.HasEnded)
            Forget(run.Job.Id);
        return seal;
    }

    /// <summary>The seal of an attempt that nothing comes back under: a background job's, whose output goes to storage.</summary>
    /// <inheritdoc cref="OfAsync"/>
    public async ValueTask<AttemptSeal?> OfGrantAsync(string jobId, Attempt attempt, CancellationToken cancellationToken = default)
    {
        if (!_secrets.TryGetValue(attempt.WorkerId, out byte[]? secret))
        {
            if (await enrolments.FindAsync(attempt.WorkerId, cancellationToken) is not { } record || _key.Agree(Convert.FromBase64String(record.PublicKey)) is not { } agreed)
                return null;
            _secrets[attempt.WorkerId] = secret = agreed;
        }
        return AttemptSeal.Of(secret, PublicKey, jobId, attempt);
    }

    /// <summary>The job is over.</summary>
    public void Forget(string jobId) => _seals.TryRemove(jobId, out _);

    /// <summary>The message with what was sealed in it opened, and without outputs that were not sealed: nobody has asked for those, whoever sent them.</summary>
    /// <remarks>Of a job that is over here nothing opens: that it is alive there its worker says beside it, and is told to stop.</remarks>
    public WorkerMessage Open(WorkerMessage message)
    {
        if (!IsOn)
            return message;
        List<AttemptOutput> opened = new(message.Sealed.Count);
        foreach (SealedOutput output in message.Sealed)
        {
            if (!_seals.TryGetValue(output.JobId, out ConcurrentDictionary<string, AttemptSeal>? seals))
                continue;
            if (seals.TryGetValue(output.Nonce, out AttemptSeal? seal) && SealedMessages.Open(output, seal) is { } plain)
                opened.Add(plain);
            else
                LogNotOpened(message.WorkerId, output.JobId);
        }
        if (message.Outputs.Count > 0)
            LogNotSealed(message.WorkerId);
        return message with { Outputs = opened };
    }

    public void Dispose() => _key.Dispose();

    [LoggerMessage(Level = LogLevel.Warning, Message = "What worker {Worker} sent of job {Job} does not open, and is dropped")]
    private partial void LogNotOpened(string worker, string job);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Worker {Worker} sent output that is not encrypted; it is dropped")]
    private partial void LogNotSealed(string worker);
}
