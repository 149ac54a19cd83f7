using OllamaMax.Chaos.Tests.Clients;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Models;
using OllamaMax.TestKit.Split;

namespace OllamaMax.Chaos.Tests;

/// <summary>One system for all tests, and the undisturbed answers of all questions.</summary>
public sealed class ChaosFixture : IAsyncLifetime
{
    public const string Model = "chaos";

    /// <summary>Of each of the three workers.</summary>
    public const int Slots = 2;

    private const string Stall = "00:00:04";

    private readonly TempFolder _folder = new();
    private readonly Dictionary<Question, string> _expected = [];
    private SplitSystem? _system;

    public SplitSystem System => _system!;

    internal IReadOnlyDictionary<Question, string> Expected => _expected;

    public async ValueTask InitializeAsync()
    {
        string model = _folder.File($"{Model}.gguf");
        GgufGenerator.Write(model, new() { Layers = 4, Width = 512, Heads = 8, KeyValueHeads = 4, FeedForward = 1024, Context = 2048, Name = Model });
        _system = await SplitSystem.StartAsync(
            new()
            {
                Model = model,
                Workers = 3,
                DrainSeconds = 3,
                WorkerArguments = ["--exact", "--threads", "1", "--slots", $"{Slots}", "--hang-seconds", "8"],
                // A decoder that hangs is to be found out within seconds, first by the owners of its jobs, then by its worker.
                Environment = new Dictionary<string, string?>
                {
                    ["OllamaMax__Jobs__Lease"] = "00:00:03",
                    ["OllamaMax__Jobs__NudgeEvery"] = "00:00:01",
                    ["OllamaMax__Jobs__StallTimeout"] = Stall,
                    ["OllamaMax__Dispatch__Owner__StallTimeout"] = Stall,
                },
            },
            TestContext.Current.CancellationToken);
        foreach (Question question in (Question[])[.. Question.All, Question.Long])
            await ExpectAsync(question);
    }

    /// <summary>Has the undisturbed answer, if nobody has asked for it before.</summary>
    internal async ValueTask ExpectAsync(Question question)
    {
        if (_expected.ContainsKey(question))
            return;
        GenerateClient client = new(System.Client, isStreamed: false);
        Outcome outcome = await client.AskAsync($"undisturbed-{question.Number}", question, new Pulse(), TestContext.Current.CancellationToken);
        _expected[question] = outcome.Error is null ? outcome.Text : throw new InvalidOperationException($"No undisturbed answer: {outcome}");
    }

    public async ValueTask DisposeAsync()
    {
        if (_system is not null)
            await _system.DisposeAsync();
        _folder.Dispose();
    }
}
