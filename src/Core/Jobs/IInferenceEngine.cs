using OllamaMax.Jobs.Forwarding;

namespace OllamaMax.Jobs;

/// <summary>
/// Runs jobs of one model, many at a time. Two families implement it: the batching engine above llama.cpp,
/// and engines that forward to a server the box already runs.
/// </summary>
public interface IInferenceEngine : IAsyncDisposable
{
    /// <summary>How many jobs it decodes at once.</summary>
    int Slots { get; }

    /// <summary>Grows with every decode step: a standing counter while jobs run is a hung decoder.</summary>
    long Steps { get; }

    /// <summary>Whether an answer can go on from given token ids (<see cref="EngineRequest.ResumeTokens"/>).</summary>
    bool IsContinuable { get; }

    /// <summary>
    /// Ends when the engine can run nothing any more, by a failure of its own: jobs end as <see cref="EndReason.Failed"/>, and only a new engine
    /// of the same model helps. Its disposal does not end it.
    /// </summary>
    Task Broken => NeverBroken;

    private static readonly Task NeverBroken = new TaskCompletionSource().Task;

    /// <summary>
    /// Runs one job to its end. What the request is to blame for is the value <see cref="EndReason.Invalid"/>, what the
    /// engine is to blame for <see cref="EndReason.Failed"/>; cancellation is <see cref="EndReason.Cancelled"/>, within one decode step.
    /// Never throws for any of them. More calls than slots wait their turn, first come first served.
    /// </summary>
    ValueTask<AttemptEnd> RunAsync(EngineRequest request, ITokenSink sink, CancellationToken cancellationToken);

    /// <summary>
    /// Embeds texts, pooled as the model says; their length is the model's. The sink gets one write for each input, in order: its index, the number of its
    /// tokens, and the vector as 32-bit floats, little-endian. Outcomes as of <see cref="RunAsync"/>.
    /// </summary>
    ValueTask<AttemptEnd> EmbedAsync(EmbedRequest request, ITokenSink sink, CancellationToken cancellationToken);
}

/// <summary>What the engine needs of an embedding job.</summary>
public sealed record EmbedRequest
{
    public required IReadOnlyList<string> Inputs { get; init; }

    /// <summary>Most tokens of an input, where that is less than what the engine's context holds; null: that.</summary>
    public int? Context { get; init; }

    /// <summary>Cut what is longer than the context; otherwise it is <see cref="EndReason.Invalid"/>.</summary>
    public bool Truncate { get; init; }

    /// <summary>Inputs at the begin whose vectors an earlier attempt produced.</summary>
    public int Skip { get; init; }

    /// <summary>As <see cref="Job.KeepAlive"/>, for a server that is forwarded to.</summary>
    public TimeSpan? KeepAlive { get; init; }
}

/// <summary>What the engine needs of a job.</summary>
public sealed record EngineRequest
{
    public required string Prompt { get; init; }

    public required InferenceOptions Options { get; init; }

    public required ulong Seed { get; init; }

    /// <summary>Tokens of the answer that an earlier attempt produced; the engine goes on after the last of them.</summary>
    public IReadOnlyList<int> ResumeTokens { get; init; } = [];

    /// <summary>As <see cref="Job.Prediction"/>.</summary>
    public string? Prediction { get; init; }

    /// <summary>Whose prompt it is: what is known of it serves requests of the same partition alone.</summary>
    public string Partition { get; init; } = "";

    /// <summary>What an engine that forwards asks its server; others run <see cref="Prompt"/>.</summary>
    public ForwardedPrompt? Forward { get; init; }

    /// <summary>Strings that end the answer. An engine may leave them to the answer's owner, which looks for them in any case.</summary>
    public IReadOnlyList<string> Stop { get; init; } = [];

    /// <summary>As <see cref="Job.KeepAlive"/>, for a server that is forwarded to.</summary>
    public TimeSpan? KeepAlive { get; init; }
}

/// <summary>Takes a job's tokens. Called on the engine's decode thread: it must neither block nor throw.</summary>
public interface ITokenSink
{
    /// <summary>The prompt is decoded. Comes once, before the first token; not at all when it does not get that far.</summary>
    void Started(AttemptStart start);

    /// <param name="index">The token's position in the answer; the first one is <c>ResumeTokens.Count</c>.</param>
    /// <param name="token">Token id, or a <see cref="PieceKind"/>.</param>
    /// <param name="piece">The token's bytes; may be empty, may be part of a UTF-8 character.</param>
    /// <param name="logprobs">Where the request asks for them.</param>
    void Write(int index, int token, ReadOnlySpan<byte> piece, TokenLogprobs? logprobs = null);
}
