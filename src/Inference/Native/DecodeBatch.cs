namespace OllamaMax.Inference.Native;

/// <summary>Tokens to decode in one step, of any sequences. Reused from step to step.</summary>
internal sealed class DecodeBatch(int capacity)
{
    private readonly int[] _tokens = new int[capacity];
    private readonly int[] _positions = new int[capacity];
    private readonly int[] _sequences = new int[capacity];
    private readonly bool[] _outputs = new bool[capacity];

    public int Capacity => capacity;

    public int Count { get; private set; }

    public ReadOnlySpan<int> Tokens => _tokens.AsSpan(0, Count);

    public ReadOnlySpan<int> Positions => _positions.AsSpan(0, Count);

    public ReadOnlySpan<int> Sequences => _sequences.AsSpan(0, Count);

    public ReadOnlySpan<bool> Outputs => _outputs.AsSpan(0, Count);

    public void Clear() => Count = 0;

    /// <returns>The entry's index, to ask for its logits with.</returns>
    public int Add(int token, int position, int sequence, bool output)
    {
        if (Count == capacity)
            throw new InvalidOperationException($"The batch holds {capacity} tokens already.");
        _tokens[Count] = token;
        _positions[Count] = position;
        _sequences[Count] = sequence;
        _outputs[Count] = output;
        return Count++;
    }
}
