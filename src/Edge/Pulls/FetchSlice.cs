using Microsoft.DurableTask;
using Microsoft.Extensions.Options;
using OllamaMax.Orchestrations.Pulls;

namespace OllamaMax.Edge.Pulls;

/// <summary>A slice of a pull that an orchestration runs: one of this edge's pulls, followed for a while.</summary>
internal sealed class FetchSlice(ActivePulls pulls, IOptions<PullOptions> options, TimeProvider time) : TaskActivity<PullInput, PullSlice>
{
    /// <summary>Shorter than a function may last, and long beside what going on costs.</summary>
    public static readonly TimeSpan Slice = TimeSpan.FromMinutes(1);

    /// <summary>What is being verified is begun anew by the next slice, so it is waited for.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(1);

    public override async Task<PullSlice> RunAsync(TaskActivityContext context, PullInput input)
    {
        PullRequest request = PullRequest.Of(input);
        if (request.From is { } from && !options.Value.Allows(from))
            return new(0, 0) { Error = $"the server's options do not let {from} be asked any more" };
        using PullHandle pull = pulls.Join(request);
        await EndsWithinAsync(pull, Slice);
        while (!pull.Ended.IsCompleted && !pull.Progress.IsFetching)
            await EndsWithinAsync(pull, LookAgain);
        var (completed, total, _) = pull.Progress.Sum;
        if (!pull.Ended.IsCompleted)
            return new(completed, total);
        string? error = await pull.Ended;
        return new(completed, total) { IsDone = error is null, Error = error == PullResult.WasCancelled ? null : error };
    }

    private async Task EndsWithinAsync(PullHandle pull, TimeSpan patience) =>
        await ((Task)pull.Ended).WaitAsync(patience, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
