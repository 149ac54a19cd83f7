namespace OllamaMax.Inference.Native;

/// <summary>What a model file says about the model's form: enough to tell how much memory it takes before it is loaded.</summary>
internal sealed record ModelShape
{
    private const int PoolingNone = 0;
    private const int PoolingRank = 4;

    // What keys of a file are about that has layers with one: a state space, a weighted key-value, a short convolution.
    private static readonly string[] s_states = ["ssm", "wkv", "shortconv"];

    /// <summary>Such as <c>llama</c>; empty where the file does not say.</summary>
    public required string Architecture { get; init; }

    public required long FileBytes { get; init; }

    public required int Layers { get; init; }

    /// <summary>Tokens of context that the model was trained with; 0 where the file does not say.</summary>
    public required int TrainedContext { get; init; }

    /// <summary>Numbers that a token's keys are, all layers together.</summary>
    public required long KeyWidth { get; init; }

    /// <summary>Numbers that a token's values are, all layers together.</summary>
    public required long ValueWidth { get; init; }

    /// <summary>Numbers that a token is between layers.</summary>
    public required long Width { get; init; }

    /// <summary>Numbers that a token is within a layer, at most.</summary>
    public required long FeedForward { get; init; }

    /// <summary>Heads of a layer's attention.</summary>
    public required long Heads { get; init; }

    /// <summary>Tokens that the model knows.</summary>
    public required long Vocabulary { get; init; }

    /// <summary>Bytes of one sequence's state; 0 where the model has none.</summary>
    public required long StateBytes { get; init; }

    /// <summary>Tokens that layers with a sliding window look back; 0 where no layer has one.</summary>
    public required int SlidingWindow { get; init; }

    /// <summary>The model keeps a state instead of, or beside, keys and values: a sequence cannot be cut, only forgotten.</summary>
    public required bool IsRecurrent { get; init; }

    /// <summary>Whether it can write; what cannot is made for embeddings.</summary>
    public required bool IsGenerator { get; init; }

    /// <summary>How tokens become one vector, as the file says (values of <c>llama_pooling_type</c>); null where it does not.</summary>
    public required int? FilePooling { get; init; }

    /// <summary>As the file says; else the mean, or the last token of models that write: it alone has seen the whole text. Null: the model ranks and has no vectors.</summary>
    public Pooling? Pooling => FilePooling switch
    {
        PoolingRank => null,
        null or PoolingNone => IsGenerator ? Native.Pooling.Last : Native.Pooling.Mean,
        { } pooling => (Pooling)pooling,
    };

    public long CacheBytesPerToken(CacheType keys, CacheType values) => (long)Math.Ceiling((KeyWidth * Bytes(keys)) + (ValueWidth * Bytes(values)));

    public static ModelShape Of(GgufHeader header, long fileBytes)
    {
        string architecture = header.Architecture;
        double Number(string key, double otherwise) => header.Numbers.GetValueOrDefault($"{architecture}.{key}", otherwise);
        int layers = Clamped(Number("block_count", 0));
        // Models without attention name no heads, or none; they keep neither keys nor values.
        double named = Number("attention.head_count", 0);
        double heads = Math.Max(1, named);
        double embedding = Number("embedding_length", 0);
        double width = embedding / heads;
        // A list has one number for each layer.
        double keyValueHeads = header.Lists.TryGetValue($"{architecture}.attention.head_count_kv", out long[]? perLayer)
            ? perLayer.Sum(static count => (double)Math.Max(0, count))
            : layers * Number("attention.head_count_kv", named);
        return new ModelShape
        {
            Architecture = architecture,
            FileBytes = fileBytes,
            Layers = layers,
            TrainedContext = Clamped(Number("context_length", 0)),
            KeyWidth = Clamped(keyValueHeads * Number("attention.key_length", width)),
            ValueWidth = Clamped(keyValueHeads * Number("attention.value_length", width)),
            Width = Clamped(embedding),
            FeedForward = Clamped(Math.Max(Number("feed_forward_length", 0), Number("ssm.inner_size", 0))),
            Heads = Clamped(named),
            Vocabulary = header.Tokens,
            StateBytes = (long)(Math.Clamp(StateNumbers(Number, embedding), 0, int.MaxValue) * layers * sizeof(float)),
            SlidingWindow = Clamped(Number("attention.sliding_window", 0)),
            IsRecurrent = header.Numbers.Keys.Any(key => Array.Exists(s_states, state => key.StartsWith($"{architecture}.{state}.", StringComparison.Ordinal))),
            IsGenerator = Number("attention.causal", 1) != 0 && !HasNoMemory(architecture),
            FilePooling = header.Numbers.TryGetValue($"{architecture}.pooling_type", out double pooling) && pooling is >= 0 and <= PoolingRank ? (int)pooling : null,
        };
    }

    /// <summary>Of one layer: what the convolution needs of the last tokens, and the state itself (Mamba and its kin), or RWKV's, or the convolution's alone (LFM2).</summary>
    private static double StateNumbers(Func<string, double, double> number, double width)
    {
        double inner = number("ssm.inner_size", 0), state = number("ssm.state_size", 0);
        double convolved = inner + (2 * number("ssm.group_count", 0) * state);
        double ssm = (Math.Max(0, number("ssm.conv_kernel", 0) - 1) * convolved) + (inner * state);
        double head = number("wkv.head_size", 0);
        double shortest = Math.Max(0, number("shortconv.l_cache", 0) - 1) * width;
        return ssm + (head > 0 ? (head + 2) * width : 0) + shortest;
    }

    // llama.cpp makes no memory for these: they read a text at once, and do not write.
    private static bool HasNoMemory(string architecture) =>
        architecture.Contains("bert", StringComparison.Ordinal) || architecture == "gemma-embedding";

    private static int Clamped(double value) => value is >= 0 and <= int.MaxValue ? (int)value : 0;

    private static double Bytes(CacheType type) => type switch
    {
        CacheType.F32 => 4,
        CacheType.F16 => 2,
        // Blocks of 32 numbers with a scale of two bytes.
        CacheType.Q8 => 34.0 / 32,
        CacheType.Q4 => 18.0 / 32,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, null),
    };
}
