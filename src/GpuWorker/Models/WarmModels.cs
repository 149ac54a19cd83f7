using Microsoft.Extensions.Logging;
using OllamaMax.Inference.Native;

namespace OllamaMax.GpuWorker.Models;

/// <summary>Loads what policies want in memory, where there is room; what there is none for now is ordered again, and may have it then.</summary>
internal sealed partial class WarmModels(ReplicaStore replicas, ModelHost models, ILogger<WarmModels> logger)
{
    private int _isLoading;

    /// <param name="digests">All that are to be there.</param>
    /// <param name="cancellationToken">Ends the waiting; what is being loaded goes on.</param>
    public async Task KeepAsync(IReadOnlySet<string> digests, CancellationToken cancellationToken)
    {
        models.KeepWarm(digests);
        // The order before is still being carried out: this one comes again as long as it is not.
        if (digests.Count == 0 || Interlocked.Exchange(ref _isLoading, 1) == 1)
            return;
        try
        {
            IReadOnlyList<string> here = replicas.List();
            foreach (string digest in digests.Where(here.Contains))
                await LoadAsync(digest, cancellationToken);
        }
        finally
        {
            Volatile.Write(ref _isLoading, 0);
        }
    }

    private async Task LoadAsync(string digest, CancellationToken cancellationToken)
    {
        try
        {
            using (Replica replica = await replicas.HoldAsync(digest, cancellationToken))
            {
                if (!models.CanWarm(digest, replica.Path))
                    return;
            }
            (await models.UseAsync(digest, keepAlive: null, cancellationToken)).Dispose();
            LogWarm(digest);
        }
        catch (Exception e) when (e is ReplicaException or ModelLoadException)
        {
            LogNotWarm(digest, e.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Digest} is in memory, as its policy wants")]
    private partial void LogWarm(string digest);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Digest} is to be in memory, and cannot: {Reason}")]
    private partial void LogNotWarm(string digest, string reason);
}
