using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Inference;
using OllamaMax.Inference.Batching;
using OllamaMax.Jobs;

namespace OllamaMax.Bench.Engine;

/// <summary>Our engine as the bench uses it: one thread.</summary>
internal sealed class BenchEngine(LoadedEngine loaded) : IAsyncDisposable
{
    /// <summary>Threads of both engines.</summary>
    public const int Threads = 1;

    /// <summary>Most tokens in one decode step, of both engines.</summary>
    public const int BatchSize = 512;

    /// <summary>As many as the engine guesses at most where nobody says.</summary>
    public static int DraftTokens { get; } = new EngineOptions().DraftTokens;

    private static readonly InferenceOptions s_ollama = new() { RepeatPenalty = 1.1f };

    // Fixed, so that runs can be compared; prompts differ from each other, so that nothing is reused where that is not measured.
    private readonly Random _random = new(7);

    /// <param name="model">The file.</param>
    /// <param name="slots">Answers at once.</param>
    /// <param name="context">Tokens of each.</param>
    /// <param name="gpuLayers">-1: all.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <param name="cachedFor">Tokens decoded until a prompt leaves the context; null: as the engine has it.</param>
    /// <param name="draftTokens">Most tokens that are guessed: none, unless that is what is measured. A model of random weights soon repeats itself, and is guessed better than others.</param>
    public static async Task<BenchEngine> LoadAsync(
        string model, int slots, int context, int gpuLayers, CancellationToken cancellationToken, long? cachedFor = null, int draftTokens = 0)
    {
        EngineOptions options = new()
        {
            Slots = slots, ContextPerSlot = context, Threads = Threads, BatchSize = BatchSize, GpuLayers = gpuLayers, CachedFor = cachedFor, DraftTokens = draftTokens,
        };
        return new(await LlamaEngine.LoadAsync(model, options, NullLoggerFactory.Instance, TimeProvider.System, cancellationToken));
    }

    /// <summary>A new prompt of so many tokens: a digit is one, in the generator's vocabularies.</summary>
    public string Prompt(int tokens) => string.Create(tokens, _random, static (text, random) =>
    {
        foreach (ref char letter in text)
            letter = (char)('0' + random.Next(10));
    });

    /// <inheritdoc cref="IInferenceEngine.Steps"/>
    public long Steps => loaded.Engine.Steps;

    /// <summary>Runs a job to its end, or until it is cancelled.</summary>
    public Task RunAsync(string prompt, int tokens, string sampling, StampingSink sink, CancellationToken cancellationToken) => RunAsync(
        prompt,
        sampling == Samplings.Greedy ? s_ollama with { Temperature = 0, RepeatPenalty = 1, NumPredict = tokens } : s_ollama with { NumPredict = tokens },
        sink,
        cancellationToken);

    /// <summary>One answer for each prompt, all at once.</summary>
    public Task<Timeline> RunAllAsync(IReadOnlyList<string> prompts, int tokens, string sampling, CancellationToken cancellationToken) =>
        TimeAsync(prompts.Select<string, Func<StampingSink, Task>>(prompt => sink => RunAsync(prompt, tokens, sampling, sink, cancellationToken)), cancellationToken);

    /// <summary>To each prompt this answer, of digits, all at once.</summary>
    public Task<Timeline> CopyAllAsync(IReadOnlyList<string> prompts, IReadOnlyList<string> answers, CancellationToken cancellationToken) => TimeAsync(
        prompts.Zip<string, string, Func<StampingSink, Task>>(answers, (prompt, answer) => sink => RunAsync(
            prompt, s_ollama with { Temperature = 0, RepeatPenalty = 1, NumPredict = answer.Length, Grammar = $"root ::= \"{answer}\"" }, sink, cancellationToken)),
        cancellationToken);

    private static async Task<Timeline> TimeAsync(IEnumerable<Func<StampingSink, Task>> runs, CancellationToken cancellationToken)
    {
        (StampingSink Sink, Func<StampingSink, Task> Run)[] all = [.. runs.Select(static run => (new StampingSink(), run))];
        long start = Stopwatch.GetTimestamp();
        await Task.WhenAll(all.Select(static one => one.Run(one.Sink)));
        cancellationToken.ThrowIfCancellationRequested();
        return new([.. all.Select(one => one.Sink.Stamps.Select(stamp => Stopwatch.GetElapsedTime(start, stamp).TotalMilliseconds).ToArray())]);
    }

    private async Task RunAsync(string prompt, InferenceOptions options, StampingSink sink, CancellationToken cancellationToken)
    {
        AttemptEnd end = await loaded.Engine.RunAsync(new EngineRequest { Prompt = prompt, Options = options, Seed = 1 }, sink, cancellationToken);
        if (end.Reason is not (EndReason.Length or EndReason.Cancelled))
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"A job ended by {end.Reason}: {end.Error}"));
    }

    public ValueTask DisposeAsync() => loaded.DisposeAsync();
}

/// <summary>How tokens are chosen, by the names that the peer's script knows.</summary>
internal static class Samplings
{
    public const string Greedy = "greedy";

    /// <summary>Temperature 0.8, top_k 40, top_p 0.9, and beyond Ollama's defaults repeat_penalty 1.1 over 64 tokens.</summary>
    public const string Ollama = "ollama";
}
