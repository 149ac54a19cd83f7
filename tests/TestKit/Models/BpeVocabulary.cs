using System.Text;

namespace OllamaMax.TestKit.Models;

/// <summary>Byte-level pairs: every byte is a token, written as a printable character the way GPT-2 does.</summary>
internal sealed class BpeVocabulary : GgufVocabulary
{
    private const string EndOfText = "<|endoftext|>";
    private const string Start = "<|im_start|>";
    private const string End = "<|im_end|>";

    private const int EndToken = 2;
    private const int FirstByte = 3;

    private readonly List<(int Token, int Next)> _successors = [];
    private readonly string[] _merges;
    private readonly GgufSpec _spec;

    public BpeVocabulary(GgufSpec spec)
    {
        _spec = spec;
        foreach (string token in new[] { EndOfText, Start, End })
            Add(token, Control);
        for (int value = 0; value < 256; value++)
            Add(Written((byte)value), Normal);
        foreach (GgufAnswer answer in spec.Answers)
            AddAnswer(answer);
        IEnumerable<string> letters = Encoding.UTF8.GetBytes(spec.MergedCharacters ?? " abcdefghijklmnopqrstuvwxyz").Distinct().Select(Written);
        _merges = [.. AddPairs(spec, letters).Select(static pair => $"{pair.Left} {pair.Right}")];
    }

    public override IReadOnlyList<(int Token, int Next)> Successors => _successors;

    public override IEnumerable<int> NeverSaid => _spec.NeverEnds ? [0, 1, 2] : [0, 1];

    public override IEnumerable<KeyValuePair<string, object>> Metadata() =>
    [
        new("tokenizer.ggml.model", "gpt2"),
        new("tokenizer.ggml.pre", _spec.PreTokenizer),
        new("tokenizer.ggml.tokens", Tokens.ToArray()),
        new("tokenizer.ggml.token_type", Types.ToArray()),
        new("tokenizer.ggml.merges", _merges),
        new("tokenizer.ggml.eos_token_id", 2u),
        .. _spec.AddsBos is { } adds ? [new("tokenizer.ggml.add_bos_token", adds)] : (KeyValuePair<string, object>[])[],
    ];

    /// <summary>Cut into tokens that stand nowhere else: so each has one successor. No merge makes them, so no prompt has them.</summary>
    private void AddAnswer(GgufAnswer answer)
    {
        int last = FirstByte + answer.After;
        for (int at = 0; at < answer.Text.Length;)
        {
            string piece = "";
            do
                piece += Written((byte)answer.Text[at++]);
            while (at < answer.Text.Length && (piece.Length < 4 || Tokens.Contains(piece)));
            if (Tokens.Contains(piece))
                throw new ArgumentException($"'{answer.Text}' ends with what was said before.");
            _successors.Add((last, last = Tokens.Count));
            Add(piece, Normal);
        }
        _successors.Add((last, EndToken));
    }

    // Bytes that are printable stand for themselves, the others for the characters from U+0100 on.
    private static string Written(byte value)
    {
        if (IsPrintable(value))
            return ((char)value).ToString();
        int rank = Enumerable.Range(0, value).Count(static other => !IsPrintable((byte)other));
        return ((char)(256 + rank)).ToString();
    }

    private static bool IsPrintable(byte value) => value is (>= 0x21 and <= 0x7E) or (>= 0xA1 and <= 0xAC) or >= 0xAE;
}
