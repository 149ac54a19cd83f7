using Microsoft.Extensions.Options;
using OllamaMax.Cluster;
using OllamaMax.Edge.Cluster.Leading;
using OllamaMax.Storage.Security;

namespace OllamaMax.Edge.Security.Audit;

/// <summary>Deletes what is older than the audit log is to be, where that is said.</summary>
internal sealed class AuditReconciler(AuditBlobs blobs, IOptions<AuditOptions> options, TimeProvider time) : IReconciler
{
    public string Name => "audit";

    public TimeSpan Every => TimeSpan.FromHours(1);

    public async Task<bool> ReconcileAsync(LeaderTerm term, CancellationToken cancellationToken)
    {
        if (options.Value.KeptDays is { } days)
            await blobs.DeleteBeforeAsync(DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime).AddDays(-days), cancellationToken);
        return true;
    }
}
