using System.Collections.Concurrent;
using System.Diagnostics;
using OllamaMax.Chaos.Tests.Clients;
using OllamaMax.TestKit.Split;

namespace OllamaMax.Chaos.Tests;

/// <summary>Clients of every kind, each with one request after the other.</summary>
internal sealed class Load : IAsyncDisposable
{
    private readonly Pulse _pulse;
    private readonly List<(string Name, IChaosClient Client)> _clients;
    private readonly ConcurrentDictionary<string, Question> _asked = [];
    private readonly ConcurrentBag<Outcome> _outcomes = [];
    private readonly CancellationTokenSource _enough = new();
    private readonly CancellationToken _cancellation;
    private readonly Task _asking;

    private Load(Pulse pulse, int seed, List<(string Name, IChaosClient Client)> clients, CancellationToken cancellation)
    {
        _pulse = pulse;
        _clients = clients;
        _cancellation = cancellation;
        _asking = Task.WhenAll(clients.Select((client, i) => AskAsync(client.Name, client.Client, new Random(seed + i))));
    }

    public IReadOnlyCollection<Outcome> Outcomes => _outcomes;

    /// <summary>What has been asked and has come to no end.</summary>
    public IEnumerable<string> Unanswered => _asked.Select(asked => $"{asked.Key} (question {asked.Value.Number})");

    /// <summary>Two that stream, one that does not, the JavaScript client and two with background jobs.</summary>
    public static Load Mixed(SplitSystem system, Pulse pulse, int seed, CancellationToken cancellation) => new(
        pulse,
        seed,
        [
            ("stream-1", new GenerateClient(system.Client, isStreamed: true)),
            ("stream-2", new GenerateClient(system.Client, isStreamed: true)),
            ("whole", new GenerateClient(system.Client, isStreamed: false)),
            ("js", new OllamaJavaScriptClient(system.Client.BaseAddress!)),
            ("job-1", new JobClient(system.Client)),
            ("job-2", new JobClient(system.Client)),
        ],
        cancellation);

    /// <summary>Only such as stream.</summary>
    public static Load Streaming(SplitSystem system, Pulse pulse, int seed, int clients, CancellationToken cancellation) => new(
        pulse,
        seed,
        [.. Enumerable.Range(1, clients).Select(n => ($"stream-{n}", (IChaosClient)new GenerateClient(system.Client, isStreamed: true)))],
        cancellation);

    /// <summary>Has everybody finish what has been asked; false where that takes longer than <paramref name="patience"/>.</summary>
    public async Task<bool> EndAsync(TimeSpan patience)
    {
        await _enough.CancelAsync();
        await _asking.WaitAsync(patience, _cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return _asking.IsCompletedSuccessfully;
    }

    public async ValueTask DisposeAsync()
    {
        foreach ((_, IChaosClient client) in _clients)
            await client.DisposeAsync();
        _enough.Dispose();
    }

    private async Task AskAsync(string name, IChaosClient client, Random random)
    {
        for (int n = 1; !_enough.IsCancellationRequested; n++)
        {
            string id = $"{name}-{n}-{Guid.NewGuid():n}";
            Question question = Question.All[random.Next(Question.All.Count)];
            _asked[id] = question;
            long from = Stopwatch.GetTimestamp();
            Outcome outcome = await client.AskAsync(id, question, _pulse, _cancellation);
            _outcomes.Add(outcome with { Time = (from, Stopwatch.GetTimestamp()) });
            _asked.TryRemove(id, out _);
            // Who is refused at once does not ask again at once.
            if (outcome.Error is not null)
                await BreatheAsync();
        }
    }

    private async Task BreatheAsync()
    {
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(300));
        await timer.WaitForNextTickAsync(_cancellation);
    }
}
