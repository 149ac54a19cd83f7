using OllamaMax.Models.Gguf;

namespace OllamaMax.Models.Vocabularies;

/// <summary>
/// Counts the tokens of a prompt as a worker will: with the tokens that its vocabulary adds, and those whose names stand in the text read as such
/// (llama.cpp's <c>llama_tokenize</c> with both, src/llama-vocab.cpp). Thread-safe. Where more than 64 Ki characters stand without a break, both cut, each at its
/// own place: that may make a difference of a token.
/// </summary>
public sealed class TokenCounter
{
    private readonly SpecialTokens _special;
    private readonly ITextTokens _text;
    private readonly string? _leading;
    private readonly int _added;

    private TokenCounter(GgufVocabulary vocabulary, ITextTokens text, AddedTokens added)
    {
        _special = SpecialTokens.Of(vocabulary);
        _text = text;
        _leading = added.Leading is { } id ? vocabulary.Tokens[id] : null;
        _added = added.Count;
    }

    /// <summary>Null for a vocabulary of a kind that is not known here (Unigram, WordPiece, RWKV, or pairs that split texts in a way that is not).</summary>
    public static TokenCounter? For(GgufVocabulary vocabulary)
    {
        string? kind = vocabulary.GetString("tokenizer.ggml.model");
        if (kind == "llama")
            return new(vocabulary, new SentencePieceText(vocabulary), AddedTokens.Of(vocabulary, bos: 1, eos: 2, addsBos: true));
        string split = kind == "gemma4" ? kind : vocabulary.GetString("tokenizer.ggml.pre") ?? "default";
        if (kind is not ("gpt2" or "gemma4") || vocabulary.Merges.Count == 0 || PreTokenizer.Find(split) is not { } pre)
            return null;
        // What llama.cpp falls back on where the file names no id.
        int? unnamed = pre.HasDefaultTokens && kind == "gpt2" ? 11 : null;
        AddedTokens added = AddedTokens.Of(vocabulary, unnamed, unnamed, pre.AddsBos, pre.AlwaysAddsBos);
        return new(vocabulary, new BytePairText(vocabulary, pre), added);
    }

    public int Count(string prompt)
    {
        int tokens = _added;
        // A template may begin with the token that is added anyway: a worker leaves one of them out.
        int leading = _leading is not null && _added > 0 ? 1 : 0;
        bool isAtStart = true;
        bool followsSpecial = true;
        foreach (SpecialTokens.Part part in _special.Split(prompt))
        {
            ReadOnlySpan<char> text = prompt.AsSpan(part.Start, part.Length);
            tokens += part.IsSpecial ? 1 : _text.Count(text, followsSpecial);
            isAtStart &= part.IsSpecial && _leading is not null && text.SequenceEqual(_leading);
            leading += isAtStart ? 1 : 0;
            followsSpecial = part.IsSpecial;
        }
        return leading > 1 ? tokens - 1 : tokens;
    }
}
