using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using OllamaMax.Bench.Reporting;

namespace OllamaMax.Bench.Dispatch;

/// <summary>Follows each token of a steady answer from the engine's hands until a client on this machine has read it.</summary>
internal sealed class FollowedAnswers(Stage stage, DispatchSizes sizes)
{
    private readonly ConcurrentDictionary<int, long> _emitted = [];

    public Kind Warm { get; } = new();

    public Kind Idle { get; } = new();

    public async Task MeasureAsync(Kind kind, CancellationToken cancellationToken)
    {
        stage.Engine.BeforeToken = BeforeTokenAsync;
        _emitted.Clear();
        Dictionary<int, long> read = [];
        long start = Stopwatch.GetTimestamp();
        // Token i is the text "i ": what was read says which tokens it is made of.
        await stage.Chat.GenerateAsync(sizes.FollowedTokens, Note, cancellationToken);
        stage.Engine.BeforeToken = static (_, _) => Task.CompletedTask;
        kind.Begin.Add(Stopwatch.GetElapsedTime(start, _emitted[0]));
        foreach ((int index, long at) in read)
            (index == 0 ? kind.First : kind.Later).Add(Stopwatch.GetElapsedTime(_emitted[index], at));

        void Note(string text, long at)
        {
            foreach (string number in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                read.TryAdd(int.Parse(number, CultureInfo.InvariantCulture), at);
        }
    }

    public void Report(BenchResult result)
    {
        Table table = result.Add(Table.OfTimes(
            "From the worker's engine to the client",
            $"A scripted engine says {sizes.FollowedTokens} tokens, one every {sizes.TokenPause.TotalMilliseconds:0} ms, to one client. " +
            "The time of a token is from the engine's call until a client on this machine has read it: the edge's write and one loopback hop more. " +
            "Later tokens wait for others to share their message (20 ms at most, here). " +
            $"From idle: after {sizes.IdleTime.TotalSeconds:0.#} s without a request, each."));
        foreach ((string name, Kind kind) in new[] { ("warm", Warm), ("from idle", Idle) })
        {
            table.Add($"request to engine, pushed, {name}", kind.Begin.Times);
            table.Add($"first token, engine to client, {name}", kind.First.Times);
            table.Add($"later tokens, engine to client, {name}", kind.Later.Times);
        }
    }

    private async Task BeforeTokenAsync(int index, CancellationToken cancellationToken)
    {
        if (index > 0)
            await Task.Delay(sizes.TokenPause, cancellationToken);
        _emitted[index] = Stopwatch.GetTimestamp();
    }

    internal sealed class Kind
    {
        /// <summary>From the request's start to the engine's first token.</summary>
        public Samples Begin { get; } = new();

        public Samples First { get; } = new();

        public Samples Later { get; } = new();
    }
}
