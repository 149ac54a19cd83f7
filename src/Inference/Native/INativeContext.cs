namespace OllamaMax.Inference.Native;

/// <summary>
/// What a model remembers of the sequences that it is decoding. One thread at a time; the positions of a sequence
/// are consecutive from 0. Every argument is checked: an <see cref="ArgumentException"/> leaves the memory as it was.
/// </summary>
internal interface INativeContext : IDisposable
{
    /// <summary>Tokens that fit in, all sequences together. At least what was asked for: natives round up.</summary>
    int Capacity { get; }

    /// <summary>Most tokens in a batch.</summary>
    int BatchSize { get; }

    int SequenceCount { get; }

    /// <summary>Reads a batch into memory and computes the outputs it asks for.</summary>
    /// <param name="batch">Not to be changed meanwhile.</param>
    /// <param name="goOn">
    /// Asked between parts of the computation, on this thread; it may take its time and must not throw. False ends it. Only in a context that is
    /// <see cref="ContextConfig.IsInterruptible"/>.
    /// </param>
    /// <exception cref="ArgumentException">
    /// The batch is empty or larger than <see cref="BatchSize"/>, or a token, sequence or position in it cannot be; or the context cannot be interrupted.
    /// </exception>
    /// <exception cref="NativeException">The computation failed. Sequences of the batch may be half read: truncate them.</exception>
    DecodeOutcome Decode(DecodeBatch batch, Func<bool>? goOn = null);

    /// <summary>
    /// The logits that the last batch computed for its entry <paramref name="index"/>. Valid until the next <see cref="Decode"/>. The first call after a batch waits for
    /// it; behind that several threads may ask at once.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">That entry asked for no output.</exception>
    ReadOnlySpan<float> Logits(int index);

    /// <summary>
    /// The vector of what the last batch held of a sequence, pooled; only in a context that was made for it (<see cref="ContextConfig.Pooling"/>).
    /// Valid until the next <see cref="Decode"/>.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The last batch held nothing of that sequence.</exception>
    ReadOnlySpan<float> Embedding(int sequence);

    /// <summary>Tokens of a sequence in memory; the next one goes to this position.</summary>
    int Length(int sequence);

    /// <summary>
    /// Whether a sequence can be copied or cut at a length: models with a state can do so only at its end, and those with
    /// a sliding window not where they have forgotten what came before.
    /// </summary>
    bool CanBranch(int sequence, int length);

    /// <summary>Makes an empty sequence begin as another does, without computing; the memory is shared.</summary>
    /// <param name="from">The sequence to copy.</param>
    /// <param name="to">An empty sequence.</param>
    /// <param name="length">Tokens to take, from the beginning; where <see cref="CanBranch"/> allows it.</param>
    void CopySequence(int from, int to, int length);

    /// <summary>Copies what is remembered of tokens of a sequence; only in a context that <see cref="ContextConfig.Exchanges"/>.</summary>
    /// <param name="sequence">Longer than <paramref name="start"/>.</param>
    /// <param name="start">Position of the first token.</param>
    /// <param name="end">Behind the last one.</param>
    /// <exception cref="NativeException">It could not be copied.</exception>
    SequencePart Save(int sequence, int start, int end);

    /// <summary>Makes a sequence go on with a part that was saved, without computing; only in a context that <see cref="ContextConfig.Exchanges"/>.</summary>
    /// <param name="sequence">Ends where the part begins, and has the tokens that stood before it.</param>
    /// <param name="part">Of this context, or of another one with the same model and the same types of cache.</param>
    /// <returns>False where there is no room; nothing has changed then.</returns>
    bool Append(int sequence, SequencePart part);

    /// <summary>Forgets a sequence from a position on.</summary>
    /// <returns>False where the model cannot forget a part (recurrent ones); nothing has changed then.</returns>
    bool TruncateSequence(int sequence, int length);
}
