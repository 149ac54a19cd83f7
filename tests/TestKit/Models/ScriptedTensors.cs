namespace OllamaMax.TestKit.Models;

/// <summary>
/// A model that says what it was told to: its layers add nothing to what a token means, and what a token means points at the token that comes after it. A Llama to whoever runs it.
/// </summary>
internal static class ScriptedTensors
{
    /// <summary>So far above all others that sampling finds it, whatever the temperature.</summary>
    private const float Certain = 8;

    public static IReadOnlyList<TensorPlan> Of(GgufSpec spec, GgufVocabulary vocabulary)
    {
        if (spec.Architecture != GgufArchitecture.Llama)
            throw new ArgumentException("Only a Llama can be told what to say.", nameof(spec));
        ILookup<int, int> before = vocabulary.Successors.ToLookup(pair => pair.Next, pair => pair.Token);
        List<TensorPlan> tensors =
        [
            TensorPlan.Matrix(spec, "token_embd.weight", spec.Width, spec.VocabularySize, (token, row) => Meaning(spec, token).CopyTo(row, 0)),
            TensorPlan.Vector(spec, "output_norm.weight", spec.Width, 1, 0),
            TensorPlan.Matrix(spec, "output.weight", spec.Width, spec.VocabularySize, (token, row) =>
            {
                Array.Clear(row);
                foreach (float[] meaning in before[token].Select(other => Meaning(spec, other)))
                {
                    for (int i = 0; i < row.Length; i++)
                        row[i] += Certain * meaning[i];
                }
            }),
        ];
        for (int layer = 0; layer < spec.Layers; layer++)
        {
            tensors.AddRange(TensorPlan.Layer(spec, $"blk.{layer}.").Select(tensor => tensor.Name.EndsWith("attn_output.weight", StringComparison.Ordinal)
                || tensor.Name.EndsWith("ffn_down.weight", StringComparison.Ordinal)
                    ? TensorPlan.Matrix(spec, tensor.Name, tensor.RowLength, tensor.Rows, (_, row) => Array.Clear(row))
                    : tensor));
        }
        return tensors;
    }

    /// <summary>By chance, and so at about a right angle to every other one.</summary>
    private static float[] Meaning(GgufSpec spec, int token)
    {
        float[] meaning = new float[spec.Width];
        new RandomRow(spec.Seed ^ ((ulong)token + 1) * 0x9E3779B97F4A7C15).Fill(meaning, 1);
        return meaning;
    }
}
