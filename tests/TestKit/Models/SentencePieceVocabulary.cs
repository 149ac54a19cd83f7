namespace OllamaMax.TestKit.Models;

/// <summary>Pieces with scores; what no piece covers is written in byte tokens.</summary>
internal sealed class SentencePieceVocabulary : GgufVocabulary
{
    private readonly bool _neverEnds;

    public SentencePieceVocabulary(GgufSpec spec)
    {
        _neverEnds = spec.NeverEnds;
        Add("<unk>", Unknown);
        foreach (string token in new[] { "<s>", "</s>", "<|im_start|>", "<|im_end|>" })
            Add(token, Control);
        for (int value = 0; value < 256; value++)
            Add($"<0x{value:X2}>", Byte);
        string[] letters = [.. (spec.MergedCharacters?.Replace(' ', Space) ?? "▁abcdefghijklmnopqrstuvwxyz").Distinct().Select(static letter => letter.ToString())];
        foreach (string letter in letters)
            Add(letter, Normal);
        AddPairs(spec, letters);
    }

    public override IEnumerable<int> NeverSaid => _neverEnds ? [0, 1, 2, 3, 4] : [0, 1, 3];

    public override IEnumerable<KeyValuePair<string, object>> Metadata() =>
    [
        new("tokenizer.ggml.model", "llama"),
        new("tokenizer.ggml.pre", "default"),
        new("tokenizer.ggml.tokens", Tokens.ToArray()),
        new("tokenizer.ggml.scores", Types.Select(static (type, index) => type == Normal ? -index : 0f).ToArray()),
        new("tokenizer.ggml.token_type", Types.ToArray()),
        new("tokenizer.ggml.bos_token_id", 1u),
        new("tokenizer.ggml.eos_token_id", 2u),
        new("tokenizer.ggml.unknown_token_id", 0u),
        new("tokenizer.ggml.add_bos_token", true),
    ];
}
