using System.Runtime.InteropServices;
using OllamaMax.Inference.Native;
using OllamaMax.Jobs;

namespace OllamaMax.Inference.Batching;

/// <summary>
/// A job inside the engine. All its tokens stand in one list, prompt and then answer; those not yet in its sequence's
/// memory are pending. Reading a prompt, writing an answer, resuming and starting over after an eviction are all the
/// same then: feed what is pending, and when nothing is left, sample. Used by the decode thread alone once it is queued.
/// </summary>
internal sealed class EngineJob : IDisposable
{
    private readonly List<int> _tokens;
    private readonly INativeSampler _sampler;
    private readonly TaskCompletionSource<AttemptEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _promptTokens;
    private readonly int _limit;
    private long? _admitted;
    private long? _firstSample;

    /// <param name="prompt">Tokens of the prompt.</param>
    /// <param name="request">What was asked for.</param>
    /// <param name="limit">Most tokens of prompt and answer together; above what exists.</param>
    /// <param name="sampler">Has accepted the prompt and what exists of the answer.</param>
    /// <param name="sink">Takes the answer.</param>
    /// <param name="cancellationToken">Ends the job.</param>
    public EngineJob(
        IReadOnlyList<int> prompt, EngineRequest request, int limit, INativeSampler sampler, ITokenSink sink, CancellationToken cancellationToken)
    {
        _tokens = [.. prompt, .. request.ResumeTokens];
        _promptTokens = prompt.Count;
        _limit = limit;
        _sampler = sampler;
        TopLogprobs = request.Options.TopLogprobs;
        Sink = sink;
        Cancellation = cancellationToken;
    }

    /// <summary>Null: nobody asks how likely its tokens are; otherwise how many of the likeliest to name with each.</summary>
    public int? TopLogprobs { get; }

    public ITokenSink Sink { get; }

    public CancellationToken Cancellation { get; }

    public Task<AttemptEnd> End => _end.Task;

    /// <summary>Where its tokens are remembered; null while it waits.</summary>
    public Sequence? Sequence { get; private set; }

    /// <summary>Tokens of prompt and answer so far.</summary>
    public int Length => _tokens.Count;

    public int Pending => _tokens.Count - Sequence!.Length;

    /// <summary>Position in the answer of the next token.</summary>
    public int NextIndex => _tokens.Count - _promptTokens;

    public bool IsAtLimit => _tokens.Count >= _limit;

    /// <summary>The first pending tokens.</summary>
    public ReadOnlySpan<int> PendingTokens(int count) => CollectionsMarshal.AsSpan(_tokens).Slice(Sequence!.Length, count);

    public void Admit(Sequence sequence, TimeProvider time)
    {
        Sequence = sequence;
        _admitted ??= time.GetTimestamp();
    }

    /// <returns>The sequence it had.</returns>
    public Sequence? Leave()
    {
        Sequence? sequence = Sequence;
        Sequence = null;
        return sequence;
    }

    /// <summary>Chooses the next token, from the logits of the last one.</summary>
    public int Sample(ReadOnlySpan<float> logits, TimeProvider time)
    {
        int token = _sampler.Sample(logits, NextIndex);
        if (_firstSample is null)
        {
            _firstSample = time.GetTimestamp();
            TimeSpan promptDuration = time.GetElapsedTime(_admitted!.Value, _firstSample.Value);
            Sink.Started(new AttemptStart(_promptTokens, CachedTokens: 0, LoadDuration: TimeSpan.Zero, promptDuration));
        }
        return token;
    }

    /// <returns>The token's position in the answer.</returns>
    public int Append(int token)
    {
        if (!_sampler.Accept(token, isAnswer: true))
            throw new NativeException($"token {token} was sampled, but its grammar refuses it");
        _tokens.Add(token);
        return NextIndex - 1;
    }

    public void Finish(EndReason reason, string? error, TimeProvider time)
    {
        long now = time.GetTimestamp();
        _end.SetResult(new AttemptEnd
        {
            Reason = reason,
            Error = error,
            EvalDuration = time.GetElapsedTime(_firstSample ?? now, now),
        });
    }

    public void Dispose() => _sampler.Dispose();
}
