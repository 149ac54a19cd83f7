using OllamaMax.Inference.Batching;
using OllamaMax.Jobs;

namespace OllamaMax.Inference.Embedding;

/// <summary>Texts of one request to embed. Used by the embedding thread alone once it is queued.</summary>
/// <param name="texts">Tokens of all texts, the skipped ones too.</param>
/// <param name="skip">Texts at the begin that have their vectors already; fewer than there are.</param>
/// <param name="sink">Takes the vectors.</param>
/// <param name="cancellationToken">Ends the job.</param>
internal sealed class EmbeddingJob(IReadOnlyList<int[]> texts, int skip, ITokenSink sink, CancellationToken cancellationToken) : IEngineJob
{
    private readonly TaskCompletionSource<AttemptEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _written;
    private long? _started;
    private long? _first;

    public CancellationToken Cancellation => cancellationToken;

    public Task<AttemptEnd> End => _end.Task;

    public bool IsDone => skip + _written == texts.Count;

    public IEnumerable<EmbeddingText> Texts() => texts.Skip(skip).Select(tokens => new EmbeddingText(this, tokens));

    /// <summary>Its first text is being read.</summary>
    public void Begin(TimeProvider time) => _started ??= time.GetTimestamp();

    /// <summary>Passes on the vector of the next text.</summary>
    public void Write(ReadOnlySpan<byte> vector, TimeProvider time)
    {
        if (_first is null)
        {
            _first = time.GetTimestamp();
            TimeSpan duration = time.GetElapsedTime(_started!.Value, _first.Value);
            sink.Started(new AttemptStart(texts.Sum(static tokens => tokens.Length), CachedTokens: 0, LoadDuration: TimeSpan.Zero, duration));
        }
        int index = skip + _written++;
        sink.Write(index, texts[index].Length, vector);
    }

    public void Finish(EndReason reason, string? error, TimeProvider time)
    {
        long now = time.GetTimestamp();
        Finish(new AttemptEnd { Reason = reason, Error = error, EvalDuration = time.GetElapsedTime(_first ?? now, now) });
    }

    public void Finish(AttemptEnd end) => _end.SetResult(end);

    public void Dispose()
    {
        // It holds nothing native.
    }
}
