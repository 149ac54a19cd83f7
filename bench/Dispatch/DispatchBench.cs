using OllamaMax.Bench.Reporting;

namespace OllamaMax.Bench.Dispatch;

/// <summary>What the way of a request through edge, SignalR and worker costs, measured around engines whose own time is known.</summary>
internal static class DispatchBench
{
    /// <summary>Where all requests find a slot.</summary>
    private const int ManySlots = 64;

    /// <summary>Where most of them have to wait in the queue.</summary>
    private const int FewSlots = 4;

    public static async Task RunAsync(BenchOptions options, BenchResult result, CancellationToken cancellationToken)
    {
        DispatchSizes sizes = options.Quick ? DispatchSizes.Quick : DispatchSizes.Full;
        sizes = sizes with { RateRepeats = options.Repeats ?? sizes.RateRepeats };
        if (options.Wants("first-token"))
            await FirstToken.MeasureAsync(sizes, result, options.Report, cancellationToken);
        if (!options.Wants("ways") && !options.Wants("rate"))
            return;
        await using Stage free = await Stage.StartAsync(ManySlots, cancellationToken);
        await using Stage busy = await Stage.StartAsync(FewSlots, cancellationToken);
        if (options.Wants("ways"))
            await MeasureWaysAsync(free, busy, sizes, result, options.Report, cancellationToken);
        if (options.Wants("rate"))
            await RequestRate.MeasureAsync(free, busy, sizes, result, options.Report, cancellationToken);
    }

    private static async Task MeasureWaysAsync(
        Stage free, Stage busy, DispatchSizes sizes, BenchResult result, Action<string> report, CancellationToken cancellationToken)
    {
        FollowedAnswers answers = new(free, sizes);
        using QueuedJobs queued = new(busy);
        report("queue and output, warm");
        for (int i = 0; i < sizes.WarmUp; i++)
        {
            await free.Chat.GenerateAsync(sizes.ShortTokens, null, cancellationToken);
            await queued.MeasureAsync(null, cancellationToken);
        }
        for (int i = 0; i < sizes.Warm; i++)
        {
            await answers.MeasureAsync(answers.Warm, cancellationToken);
            await queued.MeasureAsync(queued.Warm, cancellationToken);
        }
        for (int i = 0; i < sizes.Idle; i++)
        {
            report($"queue and output, from idle: {i + 1} of {sizes.Idle}, each after {sizes.IdleTime.TotalSeconds:0.#} s");
            await Task.Delay(sizes.IdleTime, cancellationToken);
            await answers.MeasureAsync(answers.Idle, cancellationToken);
            await queued.MeasureAsync(queued.Idle, cancellationToken);
        }
        queued.Report(result);
        answers.Report(result);
    }
}
