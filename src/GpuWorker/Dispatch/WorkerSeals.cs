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

    public void Dispose()
    {
        if (_key.IsValueCreated)
            _key.Value.Dispose();
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The grant of job {Job} does not open with this worker's key, and is dropped")]
    private partial void LogNotOpened(string job);
}
