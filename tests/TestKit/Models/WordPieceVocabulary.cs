namespace OllamaMax.TestKit.Models;

/// <summary>Begins of words, marked as such, and what goes on after them.</summary>
internal sealed class WordPieceVocabulary : GgufVocabulary
{
    public WordPieceVocabulary(GgufSpec spec)
    {
        Add("[PAD]", Control);
        Add("[UNK]", Unknown);
        foreach (string token in new[] { "[CLS]", "[SEP]", "[MASK]" })
            Add(token, Control);
        string[] letters = [.. "abcdefghijklmnopqrstuvwxyz0123456789.,?!".Select(static letter => letter.ToString())];
        foreach (string letter in letters)
        {
            Add("▁" + letter, Normal);
            Add(letter, Normal);
        }
        AddPairs(spec, letters);
    }

    public override IEnumerable<int> NeverSaid => [];

    public override IEnumerable<KeyValuePair<string, object>> Metadata() =>
    [
        new("tokenizer.ggml.model", "bert"),
        new("tokenizer.ggml.pre", "default"),
        new("tokenizer.ggml.tokens", Tokens.ToArray()),
        new("tokenizer.ggml.token_type", Types.ToArray()),
        new("tokenizer.ggml.token_type_count", 2u),
        new("tokenizer.ggml.bos_token_id", 2u),
        new("tokenizer.ggml.seperator_token_id", 3u), // spelled so
        new("tokenizer.ggml.unknown_token_id", 1u),
        new("tokenizer.ggml.padding_token_id", 0u),
        new("tokenizer.ggml.mask_token_id", 4u),
    ];
}
