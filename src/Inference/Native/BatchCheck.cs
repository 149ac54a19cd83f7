namespace OllamaMax.Inference.Native;

/// <summary>Knows how long every sequence is, and so whether a batch can be decoded. Shared by the natives.</summary>
/// <param name="sequences">Sequences of the context.</param>
/// <param name="vocabularySize">Tokens that there are.</param>
/// <param name="batchSize">Most tokens in a batch.</param>
/// <param name="longest">Positions that there are: models with a table of them read beyond its end otherwise.</param>
/// <param name="asksForAll">Every entry must ask for output.</param>
internal sealed class BatchCheck(int sequences, int vocabularySize, int batchSize, int longest = int.MaxValue, bool asksForAll = false)
{
    private readonly int[] _lengths = new int[sequences];
    private readonly int[] _next = new int[sequences];

    public int Length(int sequence) => _lengths[Checked(sequence)];

    public void SetLength(int sequence, int length) => _lengths[Checked(sequence)] = length;

    /// <exception cref="ArgumentException">The batch would be a failed assertion, or be refused, in native code.</exception>
    public void Check(DecodeBatch batch)
    {
        if (batch.Count == 0 || batch.Count > batchSize)
            throw new ArgumentException($"A batch has 1 to {batchSize} tokens; this one has {batch.Count}.", nameof(batch));
        _lengths.CopyTo(_next, 0);
        for (int i = 0; i < batch.Count; i++)
            CheckEntry(batch, i);
    }

    /// <summary>Takes over the lengths after a batch that was decoded.</summary>
    public void Commit(DecodeBatch batch)
    {
        foreach (int sequence in batch.Sequences)
            _lengths[sequence]++;
    }

    /// <exception cref="ArgumentException">The context was not made to be interrupted.</exception>
    public static void CheckInterrupts(bool isInterruptible, Func<bool>? goOn)
    {
        if (goOn is not null && !isInterruptible)
            throw new ArgumentException("The context cannot be interrupted.", nameof(goOn));
    }

    /// <param name="sequence">Whose tokens.</param>
    /// <param name="start">Position of the first one.</param>
    /// <param name="end">Behind the last one.</param>
    /// <param name="exchanges">Whether the context was made for it.</param>
    /// <exception cref="ArgumentException">It was not, or the sequence does not have them.</exception>
    public void CheckSaved(int sequence, int start, int end, bool exchanges)
    {
        CheckExchanges(exchanges);
        ArgumentOutOfRangeException.ThrowIfNegative(start);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(end, start);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(end, Length(sequence));
    }

    /// <param name="sequence">To append to.</param>
    /// <param name="part">To append.</param>
    /// <param name="exchanges">Whether the context was made for it.</param>
    /// <exception cref="ArgumentException">It was not, or the sequence ends elsewhere.</exception>
    public void CheckAppended(int sequence, SequencePart part, bool exchanges)
    {
        CheckExchanges(exchanges);
        if (Length(sequence) != part.Start)
            throw new ArgumentException($"A part that begins at {part.Start} cannot follow {Length(sequence)} tokens.", nameof(part));
    }

    private static void CheckExchanges(bool exchanges)
    {
        if (!exchanges)
            throw new ArgumentException("The context exchanges no sequences.", nameof(exchanges));
    }

    private void CheckEntry(DecodeBatch batch, int i)
    {
        int token = batch.Tokens[i], sequence = batch.Sequences[i], position = batch.Positions[i];
        if (token < 0 || token >= vocabularySize)
            throw new ArgumentException($"Token {token} is not among the vocabulary's {vocabularySize}.", nameof(batch));
        if (sequence < 0 || sequence >= sequences)
            throw new ArgumentException($"Sequence {sequence} is not among the context's {sequences}.", nameof(batch));
        if (position != _next[sequence])
            throw new ArgumentException($"Sequence {sequence} goes on at position {_next[sequence]}, not {position}.", nameof(batch));
        if (position >= longest)
            throw new ArgumentException($"Sequence {sequence} is longer than {longest} tokens.", nameof(batch));
        if (asksForAll && !batch.Outputs[i])
            throw new ArgumentException($"Entry {i} asks for no output; here all must.", nameof(batch));
        _next[sequence]++;
    }

    private int Checked(int sequence)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(sequence);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(sequence, sequences);
        return sequence;
    }
}
