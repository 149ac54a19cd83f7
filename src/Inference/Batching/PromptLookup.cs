using System.Runtime.InteropServices;

namespace OllamaMax.Inference.Batching;

/// <summary>
/// Guesses how an answer goes on: as the text went on where its last tokens stood before, in the prompt, in what is predicted of the answer, or in itself (prompt lookup decoding: Saxena, 2023;
/// inference with reference: Yang et al., 2023). Whoever rewrites a file or quotes a document is guessed well, and guessing costs nothing. Told of every token, guessed or not, it knows how
/// often it is right without one being decoded for that.
/// </summary>
internal sealed class PromptLookup
{
    // The last eight guesses or so: text that is copied and text that is not come in stretches.
    private const double Learning = 1.0 / 8;

    private const int Nowhere = -1;

    // Behind where each three tokens stood last; fewer stand in too many places.
    private readonly Dictionary<(int, int, int), int> _behind = [];

    // What is predicted of the answer. Positions go through this, and then through the tokens there are.
    private readonly int[] _predicted;

    // Position of the token that is guessed to come next.
    private int _source = Nowhere;

    /// <param name="tokens">Of the prompt.</param>
    /// <param name="predicted">What somebody who knows says that the answer is, more or less; empty: nobody does.</param>
    public PromptLookup(ReadOnlySpan<int> tokens, int[] predicted)
    {
        _predicted = predicted;
        Reset(tokens);
        if (predicted.Length > 0)
            _source = 0;
    }

    /// <summary>How likely a guess is right, 0 to 1.</summary>
    public double Reliability { get; private set; } = 0.5;

    /// <summary>The guess: tokens that have come before, or are predicted; empty where there is none.</summary>
    public ReadOnlySpan<int> Guess(ReadOnlySpan<int> tokens) => _source switch
    {
        Nowhere => [],
        _ when _source < _predicted.Length => _predicted.AsSpan(_source),
        _ => tokens[(_source - _predicted.Length)..],
    };

    /// <summary>Tells of the last of <paramref name="tokens"/>.</summary>
    public void Append(ReadOnlySpan<int> tokens)
    {
        bool isRight = _source != Nowhere && Guess(tokens)[0] == tokens[^1];
        if (_source != Nowhere)
            Reliability += ((isRight ? 1 : 0) - Reliability) * Learning;
        int known = Remember(tokens, _predicted.Length);
        // Where it has been right it stays: the longer it was, the surer that place is, while three tokens alone may stand anywhere. What comes behind a prediction nobody has said.
        _source = isRight && _source + 1 != _predicted.Length ? _source + 1 : known;
    }

    /// <summary>The tokens have moved.</summary>
    public void Reset(ReadOnlySpan<int> tokens)
    {
        _behind.Clear();
        for (int length = 1; length < tokens.Length; length++)
            Remember(tokens[..length], _predicted.Length);
        // A prediction is surer than what stands in the prompt.
        for (int length = 1; length < _predicted.Length; length++)
            Remember(_predicted.AsSpan(0, length), 0);
        _source = Remember(tokens, _predicted.Length);
    }

    /// <param name="tokens">Up to the place.</param>
    /// <param name="before">How many positions there are before them.</param>
    /// <returns>Behind the place where the last of them stood before.</returns>
    private int Remember(ReadOnlySpan<int> tokens, int before)
    {
        if (tokens.Length < 3)
            return Nowhere;
        ref int behind = ref CollectionsMarshal.GetValueRefOrAddDefault(_behind, (tokens[^3], tokens[^2], tokens[^1]), out bool isThere);
        int known = isThere ? behind : Nowhere;
        behind = before + tokens.Length;
        return known;
    }
}
