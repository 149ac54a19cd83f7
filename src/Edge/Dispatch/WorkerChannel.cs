using System.Buffers.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.Edge.Security.Sealing;
using OllamaMax.Jobs;
using OllamaMax.Security;
using OllamaMax.SignalR;
using OllamaMax.Storage;
using OllamaMax.Storage.Payloads;
using OllamaMax.Storage.Queues;
using OllamaMax.Streaming;

namespace OllamaMax.Edge.Dispatch;

/// <summary>
/// Says to workers what the dispatcher decided. Nothing here is waited for by the dispatcher, and everything may be lost:
/// owners repeat what was not answered.
/// </summary>
internal sealed partial class WorkerChannel(
    SignalRHub hub,
    EdgeIdentity edge,
    JobQueues queues,
    PayloadStore payloads,
    EdgeSeals seals,
    StoragePatience storage,
    IOptions<DispatchOptions> options,
    ILogger<WorkerChannel> logger)
{
    /// <summary>Tokens are made once for each lifetime, so there are few of those: this, doubled as often as it takes.</summary>
    private static readonly TimeSpan ShortestReply = TimeSpan.FromMinutes(30);

    /// <summary>An attempt's last words, and what is sent again of them, may come a while after its deadline.</summary>
    private static readonly TimeSpan AfterDeadline = TimeSpan.FromMinutes(5);

    /// <summary>Most bytes of a token's id in JSON, with its comma.</summary>
    private const int TokenBytes = 7;

    private static JobError NoStorage { get; } =
        new(JobErrorKind.Unavailable, "storage, which this request needs, cannot be reached; try again later") { RetryAfter = 2 * StoragePatience.WhileSilent };

    private static JobError Unexpected { get; } = new(JobErrorKind.Failed, "the request could not be handed to a worker; the server's log says more");

    /// <summary>
    /// Leave to answer to this edge, for as long as the job may take: a worker is given another only with another job, and without one its answer
    /// would be cut off.
    /// </summary>
    public ReplyCapability Reply(TimeSpan remaining)
    {
        TimeSpan lifetime = ShortestReply;
        while (lifetime < remaining + AfterDeadline)
            lifetime *= 2;
        return hub.ReplyTo(Users.Edge(edge.Id), lifetime);
    }

    /// <summary>
    /// Makes what an attempt is granted with. For a job that is too large for a message, and for the key of a worker that was never sealed for, this needs storage, and waits for it
    /// no longer than a client would: what is not ready then says nothing of the worker, and keeps nobody else's jobs from it.
    /// </summary>
    public async Task<PreparedGrant> PrepareAsync(JobRun run, Attempt attempt, IReadOnlyList<int> resume, TimeSpan remaining)
    {
        var grant = new GrantMessage
        {
            Version = ProtocolVersion.Current,
            JobId = run.Job.Id,
            Attempt = attempt,
            Remaining = remaining,
            Reply = Reply(remaining),
            Resume = resume,
        };
        try
        {
            if (!seals.IsOn)
                return new(await WithJobAsync(grant, run));
            if (await storage.WaitAsync(token => seals.OfAsync(run, attempt, token).AsTask(), CancellationToken.None) is { } seal)
                return new(await SealAsync(grant, run, seal));
            LogNotEnrolled(attempt.WorkerId, run.Job.Id);
            return new(Grant: null);
        }
        catch (Exception e)
        {
            // Whatever it was: nothing else would end the wait for it.
            LogNotPrepared(e, run.Job.RequestId);
            return new(Grant: null, StorageFailure.Is(e, CancellationToken.None) ? NoStorage : Unexpected);
        }
    }

    /// <summary>Sends what was prepared (<see cref="JobRun.Grant"/>), each time with the time that is left.</summary>
    public Task GrantAsync(GrantMessage grant, TimeSpan remaining) =>
        SendAsync(grant.Attempt.WorkerId, Targets.Grant, grant with { Remaining = remaining }, ProtocolJson.Default.GrantMessage);

    private async Task<GrantMessage> WithJobAsync(GrantMessage grant, JobRun run)
    {
        Job job = ForWorker(run.Job);
        // A character of a prompt takes up to six bytes of JSON: only near the limit is it worth counting, and where it is not the prompt that is large.
        int resume = grant.Resume.Count * TokenBytes;
        bool isPromptAlone = job is { EmbedInputs: null, Forward: null, Prediction: null, Options.Grammar: null };
        if (isPromptAlone && (job.Prompt.Length * 6) + resume + 4096 <= options.Value.MaxInlineBytes)
            return grant with { Job = job };
        byte[] content = JsonSerializer.SerializeToUtf8Bytes(job, ProtocolJson.Default.Job);
        return content.Length + resume <= options.Value.MaxInlineBytes
            ? grant with { Job = job }
            : grant with { PayloadUrl = run.PayloadUrl ??= await PutAsync(run, content) };
    }

    /// <summary>Each attempt has a seal of its own: what was put for the one before nobody could open.</summary>
    private async Task<GrantMessage> SealAsync(GrantMessage grant, JobRun run, AttemptSeal seal)
    {
        byte[] job = SealedMessages.Seal(ForWorker(run.Job), seal);
        return Base64.GetMaxEncodedToUtf8Length(job.Length + (grant.Resume.Count * TokenBytes)) <= options.Value.MaxInlineBytes
            ? SealedMessages.Seal(grant, seals.PublicKey, job, seal)
            : SealedMessages.Seal(grant with { PayloadUrl = await PutAsync(run, job) }, seals.PublicKey, job: null, seal);
    }

    /// <summary>What its owner does with the text is no worker's business, and a worker of an older version may not know it.</summary>
    private static Job ForWorker(Job job) => job with { Parsing = OutputParsing.None };

    private async Task<string> PutAsync(JobRun run, byte[] content)
    {
        run.HasPayload = true;
        try
        {
            // Tens of megabytes, maybe.
            return await storage.WaitAsync(token => payloads.PutAsync(run.Job, content, token), CancellationToken.None, StoragePatience.Long);
        }
        finally
        {
            // Who released it may have deleted what was not there yet.
            if (run.Owner.HasEnded)
                await WithdrawPayloadAsync(run);
        }
    }

    /// <summary>The job is over: deletes what was put into storage for its workers.</summary>
    public Task WithdrawPayloadAsync(JobRun run) => run.HasPayload ? payloads.DeleteAsync(run.Job.Id, CancellationToken.None) : Task.CompletedTask;

    public Task DenyAsync(string workerId, string jobId) =>
        SendAsync(workerId, Targets.Deny, new DenyMessage(jobId), ProtocolJson.Default.DenyMessage);

    public Task StopAsync(string workerId, string jobId, string nonce) =>
        SendAsync(workerId, Targets.Stop, new StopMessage(jobId, nonce), ProtocolJson.Default.StopMessage);

    public Task AcknowledgeAsync(string workerId, IReadOnlyList<Ack> acks) =>
        SendAsync(workerId, Targets.Ack, new AckMessage(acks), ProtocolJson.Default.AckMessage);

    public Task NudgeAsync(string workerId, string model, Band band) =>
        SendAsync(workerId, Targets.Nudge, new NudgeMessage(model, band, queues.SignedUrl(model, band)), ProtocolJson.Default.NudgeMessage);

    /// <summary>Somebody has subscribed to a background job that the worker runs.</summary>
    public Task WatchAsync(string workerId, string jobId) =>
        SendAsync(workerId, Targets.Watch, new WatchMessage(jobId), ProtocolJson.Default.WatchMessage);

    /// <summary>Says something to this edge itself, the way that workers' messages come.</summary>
    public async Task EchoAsync(long number)
    {
        SendOutcome outcome = await hub.SendToUserAsync(
            Users.Edge(edge.Id), Targets.Echo, new EchoMessage(number), ProtocolJson.Default.EchoMessage, CancellationToken.None);
        if (outcome is not SendOutcome.Sent)
            LogNoEcho(outcome);
    }

    /// <returns>Whether SignalR has taken it; what that is worth <see cref="SendOutcome"/> says.</returns>
    public Task<bool> UnloadAsync(string workerId, string model) =>
        SendAsync(workerId, Targets.Unload, new UnloadMessage(model), ProtocolJson.Default.UnloadMessage);

    public Task DirectAsync(string workerId, DirectiveMessage directive) =>
        SendAsync(workerId, Targets.Directive, directive, ProtocolJson.Default.DirectiveMessage);

    public Task OrderReplicasAsync(string workerId, ReplicaOrdersMessage orders) =>
        SendAsync(workerId, Targets.Replicas, orders, ProtocolJson.Default.ReplicaOrdersMessage);

    /// <inheritdoc cref="UnloadAsync"/>
    public Task<bool> CancelTransferAsync(string workerId, string model) =>
        SendAsync(workerId, Targets.CancelTransfer, new CancelTransferMessage(model), ProtocolJson.Default.CancelTransferMessage);

    /// <inheritdoc cref="UnloadAsync"/>
    public Task<bool> ResumeTransferAsync(string workerId, string model, bool begin) =>
        SendAsync(workerId, Targets.ResumeTransfer, new ResumeTransferMessage(model, begin), ProtocolJson.Default.ResumeTransferMessage);

    private async Task<bool> SendAsync<T>(string workerId, string target, T message, JsonTypeInfo<T> type)
    {
        SendOutcome outcome = await hub.SendToUserAsync(Users.Worker(workerId), target, message, type, CancellationToken.None);
        if (outcome is SendOutcome.Sent)
            return true;
        LogNotSent(target, workerId, outcome);
        return false;
    }

    [LoggerMessage(Level = LogLevel.Debug, Message = "The echo was not sent: {Outcome}")]
    private partial void LogNoEcho(SendOutcome outcome);

    [LoggerMessage(Level = LogLevel.Error, Message = "Request {RequestId} could not be granted to a worker")]
    private partial void LogNotPrepared(Exception exception, string requestId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Worker {Worker} is not enrolled any more; job {Job} is not granted to it")]
    private partial void LogNotEnrolled(string worker, string job);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Target} to worker {Worker} was not sent: {Outcome}")]
    private partial void LogNotSent(string target, string worker, SendOutcome outcome);
}
