using System.Text;

namespace OllamaMax.Jobs.Assembling;

/// <summary>
/// The pure way from a job's tokens to the text of its answer: half characters are held back until they are whole, text that may
/// still become a stop string is held back until it is decided. Depends on nothing but the bytes fed, however they were cut into
/// chunks, so a job's owner rebuilds the state after a takeover by feeding the tokens again. Not safe for concurrent use.
/// </summary>
/// <remarks>Bytes pass a chain of stages, text decoder then stop finder; parsers of reasoning and tool calls are stages after these.</remarks>
/// <param name="stop">Strings that end the answer and are not part of it; empty ones are ignored.</param>
public sealed class Assembler(IReadOnlyList<string> stop)
{
    private readonly Utf8Pieces _utf8 = new();
    private readonly StopFinder _stops = new(stop);
    private readonly StringBuilder _final = new();
    private readonly TokenEnds _ends = new();
    private bool _complete;

    /// <summary>Tokens of the answer: all that were fed, up to the one that completed a stop string.</summary>
    public int Tokens { get; private set; }

    /// <summary>Of these, those whose whole text is certainly the answer's: it was not held back, and no part of it is of a stop string.</summary>
    public int DecidedTokens => _ends.Decided;

    /// <summary>The stop string that was found; null while there was none. What is fed after it is ignored.</summary>
    public string? StoppedBy => _stops.Found;

    /// <summary>Takes the chunk's tokens and answers the text that became final with them, often empty.</summary>
    /// <exception cref="ArgumentException">The chunk is not the next one, or its lengths do not add up.</exception>
    public string Append(Chunk chunk)
    {
        if (StoppedBy is not null)
            return "";
        if (chunk.Index != Tokens)
            throw new ArgumentException($"The chunk begins at token {chunk.Index}; token {Tokens} is next.", nameof(chunk));
        if (chunk.Lengths.Length != chunk.Tokens.Length || chunk.Lengths.Sum() != chunk.Bytes.Length)
            throw new ArgumentException("The lengths of the chunk's pieces do not add up to its bytes.", nameof(chunk));

        ReadOnlySpan<byte> rest = chunk.Bytes;
        foreach (int length in chunk.Lengths)
        {
            Take(rest[..length]);
            rest = rest[length..];
            if (StoppedBy is not null)
                break;
        }
        return TakeFinal();
    }

    /// <summary>Takes one token's piece and answers the text that became final with it.</summary>
    public string Append(ReadOnlySpan<byte> piece)
    {
        if (StoppedBy is null)
            Take(piece);
        return TakeFinal();
    }

    /// <summary>The answer has ended: what was held back is final now, half a character as U+FFFD.</summary>
    public string Complete()
    {
        if (_complete || StoppedBy is not null)
            return "";
        _complete = true;
        _stops.Append(_utf8.Complete(), _final);
        if (StoppedBy is null)
            _stops.Complete(_final);
        _ends.Decide(_stops.Passed);
        return TakeFinal();
    }

    private void Take(ReadOnlySpan<byte> piece)
    {
        if (_complete)
            throw new InvalidOperationException("The answer has ended; no token can come after its end.");
        Tokens++;
        ReadOnlySpan<char> text = _utf8.Append(piece);
        _ends.Add(text.Length, _utf8.IsInsideCharacter);
        _stops.Append(text, _final);
        _ends.Decide(_stops.Passed);
    }

    private string TakeFinal()
    {
        if (_final.Length == 0)
            return "";
        string text = _final.ToString();
        _final.Clear();
        return text;
    }
}
