using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
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
    private readonly PromptLookup? _lookup;
    private readonly INativeSampler _sampler;
    private readonly TaskCompletionSource<AttemptEnd> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly int _promptTokens;
    private readonly long _limit;

    // Null: nobody asks how likely its tokens are; otherwise how many of the likeliest to name with each.
    private readonly int? _topLogprobs;
    private int? _cachedTokens;
    private int _draftedTokens;
    private int _acceptedTokens;
    private long? _admitted;
    private long? _firstSample;
    private readonly List<(int Token, TokenLogprobs? Logprobs)> _chosen = [];
    private ExceptionDispatchInfo? _failure;

    /// <param name="prompt">Tokens of the prompt.</param>
    /// <param name="request">What was asked for.</param>
    /// <param name="bounds">How long it may become.</param>
    /// <param name="sampler">Has accepted the prompt and what exists of the answer.</param>
    /// <param name="sink">Takes the answer.</param>
    /// <param name="guesses">Whether anybody asks how the answer may go on.</param>
    /// <param name="predicted">Tokens of <see cref="EngineRequest.Prediction"/>.</param>
    /// <param name="cancellationToken">Ends the job.</param>
    public EngineJob(
        IReadOnlyList<int> prompt, EngineRequest request, JobBounds bounds, INativeSampler sampler, ITokenSink sink, bool guesses, int[] predicted, CancellationToken cancellationToken)
    {
        _window = new ContextWindow(prompt, bounds.Context, bounds.Keep);
        _lookup = guesses ? new PromptLookup(_window.Tokens, predicted) : null;
        _promptTokens = prompt.Count;
        _limit = bounds.Answer;
        _sampler = sampler;
        _topLogprobs = request.Options.TopLogprobs;
        Partition = request.Partition;
        Sink = sink;
        Cancellation = cancellationToken;
        foreach (int token in request.ResumeTokens)
            Append(token);
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

    /// <summary>How the answer goes on behind its last token, perhaps; no more than it may get before it ends or the window is full.</summary>
    public ReadOnlySpan<int> Guess
    {
        get
        {
            if (_lookup is null)
                return [];
            ReadOnlySpan<int> guess = _lookup.Guess(_window.Tokens);
            long room = Math.Min(_limit - NextIndex, _window.Room) - 1;
            return guess[..(int)Math.Clamp(room, 0, guess.Length)];
        }
    }

    /// <summary>How likely each token of <see cref="Guess"/> is right, if those before it are.</summary>
    public double GuessReliability => _lookup?.Reliability ?? 0;

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

    /// <summary>
    /// Chooses the next token, and for each guessed token that is chosen indeed the one behind it. On any thread, while the decode thread waits; what fails is thrown by
    /// <see cref="ThrowIfChoosingFailed"/>.
    /// </summary>
    /// <param name="model">Whose tokens.</param>
    /// <param name="context">Has decoded them.</param>
    /// <param name="entry">Of the batch: the last pending token. The guessed ones follow.</param>
    /// <param name="guessed">How many tokens of the guess were decoded with it.</param>
    public void Choose(INativeModel model, INativeContext context, int entry, int guessed)
    {
        _failure = null;
        _chosen.Clear();
        try
        {
            for (int i = 0; i <= guessed; i++)
            {
                int token = ChooseOne(model, context.Logits(entry + i));
                if (i == guessed || token != Guess[i] || model.IsEndOfGeneration(token))
                    break;
            }
        }
#pragma warning disable CA1031 // It is thrown again, where one job's failure does not end the others.
        catch (Exception failure)
#pragma warning restore CA1031
        {
            _failure = ExceptionDispatchInfo.Capture(failure);
        }
        _draftedTokens += guessed;
        _acceptedTokens += Math.Max(0, _chosen.Count - 1);
    }

    /// <summary>The tokens that were chosen last, and how likely they were where that is asked for.</summary>
    public ReadOnlySpan<(int Token, TokenLogprobs? Logprobs)> Chosen => CollectionsMarshal.AsSpan(_chosen);

    /// <summary>Throws what failed when tokens were chosen last, behind those that are <see cref="Chosen"/>.</summary>
    public void ThrowIfChoosingFailed() => _failure?.Throw();

    /// <summary>Tells the sink, once, that the prompt is read.</summary>
    public void Start(TimeProvider time)
    {
        if (_firstSample is not null)
            return;
        _firstSample = time.GetTimestamp();
        TimeSpan promptDuration = time.GetElapsedTime(_admitted!.Value, _firstSample.Value);
        Sink.Started(new AttemptStart(_promptTokens, _cachedTokens ?? 0, LoadDuration: TimeSpan.Zero, promptDuration));
    }

    /// <returns>How much of the sequence's memory is still right, where older tokens had to make room.</returns>
    public int? Append(int token)
    {
        NextIndex++;
        int? unmoved = _window.Append(token);
        if (unmoved is null)
            _lookup?.Append(_window.Tokens);
        else
            _lookup?.Reset(_window.Tokens);
        return unmoved;
    }

    private int ChooseOne(INativeModel model, ReadOnlySpan<float> logits)
    {
        int token = _sampler.Sample(logits, NextIndex + _chosen.Count);
        TokenLogprobs? logprobs = _topLogprobs is { } top ? Logprobs.Of(logits, token, top, model.Piece) : null;
        if (!model.IsEndOfGeneration(token) && !_sampler.Accept(token, isAnswer: true))
            throw new NativeException($"token {token} was sampled, but its grammar refuses it");
        _chosen.Add((token, logprobs));
        return token;
    }

    public void Finish(EndReason reason, string? error, TimeProvider time)
    {
        long now = time.GetTimestamp();
        Finish(new AttemptEnd
        {
            Reason = reason,
            Error = error,
            EvalDuration = time.GetElapsedTime(_firstSample ?? now, now),
            DraftedTokens = _draftedTokens,
            AcceptedTokens = _acceptedTokens,
        });
    }

    public void Finish(AttemptEnd end) => _end.SetResult(end);

    public void Dispose() => _sampler.Dispose();
}
