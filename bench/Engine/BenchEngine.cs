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

    private static readonly InferenceOptions s_ollama = new() { RepeatPenalty = 1.1f };

    // Fixed, so that runs can be compared; prompts differ from each other, so that nothing is reused where that is not measured.
    private readonly Random _random = new(7);

    public static async Task<BenchEngine> LoadAsync(string model, int slots, int context, int gpuLayers, CancellationToken cancellationToken, long? cachedFor = null)
    {
        EngineOptions options = new() { Slots = slots, ContextPerSlot = context, Threads = Threads, BatchSize = BatchSize, GpuLayers = gpuLayers, CachedFor = cachedFor };
        return new(await LlamaEngine.LoadAsync(model, options, NullLoggerFactory.Instance, TimeProvider.System, cancellationToken));
    }

    /// <summary>A new prompt of so many tokens: a digit is one, in the generator's vocabularies.</summary>
    public string Prompt(int tokens) => string.Create(tokens, _random, static (text, random) =>
    {
        foreach (ref char letter in text)
            letter = (char)('0' + random.Next(10));
    });

    /// <summary>Runs a job to its end, or until it is cancelled.</summary>
    public async Task RunAsync(string prompt, int tokens, string sampling, StampingSink sink, CancellationToken cancellationToken)
    {
        EngineRequest request = new()
        {
            Prompt = prompt,
            Options = sampling == Samplings.Greedy ? s_ollama with { Temperature = 0, RepeatPenalty = 1, NumPredict = tokens } : s_ollama with { NumPredict = tokens },
            Seed = 1,
        };
        AttemptEnd end = await loaded.Engine.RunAsync(request, sink, cancellationToken);
        if (end.Reason is not (EndReason.Length or EndReason.Cancelled))
            throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"A job ended by {end.Reason}: {end.Error}"));
    }

    /// <summary>One answer for each prompt, all at once.</summary>
    public async Task<Timeline> RunAllAsync(IReadOnlyList<string> prompts, int tokens, string sampling, CancellationToken cancellationToken)
    {
        StampingSink[] sinks = [.. prompts.Select(_ => new StampingSink())];
        long start = Stopwatch.GetTimestamp();
        await Task.WhenAll(prompts.Zip(sinks, (prompt, sink) => RunAsync(prompt, tokens, sampling, sink, cancellationToken)));
        cancellationToken.ThrowIfCancellationRequested();
        return new([.. sinks.Select(sink => sink.Stamps.Select(stamp => Stopwatch.GetElapsedTime(start, stamp).TotalMilliseconds).ToArray())]);
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
