using Microsoft.Extensions.Options;
using OllamaMax.Edge.Tenants;
using OllamaMax.Storage.Jobs;

namespace OllamaMax.Edge.Batches;

/// <summary>Deletes files of tenants for whom it is said how long what is theirs is kept; others' last until somebody deletes them.</summary>
internal sealed class FileSweep(FileStore files, IOptions<TenantOptions> tenants)
{
    /// <summary>Nothing is listed where no tenant has a retention of its own.</summary>
    public async Task SweepAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (!tenants.Value.Limits.Values.Any(limits => limits.Retention is not null))
            return;
        foreach (StoredFile file in await files.ListAsync(tenant: null, cancellationToken))
        {
            // A batch of it may be under way for as long as its window, and reads it at its beginning.
            if (tenants.Value.Of(file.Tenant).Retention is { } kept && file.CreatedAt + BatchJobs.Window + kept <= now)
                await files.DeleteAsync(file.Id, cancellationToken);
        }
    }
}
