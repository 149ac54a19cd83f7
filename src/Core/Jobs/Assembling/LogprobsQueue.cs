namespace OllamaMax.Jobs.Assembling;

/// <summary>Tokens with their probabilities that wait for their text to be given out.</summary>
internal sealed class LogprobsQueue
{
    private readonly Queue<(int Index, TokenText Token)> _waiting = new();

    public void Add(Chunk chunk)
    {
        if (chunk.Logprobs is null)
            return;
        int start = 0;
        for (int i = 0; i < chunk.Tokens.Length; i++)
        {
            int end = start + chunk.Lengths[i];
            if (chunk.Logprobs[i] is { } logprobs)
                _waiting.Enqueue((chunk.Index + i, new TokenText(chunk.Tokens[i], chunk.Bytes[start..end], logprobs)));
            start = end;
        }
    }

    public bool HasAny(int before) => _waiting.TryPeek(out var first) && first.Index < before;

    /// <summary>Takes out those whose index is less than <paramref name="before"/>.</summary>
    public IReadOnlyList<TokenText> Take(int before)
    {
        if (!HasAny(before))
            return [];
        List<TokenText> taken = [];
        while (HasAny(before))
            taken.Add(_waiting.Dequeue().Token);
        return taken;
    }
}
