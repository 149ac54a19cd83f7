using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using OllamaMax.Models;
using OllamaMax.Orchestrations.Pulls;

namespace OllamaMax.Edge.Pulls;

/// <summary>A slice of a pull that an orchestration runs: one of this edge's pulls, followed for a while.</summary>
internal sealed partial class FetchSlice(ActivePulls pulls, IOptions<PullOptions> options, TimeProvider time, ILogger<FetchSlice> logger) : TaskActivity<PullInput, PullSlice>
{
    /// <summary>Shorter than a function may last, and long beside what going on costs.</summary>
    public static readonly TimeSpan Slice = TimeSpan.FromMinutes(1);

    /// <summary>
    /// No slice lasts longer. A function that does (<c>functionTimeout</c> in host.json) is ended with its whole process, and with everybody's answers there.
    /// </summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(20);

    /// <summary>What is being verified is read anew by the next slice, so it is waited for.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    public override async Task<PullSlice> RunAsync(TaskActivityContext context, PullInput input)
    {
        PullRequest request = PullRequest.Of(input);
        if (request.From is { } from && !options.Value.Allows(from))
            return new(0, 0) { Error = $"the server's options do not let {from} be asked any more" };
        long startedAt = time.GetTimestamp();
        using PullHandle pull = pulls.Join(request);
        await EndsWithinAsync(pull, Slice);
        while (!pull.Ended.IsCompleted && !pull.Progress.IsFetching && time.GetElapsedTime(startedAt) < Longest)
            await EndsWithinAsync(pull, LookAgain);
        var (completed, total, _) = pull.Progress.Sum;
        if (!pull.Ended.IsCompleted)
        {
            if (!pull.Progress.IsFetching)
                LogCutShort(request.Name, Longest);
            return new(completed, total);
        }
        string? error = await pull.Ended;
        return new(completed, total) { IsDone = error is null, Error = error == PullResult.WasCancelled ? null : error };
    }

    private async Task EndsWithinAsync(PullHandle pull, TimeSpan patience) =>
        await ((Task)pull.Ended).WaitAsync(patience, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    [LoggerMessage(Level = LogLevel.Warning, Message = "What was fetched of {Model} has not become a model within {Longest}; the next slice reads it anew, and sends what storage lacks")]
    private partial void LogCutShort(ModelName model, TimeSpan longest);
}
