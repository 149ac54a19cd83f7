using Microsoft.AspNetCore.Http;
using OllamaMax.Edge.Http;
using OllamaMax.Storage;

namespace OllamaMax.Edge.Jobs.Strategies;

/// <summary>
/// Writes beside deletions. A strategy or a batch may be deleted while something is written of it, as with all else of its tenant: nothing else would ever delete that, so whoever wrote it does. Each looks for the
/// other only when it has done its own: whoever deletes takes the record away and then what there is of it, and here the record is looked for when all is written.
/// </summary>
internal static class WhileKept
{
    /// <summary>For whoever submits what is deleted while it is taken on.</summary>
    public static ApiError Deleted { get; } = new(StatusCodes.Status409Conflict, "it was deleted while it was taken on: submit it again if it is still wanted, under another Idempotency-Key if it had one");

    /// <param name="write">Writes. Half done, it is looked after like all of it.</param>
    /// <param name="isKept">Whether what it is of is still there.</param>
    /// <param name="takeBack">Deletes what was written; nothing where there is none.</param>
    /// <returns>Null: it was for nothing, and nothing is left of it.</returns>
    public static async Task<T?> RunAsync<T>(Func<Task<T>> write, Func<Task<bool>> isKept, Func<Task> takeBack)
        where T : class
    {
        bool isForNothing;
        T outcome;
        try
        {
            outcome = await write();
        }
        finally
        {
            isForNothing = !await isKept();
            if (isForNothing)
                await takeBack();
        }
        return isForNothing ? null : outcome;
    }

    /// <summary>For submissions, whose orchestration runs by then: who is refused as storage went away before it said whether the record is there submits it again, and both would run.</summary>
    public static async Task<bool> UnlessUnknownAsync(Func<Task<bool>> isKept)
    {
        try
        {
            return await isKept();
        }
        catch (Exception e) when (StorageFailure.Is(e, CancellationToken.None))
        {
            return true;
        }
    }
}
