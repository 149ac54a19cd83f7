using System.Runtime.ExceptionServices;
using OllamaMax.Inference.Native;
using OllamaMax.Jobs;

namespace OllamaMax.Inference.Batching;

/// <summary>
/// A job inside the engine. All its tokens stand in one window, prompt and then answer; those not yet in its sequence's
/// memory are pending. Reading a prompt, writing an answer, resuming, starting over after an eviction and going on after the window was shifted are all the
/// same then: feed what is pending, and when nothing is left, sample. Used by the decode thread alone once it is queued.
/// </summary>
internal sealed class EngineJob : IEngineJob
{
    private readonly ContextWindow _window;
    private readonly INativeSampler _sampler;
    private readonly TaskCompletionSource<AttemptEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _promptTokens;
    private readonly long _limit;

    // Null: nobody asks how likely its tokens are; otherwise how many of the likeliest to name with each.
    private readonly int? _topLogprobs;
    private int? _cachedTokens;
    private long? _admitted;
    private long? _firstSample;
    private int _chosen;
    private TokenLogprobs? _logprobs;
    private ExceptionDispatchInfo? _failure;

    /// <param name="prompt">Tokens of the prompt.</param>
    /// <param name="request">What was asked for.</param>
    /// <param name="bounds">How long it may become.</param>
    /// <param name="sampler">Has accepted the prompt and what exists of the answer.</param>
    /// <param name="sink">Takes the answer.</param>
    /// <param name="cancellationToken">Ends the job.</param>
    public EngineJob(
        IReadOnlyList<int> prompt, EngineRequest request, JobBounds bounds, INativeSampler sampler, ITokenSink sink, CancellationToken cancellationToken)
    {
        _window = new ContextWindow(prompt, bounds.Context, bounds.Keep);
        _promptTokens = prompt.Count;
        _limit = bounds.Answer;
        _sampler = sampler;
        _topLogprobs = request.Options.TopLogprobs;
        Partition = request.Partition;
        Sink = sink;
        Cancellation = cancellationToken;
        foreach (int token in request.ResumeTokens)
            Add(token);
    }

    public ITokenSink Sink { get; }

    /// <inheritdoc cref="EngineRequest.Partition"/>
    public string Partition { get; }

    public CancellationToken Cancellation { get; }

    public Task<AttemptEnd> End => _end.Task;

    /// <summary>Where its tokens are remembered; null while it waits.</summary>
    public Sequence? Sequence { get; private set; }

    /// <summary>Tokens of prompt and answer that the model sees.</summary>
    public int Length => _window.Count;

    /// <inheritdoc cref="Length"/>
    public ReadOnlySpan<int> Tokens => _window.Tokens;

    /// <summary>What is known of its beginning is still on its way into the sequence: nothing is read or sampled meanwhile.</summary>
    public bool IsLoading { get; private set; }

    public int Pending => _window.Count - Sequence!.Length;

    /// <summary>Position in the answer of the next token.</summary>
    public int NextIndex { get; private set; }

    public bool IsAtLimit => NextIndex >= _limit;

    /// <summary>The first pending tokens.</summary>
    public ReadOnlySpan<int> PendingTokens(int count) => _window.Tokens.Slice(Sequence!.Length, count);

    /// <param name="sequence">Begins as the job's tokens do.</param>
    /// <param name="isLoading">More is known, until <see cref="Loaded"/>.</param>
    /// <param name="time">The clock.</param>
    public void Admit(Sequence sequence, bool isLoading, TimeProvider time)
    {
        Sequence = sequence;
        IsLoading = isLoading;
        _admitted ??= time.GetTimestamp();
        if (!isLoading)
            Loaded();
    }

    /// <summary>The sequence holds all that is known.</summary>
    public void Loaded()
    {
        IsLoading = false;
        _cachedTokens ??= Math.Min(Sequence!.Length, _promptTokens);
    }

    /// <returns>The sequence it had.</returns>
    public Sequence? Leave()
    {
        Sequence? sequence = Sequence;
        Sequence = null;
        IsLoading = false;
        return sequence;
    }

    /// <summary>Chooses the next token, from the logits of the last one. On any thread, while the decode thread waits; what fails is thrown by <see cref="Chosen"/>.</summary>
    /// <param name="context">Has decoded it.</param>
    /// <param name="entry">Of the batch.</param>
    /// <param name="piece">A token's bytes.</param>
    public void Choose(INativeContext context, int entry, Func<int, ReadOnlyMemory<byte>> piece)
    {
        _failure = null;
        try
        {
            ReadOnlySpan<float> logits = context.Logits(entry);
            _chosen = _sampler.Sample(logits, NextIndex);
            _logprobs = _topLogprobs is { } top ? Logprobs.Of(logits, _chosen, top, piece) : null;
        }
#pragma warning disable CA1031 // It is thrown again, where one job's failure does not end the others.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            _failure = ExceptionDispatchInfo.Capture(failure);
        }
    }

    /// <summary>The token that was chosen last, and how likely it was where that is asked for.</summary>
    public (int Token, TokenLogprobs? Logprobs) Chosen(TimeProvider time)
    {
        _failure?.Throw();
        if (_firstSample is null)
        {
            _firstSample = time.GetTimestamp();
            TimeSpan promptDuration = time.GetElapsedTime(_admitted!.Value, _firstSample.Value);
            Sink.Started(new AttemptStart(_promptTokens, _cachedTokens ?? 0, LoadDuration: TimeSpan.Zero, promptDuration));
        }
        return (_chosen, _logprobs);
    }

    /// <returns>How much of the sequence's memory is still right, where older tokens had to make room.</returns>
    public int? Append(int token)
    {
        if (!_sampler.Accept(token, isAnswer: true))
            throw new NativeException($"token {token} was sampled, but its grammar refuses it");
        return Add(token);
    }

    private int? Add(int token)
    {
        NextIndex++;
        return _window.Append(token);
    }

    public void Finish(EndReason reason, string? error, TimeProvider time)
    {
        long now = time.GetTimestamp();
        Finish(new AttemptEnd
        {
            Reason = reason,
            Error = error,
            EvalDuration = time.GetElapsedTime(_firstSample ?? now, now),
        });
    }

    public void Finish(AttemptEnd end) => _end.SetResult(end);

    public void Dispose() => _sampler.Dispose();
}
