using Microsoft.Extensions.Logging;
using OllamaMax.GpuWorker.Enrolment;
using OllamaMax.Security;
using OllamaMax.Streaming;

namespace OllamaMax.GpuWorker.Dispatch;

/// <summary>This worker's side of the encryption between it and edges: it answers under a seal what it was granted under one.</summary>
internal sealed partial class WorkerSeals(WorkerIdentity identity, ILogger<WorkerSeals> logger) : IDisposable
{
    private readonly Lazy<SealingKey> _key = new(() => SealingKey.Of(identity.Key));

    /// <summary>The grant in the clear, with its seal; as it is where it was not sealed. Null: it was sealed for somebody else, or changed on its way.</summary>
    public GrantMessage? Open(GrantMessage grant)
    {
        if (grant.Sealed is not { } content)
            return grant;
        if (_key.Value.Agree(content.OwnerKey) is { } secret
            && SealedMessages.Open(grant, AttemptSeal.Of(secret, content.OwnerKey, grant.JobId, grant.Attempt)) is { } opened)
            return opened;
        LogNotOpened(grant.JobId);
        return null;
    }

    /// <summary>The same of what a claim was granted, with the seal of the job's content in storage.</summary>
    public OpenedClaim? Open(JobClaimGrant granted)
    {
        if (Open(granted.Grant) is not { } grant)
            return null;
        if (granted.ContentKey is not { } key)
            return new(grant, Content: null);
        if (grant.Seal?.Open(SealedPart.ContentKey, 0, key.Content) is { } bytes)
            return new(grant, ContentSeal.Given(key.Key, bytes));
        LogNotOpened(grant.JobId);
        return null;
    }

    public void Dispose()
    {
        if (_key.IsValueCreated)
            _key.Value.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The grant of job {Job} does not open with this worker's key, and is dropped")]
    private partial void LogNotOpened(string job);
}

/// <param name="Grant">In the clear.</param>
/// <param name="Content">What the job's output is under; null: it is not encrypted.</param>
internal sealed record OpenedClaim(GrantMessage Grant, ContentSeal? Content);
