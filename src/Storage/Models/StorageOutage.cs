using Azure;

namespace OllamaMax.Storage.Models;

/// <summary>
/// Waits for storage where it is away for some seconds in the middle of something long, which would have to begin anew otherwise: three quarters of a minute in all, beside the client's
/// own tries.
/// </summary>
internal sealed class StorageOutage(TimeProvider time)
{
    private static readonly TimeSpan[] Waits = [.. new[] { 0.5, 1, 2, 4, 8, 16, 16 }.Select(TimeSpan.FromSeconds)];

    /// <summary>What storage cannot do at the moment, and may a little later. A body that breaks off is an <see cref="IOException"/>.</summary>
    public static bool IsPassing(Exception e) => e is RequestFailedException { Status: 0 or 408 or 429 or >= 500 } or AggregateException or IOException;

    /// <param name="work">What can be done anew from its begin without harm.</param>
    /// <param name="before">Done before each further try.</param>
    /// <param name="cancellationToken">Ends the waiting, not a try.</param>
    /// <exception cref="CatalogException">Storage is away for longer, or refused.</exception>
    public async Task RunAsync(Func<Task> work, Func<Task> before, CancellationToken cancellationToken)
    {
        for (int failures = 0; ; failures++)
        {
            try
            {
                if (failures > 0)
                    await before();
                await work();
                return;
            }
            catch (Exception e) when (IsPassing(e) && failures < Waits.Length)
            {
                // It is tried again.
            }
            catch (Exception e) when (e is RequestFailedException or AggregateException or IOException)
            {
                throw new CatalogException("what is being downloaded cannot be kept in blob storage", e);
            }
            await Task.Delay(Waits[failures], time, cancellationToken);
        }
    }
}
