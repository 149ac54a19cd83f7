namespace OllamaMax.TestKit.Models;

/// <summary>A vocabulary as GGUF metadata describes it. Both kinds can write any text, and both know ChatML's tokens.</summary>
internal abstract class GgufVocabulary
{
    protected const int Normal = 1;
    protected const int Unknown = 2;
    protected const int Control = 3;
    protected const int Byte = 6;

    /// <summary>What stands for a space where tokens are characters.</summary>
    protected const char Space = '▁';

    private const int LongestToken = 12;

    protected List<string> Tokens { get; } = [];

    protected List<int> Types { get; } = [];

    /// <summary>Which token comes after another, for certain; empty where the model says noise.</summary>
    public virtual IReadOnlyList<(int Token, int Next)> Successors => [];

    /// <summary>Tokens that are not to be sampled.</summary>
    public abstract IEnumerable<int> NeverSaid { get; }

    public abstract IEnumerable<KeyValuePair<string, object>> Metadata();

    public static GgufVocabulary Make(GgufSpec spec) => spec.Vocabulary switch
    {
        GgufVocabularyKind.Bpe => new BpeVocabulary(spec),
        GgufVocabularyKind.CharacterPairs => new CharacterPairVocabulary(spec),
        GgufVocabularyKind.WordPiece => new WordPieceVocabulary(spec),
        _ => new SentencePieceVocabulary(spec),
    };

    protected void Add(string token, int type)
    {
        Tokens.Add(token);
        Types.Add(type);
    }

    /// <summary>Fills up with pairs of tokens that are there.</summary>
    /// <returns>The pairs, in the order of the tokens they made.</returns>
    protected List<(string Left, string Right)> AddPairs(GgufSpec spec, IEnumerable<string> start)
    {
        RandomRow random = new(spec.Seed);
        List<string> parts = [.. start];
        HashSet<string> known = [.. Tokens];
        List<(string, string)> pairs = [];
        while (Tokens.Count < spec.VocabularySize)
        {
            (string left, string right) = (parts[random.Next(parts.Count)], parts[random.Next(parts.Count)]);
            if (left.Length + right.Length > LongestToken || (spec.SpacesBeginTokens && right[0] == Space && left[^1] != Space) || !known.Add(left + right))
                continue;
            Add(left + right, Normal);
            parts.Add(left + right);
            pairs.Add((left, right));
        }
        return pairs;
    }
}
