namespace OllamaMax.TestKit.Models;

/// <summary>Pairs of characters as they are, a mark for the space; what no token covers is written in byte tokens.</summary>
internal sealed class CharacterPairVocabulary : GgufVocabulary
{
    private readonly string[] _merges;

    public CharacterPairVocabulary(GgufSpec spec)
    {
        Add("<pad>", Control);
        foreach (string token in new[] { "<eos>", "<bos>", "<unk>", "<|turn>", "<turn|>" })
            Add(token, Control);
        for (int value = 0; value < 256; value++)
            Add($"<0x{value:X2}>", Byte);
        string[] letters = [.. (spec.MergedCharacters ?? " abcdefghijklmnopqrstuvwxyz").Replace(' ', Space).Distinct().Select(static letter => letter.ToString())];
        foreach (string letter in letters)
            Add(letter, Normal);
        // One token for two line ends, but no merge that makes it.
        Add("\n\n", Normal);
        _merges = [.. AddPairs(spec, letters).Select(static pair => $"{pair.Left} {pair.Right}")];
    }

    public override IEnumerable<int> NeverSaid => [0, 1, 2, 3, 4, 5];

    public override IEnumerable<KeyValuePair<string, object>> Metadata() =>
    [
        new("tokenizer.ggml.model", "gemma4"),
        new("tokenizer.ggml.tokens", Tokens.ToArray()),
        new("tokenizer.ggml.token_type", Types.ToArray()),
        new("tokenizer.ggml.merges", _merges),
        new("tokenizer.ggml.bos_token_id", 2u),
        new("tokenizer.ggml.eos_token_id", 1u),
        new("tokenizer.ggml.unknown_token_id", 3u),
        new("tokenizer.ggml.padding_token_id", 0u),
    ];
}
