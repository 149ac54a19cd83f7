namespace OllamaMax.TestKit.Models;

/// <summary>
/// A tensor to write. One dimension of the residual stream holds a constant that no layer changes: with it the rows of
/// tokens that shall never be said get a logit far below all others, whatever the rest computes.
/// </summary>
internal sealed class TensorPlan
{
    private const float Constant = 2;
    private const float NeverSaid = -200;

    private readonly Action<RandomRow, int, float[]> _fill;

    private TensorPlan(string name, int rowLength, int rows, GgufWeights weights, ulong seed, Action<RandomRow, int, float[]> fill)
    {
        Name = name;
        RowLength = rowLength;
        Rows = rows;
        Weights = weights;
        Seed = name.Aggregate(seed, static (hash, letter) => (hash ^ letter) * 0x100000001B3);
        _fill = fill;
    }

    private TensorPlan(TensorPlan other)
        : this(other.Name, other.RowLength, other.Rows, other.Weights, 0, other._fill) =>
        (Planes, Seed) = (other.Planes, other.Seed);

    public string Name { get; private init; }

    public int RowLength { get; }

    public int Rows { get; }

    /// <summary>Into which the rows are divided: of experts each has one.</summary>
    public int Planes { get; private init; } = 1;

    public IEnumerable<ulong> Dimensions => Planes > 1 ? [(ulong)RowLength, (ulong)(Rows / Planes), (ulong)Planes] : Rows > 1 ? [(ulong)RowLength, (ulong)Rows] : [(ulong)RowLength];

    public GgufWeights Weights { get; }

    public ulong Seed { get; }

    public ulong Bytes => (ulong)RowEncoder.Bytes(Weights, RowLength) * (ulong)Rows;

    public void Fill(RandomRow random, int index, float[] row) => _fill(random, index, row);

    public static IReadOnlyList<TensorPlan> Of(GgufSpec spec, GgufVocabulary vocabulary)
    {
        if (spec.Architecture == GgufArchitecture.Bert)
            return [.. BertTensors.Of(spec)];
        if (vocabulary.Successors.Count > 0)
            return ScriptedTensors.Of(spec, vocabulary);
        HashSet<int> neverSaid = [.. vocabulary.NeverSaid];
        List<TensorPlan> tensors =
        [
            Matrix(spec, "token_embd.weight", spec.Width, spec.VocabularySize, static (_, row) => row[0] = Constant, 1),
            Vector(spec, spec.Architecture == GgufArchitecture.Lfm2 ? "token_embd_norm.weight" : "output_norm.weight", spec.Width, 1, 0),
            // Wider than the rest, so that some tokens stand out of the others.
            Matrix(spec, "output.weight", spec.Width, spec.VocabularySize, (index, row) => FillOutput(row, neverSaid.Contains(index)), 4 * Spread(spec.Width)),
        ];
        for (int layer = 0; layer < spec.Layers; layer++)
        {
            string prefix = $"blk.{layer}.";
            tensors.AddRange(spec.Architecture switch
            {
                GgufArchitecture.Mamba => MambaTensors.Layer(spec, prefix),
                GgufArchitecture.GptOss => GptOssTensors.Layer(spec, prefix),
                GgufArchitecture.Lfm2 when !Lfm2Tensors.HasAttention(layer) => Lfm2Tensors.Convolving(spec, prefix),
                _ => Layer(spec, prefix),
            });
        }
        return tensors;
    }

    internal static IEnumerable<TensorPlan> Layer(GgufSpec spec, string prefix)
    {
        int keyWidth = spec.Width / spec.Heads * spec.KeyValueHeads;
        yield return Vector(spec, prefix + "attn_norm.weight", spec.Width, 1, 0);
        yield return Matrix(spec, prefix + "attn_q.weight", spec.Width, spec.Width);
        yield return Matrix(spec, prefix + "attn_k.weight", spec.Width, keyWidth);
        yield return Matrix(spec, prefix + "attn_v.weight", spec.Width, keyWidth);
        if (spec.Architecture == GgufArchitecture.Qwen2)
        {
            yield return Vector(spec, prefix + "attn_q.bias", spec.Width, 0, 0.1f);
            yield return Vector(spec, prefix + "attn_k.bias", keyWidth, 0, 0.1f);
            yield return Vector(spec, prefix + "attn_v.bias", keyWidth, 0, 0.1f);
        }
        if (spec.Architecture is GgufArchitecture.Gemma3 or GgufArchitecture.Lfm2)
        {
            yield return Vector(spec, prefix + "attn_q_norm.weight", spec.Width / spec.Heads, 1, 0);
            yield return Vector(spec, prefix + "attn_k_norm.weight", spec.Width / spec.Heads, 1, 0);
        }
        if (spec.Architecture == GgufArchitecture.Gemma3)
        {
            yield return Vector(spec, prefix + "post_attention_norm.weight", spec.Width, 1, 0);
            yield return Vector(spec, prefix + "post_ffw_norm.weight", spec.Width, 1, 0);
        }
        yield return Matrix(spec, prefix + "attn_output.weight", spec.Width, spec.Width, KeepConstant);
        foreach (TensorPlan tensor in FeedForward(spec, prefix))
            yield return tensor;
    }

    internal static IEnumerable<TensorPlan> FeedForward(GgufSpec spec, string prefix) =>
    [
        Vector(spec, prefix + "ffn_norm.weight", spec.Width, 1, 0),
        Matrix(spec, prefix + "ffn_gate.weight", spec.Width, spec.FeedForward),
        Matrix(spec, prefix + "ffn_up.weight", spec.Width, spec.FeedForward),
        Matrix(spec, prefix + "ffn_down.weight", spec.FeedForward, spec.Width, KeepConstant),
    ];

    internal static TensorPlan Vector(GgufSpec spec, string name, int length, float around, float amplitude) =>
        new(name, length, 1, GgufWeights.F32, spec.Seed, (random, _, row) =>
        {
            random.Fill(row, amplitude);
            for (int i = 0; i < row.Length; i++)
                row[i] += around;
        });

    /// <summary>A matrix for each expert.</summary>
    internal static TensorPlan Experts(GgufSpec spec, string name, int rowLength, int rows, int experts, Action<int, float[]>? change = null) =>
        new(Matrix(spec, name, rowLength, rows * experts, (index, row) => change?.Invoke(index % rows, row))) { Planes = experts };

    /// <summary>The same weights under another name.</summary>
    internal TensorPlan Named(string name) => new(this) { Name = name };

    internal static TensorPlan Matrix(
        GgufSpec spec, string name, int rowLength, int rows, Action<int, float[]>? change = null, float? amplitude = null) =>
        new(name, rowLength, rows, spec.Weights, spec.Seed, (random, index, row) =>
        {
            random.Fill(row, amplitude ?? Spread(rowLength));
            change?.Invoke(index, row);
        });

    // Keeps the variance of what goes in.
    internal static float Spread(int rowLength) => MathF.Sqrt(3f / rowLength);

    internal static void KeepConstant(int index, float[] row)
    {
        if (index == 0)
            Array.Clear(row);
    }

    private static void FillOutput(float[] row, bool neverSaid)
    {
        if (neverSaid)
            Array.Clear(row);
        row[0] = neverSaid ? NeverSaid : 0;
    }
}
