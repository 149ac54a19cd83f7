namespace OllamaMax.TestKit.Models;

/// <summary>A model with random weights: what it says is noise, how it runs is real. The same spec gives the same bytes.</summary>
public sealed record GgufSpec
{
    public GgufArchitecture Architecture { get; init; } = GgufArchitecture.Llama;

    public GgufVocabularyKind Vocabulary { get; init; } = GgufVocabularyKind.Bpe;

    /// <summary>Of <see cref="GgufVocabularyKind.Bpe"/>: how texts are split into words, as GGUFs name it.</summary>
    public string PreTokenizer { get; init; } = "gpt-2";

    /// <summary>Characters that longer tokens are made of; null: the space and a to z.</summary>
    public string? MergedCharacters { get; init; }

    /// <summary>No token has a space behind anything else, as in vocabularies that were learned of words.</summary>
    public bool SpacesBeginTokens { get; init; }

    /// <summary>Of <see cref="GgufVocabularyKind.Bpe"/>: whether prompts get a token in front; null leaves it to <see cref="PreTokenizer"/>.</summary>
    public bool? AddsBos { get; init; } = false;

    /// <summary>Of the matrices; norms and biases are always F32.</summary>
    public GgufWeights Weights { get; init; } = GgufWeights.F32;

    public int Layers { get; init; } = 2;

    /// <summary>A multiple of 32 and of <see cref="Heads"/>.</summary>
    public int Width { get; init; } = 64;

    public int Heads { get; init; } = 4;

    public int KeyValueHeads { get; init; } = 2;

    /// <summary>A multiple of 32.</summary>
    public int FeedForward { get; init; } = 128;

    public int Context { get; init; } = 512;

    /// <summary>At least 320: the bytes, the special tokens and some pairs.</summary>
    public int VocabularySize { get; init; } = 512;

    public ulong Seed { get; init; } = 1;

    /// <summary>No token that ends an answer is ever likely: answers are as long as they may be.</summary>
    public bool NeverEnds { get; init; } = true;

    /// <summary>Jinja; null leaves it out.</summary>
    public string? ChatTemplate { get; init; }

    public string Name { get; init; } = "random";

    /// <summary>
    /// Of <see cref="GgufVocabularyKind.Bpe"/> and Llama: what the model says for certain, each after prompts that end with its own character, and then ends. Empty: noise.
    /// </summary>
    public IReadOnlyList<GgufAnswer> Answers { get; init; } = [];

    /// <summary>Of <see cref="GgufArchitecture.Gemma3"/> and <see cref="GgufArchitecture.GptOss"/>: tokens that every second layer looks back.</summary>
    public int SlidingWindow { get; init; } = 32;

    /// <summary>How embeddings are pooled (1: mean, 2: first token, 3: last, 4: the model ranks); null leaves it out.</summary>
    public int? Pooling { get; init; }

    /// <summary>About 417 million weights: for measuring batching, where decoding is bound by memory.</summary>
    public static GgufSpec Large { get; } = new()
    {
        Architecture = GgufArchitecture.Qwen2,
        Weights = GgufWeights.Q4_0,
        Layers = 24,
        Width = 1024,
        Heads = 16,
        KeyValueHeads = 4,
        FeedForward = 4096,
        Context = 2048,
        VocabularySize = 32768,
        Name = "random-0.4b",
    };

    /// <summary>About 7.2 billion weights, 4 GB: what a GPU is bought for.</summary>
    public static GgufSpec Largest { get; } = Large with
    {
        Layers = 32,
        Width = 4096,
        Heads = 32,
        KeyValueHeads = 8,
        FeedForward = 14336,
        Name = "random-7b",
    };
}

/// <param name="After">The prompt's last character, one that no token begins or ends with: neither a letter nor a space.</param>
/// <param name="Text">What is said then.</param>
public sealed record GgufAnswer(char After, string Text);

public enum GgufArchitecture
{
    Llama,
    Qwen2,

    /// <summary>Every second layer has a sliding window: it forgets what lies further back.</summary>
    Gemma3,

    /// <summary>A state instead of keys and values: it remembers one point of a sequence, its end.</summary>
    Mamba,

    /// <summary>Both: every second layer has keys and values, the others the state of a short convolution.</summary>
    Lfm2,

    /// <summary>A mixture of experts, with a window in every second layer and sinks of attention.</summary>
    GptOss,

    /// <summary>Reads a text at once and embeds it; it cannot write. With <see cref="GgufVocabularyKind.WordPiece"/>.</summary>
    Bert,
}

public enum GgufVocabularyKind
{
    /// <summary>Byte-level pairs, as GPT-2.</summary>
    Bpe,

    /// <summary>Pairs of characters, with byte tokens for others, as Gemma 4.</summary>
    CharacterPairs,

    /// <summary>SentencePiece with byte tokens, as Llama 2.</summary>
    SentencePiece,

    /// <summary>Words and parts of words, as BERT: what they do not make up is one unknown token.</summary>
    WordPiece,
}

public enum GgufWeights
{
    F32,
    Q8_0,
    Q4_0,
}
