using System.Runtime.InteropServices;
using System.Text;
using OllamaMax.GpuWorker.Models;
using OllamaMax.Inference;
using OllamaMax.Inference.Devices;
using OllamaMax.Jobs;

namespace OllamaMax.TestKit.Cluster;

/// <summary>
/// An engine without arithmetic, for what is measured or tested around it: token i of an answer is i, its piece <c>"i "</c> unless told otherwise. It counts from where it is
/// resumed. How fast, how far and when it fails is set from outside.
/// </summary>
public sealed class ScriptedEngine(int slots) : IInferenceEngine
{
    private long _steps;

    public int Slots => slots;

    public long Steps => Interlocked.Read(ref _steps);

    public bool IsContinuable => true;

    /// <summary>Tokens of an answer, unless num_predict says less.</summary>
    public int AnswerTokens { get; set; } = 20;

    /// <summary>Text of the token of an index.</summary>
    public Func<int, string> Piece { get; set; } = index => $"{index} ";

    /// <summary>Waited for before each token, with its index; completed by default.</summary>
    public Func<int, CancellationToken, Task> BeforeToken { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>The last request for an answer; null: there was none.</summary>
    public EngineRequest? Asked { get; private set; }

    /// <summary>The whole answer of <paramref name="tokens"/> tokens.</summary>
    public static string Answer(int tokens) => string.Concat(Enumerable.Range(0, tokens).Select(i => $"{i} "));

    public async ValueTask<AttemptEnd> RunAsync(EngineRequest request, ITokenSink sink, CancellationToken cancellationToken)
    {
        Asked = request;
        int length = request.Options.NumPredict >= 0 ? Math.Min(AnswerTokens, request.Options.NumPredict) : AnswerTokens;
        sink.Started(new AttemptStart(request.Prompt.Length, CachedTokens: 0, LoadDuration: TimeSpan.Zero, PromptDuration: TimeSpan.FromMilliseconds(1)));
        try
        {
            for (int i = request.ResumeTokens.Count; i < length; i++)
            {
                await BeforeToken(i, cancellationToken);
                cancellationToken.ThrowIfCancellationRequested();
                Interlocked.Increment(ref _steps);
                sink.Write(i, i, Encoding.UTF8.GetBytes(Piece(i)));
            }
            return new AttemptEnd { Reason = length < AnswerTokens ? EndReason.Length : EndReason.Stop, EvalDuration = TimeSpan.FromMilliseconds(1) };
        }
        catch (OperationCanceledException)
        {
            return new AttemptEnd { Reason = EndReason.Cancelled };
        }
    }

    /// <summary>The vector of a text is its length and 1, not normalised.</summary>
    public ValueTask<AttemptEnd> EmbedAsync(EmbedRequest request, ITokenSink sink, CancellationToken cancellationToken)
    {
        sink.Started(new AttemptStart(request.Inputs.Sum(input => input.Length), CachedTokens: 0, LoadDuration: TimeSpan.Zero, PromptDuration: TimeSpan.Zero));
        for (int i = request.Skip; i < request.Inputs.Count; i++)
            sink.Write(i, request.Inputs[i].Length, MemoryMarshal.AsBytes<float>([request.Inputs[i].Length, 1]));
        return ValueTask.FromResult(new AttemptEnd { Reason = EndReason.Stop });
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}

/// <summary>Gives every model the same script.</summary>
public sealed class ScriptedEngineLoader(ScriptedEngine engine) : IEngineLoader
{
    public MemoryNeed Measure(string path, IReadOnlyList<InferenceDevice> gpus) => new(Weights: 1, Cache: 0);

    public Task<IReadOnlyList<InferenceDevice>> DevicesAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<InferenceDevice>>([]);

    public Task<LoadedEngine> LoadAsync(string path, long memory, IProgress<float> progress, CancellationToken cancellationToken) =>
        Task.FromResult(new LoadedEngine(engine, TimeSpan.Zero, 4096));
}
