namespace OllamaMax.Jobs;

/// <summary>
/// A piece of a job's output: never rendered text, so that a continuation can go on from exactly here.
/// </summary>
/// <param name="Index">Position of the first token in the answer, from 0.</param>
/// <param name="Tokens">Token ids, or what the pieces are where there are none (<see cref="PieceKind"/>); empty in a chunk that only ends the job.</param>
/// <param name="Lengths">Bytes of each token's piece, so that a chunk can be cut between tokens.</param>
/// <param name="Bytes">The pieces, one after the other. May begin or end inside a UTF-8 character.</param>
/// <param name="Start">Set in an attempt's first chunk: what the prompt took.</param>
/// <param name="Logprobs">One for each token where the job asks for them; null for a piece that has none.</param>
/// <param name="End">Set in the last chunk: how the attempt ended.</param>
public sealed record Chunk(int Index, int[] Tokens, int[] Lengths, byte[] Bytes, AttemptStart? Start = null, AttemptEnd? End = null, TokenLogprobs?[]? Logprobs = null)
{
    /// <summary>Index of the token after the last one here.</summary>
    public int NextIndex => Index + Tokens.Length;

    /// <summary>Whether its parts agree with each other; a chunk comes from another machine.</summary>
    public bool IsWellFormed => Index >= 0
        && Lengths.Length == Tokens.Length
        && (Logprobs is null || Logprobs.Length == Tokens.Length)
        && Array.TrueForAll(Lengths, length => length >= 0)
        && Lengths.Sum(length => (long)length) == Bytes.Length;

    /// <summary>This chunk's tokens before <paramref name="index"/>, without its end.</summary>
    public Chunk Until(int index)
    {
        int keep = Math.Clamp(index - Index, 0, Tokens.Length);
        return this with
        {
            Tokens = Tokens[..keep],
            Lengths = Lengths[..keep],
            Bytes = Bytes[..Lengths.Take(keep).Sum()],
            Logprobs = Logprobs?[..keep],
            End = null,
        };
    }

    /// <summary>This chunk without the tokens before <paramref name="index"/>.</summary>
    public Chunk From(int index)
    {
        if (index <= Index)
            return this;
        int skip = Math.Min(index - Index, Tokens.Length);
        int bytes = Lengths.Take(skip).Sum();
        return this with
        {
            Index = Index + skip,
            Tokens = Tokens[skip..],
            Lengths = Lengths[skip..],
            Bytes = Bytes[bytes..],
            Logprobs = Logprobs?[skip..],
        };
    }
}
