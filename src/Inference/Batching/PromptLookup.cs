using System.Runtime.InteropServices;

namespace OllamaMax.Inference.Batching;

/// <summary>
/// Guesses how an answer goes on: as the text went on where its last tokens stood before, in the prompt or in the answer (prompt lookup decoding: Saxena, 2023;
/// inference with reference: Yang et al., 2023). Whoever rewrites a file or quotes a document is guessed well, and guessing costs nothing. Told of every token, guessed or not, it knows how
/// often it is right without one being decoded for that.
/// </summary>
internal sealed class PromptLookup
{
    // The last eight guesses or so: text that is copied and text that is not come in stretches.
    private const double Learning = 1.0 / 8;

    // Fewer tokens stand in too many places.
    private readonly Dictionary<(int, int, int), int> _behind = [];

    // Position of the token that is guessed to come next; 0: nothing is.
    private int _source;

    /// <param name="tokens">Of the prompt.</param>
    public PromptLookup(ReadOnlySpan<int> tokens) => Reset(tokens);

    /// <summary>How likely a guess is right, 0 to 1.</summary>
    public double Reliability { get; private set; } = 0.5;

    /// <summary>The guess: tokens that have come before; empty where there is none.</summary>
    public ReadOnlySpan<int> Guess(ReadOnlySpan<int> tokens) => _source == 0 ? [] : tokens[_source..];

    /// <summary>Tells of the last of <paramref name="tokens"/>.</summary>
    public void Append(ReadOnlySpan<int> tokens)
    {
        bool isRight = _source > 0 && tokens[_source] == tokens[^1];
        if (_source > 0)
            Reliability += ((isRight ? 1 : 0) - Reliability) * Learning;
        int known = Remember(tokens);
        // Where it has been right it stays: the longer it was, the surer that place is, while three tokens alone may stand anywhere.
        _source = isRight ? _source + 1 : known;
    }

    /// <summary>The tokens have moved.</summary>
    public void Reset(ReadOnlySpan<int> tokens)
    {
        _behind.Clear();
        _source = 0;
        for (int length = 1; length <= tokens.Length; length++)
            _source = Remember(tokens[..length]);
    }

    /// <returns>Behind the place where the last tokens stood before; 0: nowhere.</returns>
    private int Remember(ReadOnlySpan<int> tokens)
    {
        if (tokens.Length < 3)
            return 0;
        ref int behind = ref CollectionsMarshal.GetValueRefOrAddDefault(_behind, (tokens[^3], tokens[^2], tokens[^1]), out _);
        int known = behind;
        behind = tokens.Length;
        return known;
    }
}
