using System.Globalization;
using Microsoft.DurableTask;
using Microsoft.Extensions.Options;
using OllamaMax.Orchestrations.Pulls;
using OllamaMax.Storage.Models;

namespace OllamaMax.Edge.Pulls;

/// <summary>A slice of a pull that an orchestration runs: one of this edge's pulls, followed for a while. What it has done when it ends is gone on with by the next.</summary>
internal sealed class FetchSlice(ActivePulls pulls, PullEnds ends, IOptions<PullOptions> options, TimeProvider time) : TaskActivity<PullInput, PullSlice>
{
    /// <summary>Long beside what going on costs. What else than fetching is done may last for longer (<see cref="PullOptions.LongestSlice"/>), as it begins by looking at all that is there.</summary>
    public static readonly TimeSpan Slice = TimeSpan.FromMinutes(1);

    /// <summary>Whether it was cancelled meanwhile is known so late, where that was at another edge.</summary>
    public static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(5);

    public override async Task<PullSlice> RunAsync(TaskActivityContext context, PullInput input)
    {
        PullRequest request = PullRequest.Of(input);
        if (request.From is { } from && !options.Value.Allows(from))
            return new(0, 0) { Error = $"the server's options do not let {from.GetLeftPart(UriPartial.Authority)} be asked any more" };
        long startedAt = time.GetTimestamp();
        using PullHandle pull = pulls.Join(request, input.Run is { } run ? limited => ends.TryWriteAsync(run, limited) : null);
        bool isCancelled = await IsCancelledAsync(input);
        while (!isCancelled && !pull.Ended.IsCompleted && !IsOver(pull.Progress, time.GetElapsedTime(startedAt)))
        {
            await ((Task)pull.Ended).WaitAsync(LookAgain, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            isCancelled = !pull.Ended.IsCompleted && await IsCancelledAsync(input);
        }
        if (isCancelled)
            pull.Cancel();
        var (completed, total, _) = pull.Progress.Sum;
        PullSlice slice = new(completed, total) { IsCancelled = isCancelled };
        if (isCancelled || !pull.Ended.IsCompleted)
            return slice with { Error = isCancelled ? null : WhyNever(pull.Progress) };
        string? error = await pull.Ended;
        return error == PullResult.WasCancelled ? slice with { IsCancelled = await IsCancelledAsync(input) } : slice with { IsDone = error is null, Error = error };
    }

    private bool IsOver(PullProgress progress, TimeSpan elapsed) =>
        elapsed >= options.Value.LongestSlice || (elapsed >= Slice && progress.IsKept);

    /// <summary>What no slice can bring to its end, as each begins anew; null: the next goes on, or has more time for it.</summary>
    private string? WhyNever(PullProgress progress) => progress.AtRisk < options.Value.LongestSlice / 2
        ? null
        : string.Create(
            CultureInfo.InvariantCulture,
            $"the source sends its file from the first byte only, or without a version, and {options.Value.LongestSlice.TotalMinutes:0.#} minutes, all that there is for it here, do not suffice: fetch it elsewhere, and push it (ollamamax models push)");

    private async Task<bool> IsCancelledAsync(PullInput input) => input.Run is { } run && await ends.IsCancelledAsync(run, CancellationToken.None);
}
