using System.Text;
using System.Text.Json;
using OllamaMax.Models.Gguf;
using OllamaMax.Models.Gguf.Quantization;

namespace OllamaMax.Inference.Tests.LlamaCpp;

/// <summary>Which types are chosen here, held against what the library chooses for a model of that shape.</summary>
public sealed class TensorTypesTests
{
    private static readonly string[] Attention = ["attn_q", "attn_k", "attn_v", "attn_output"];
    private static readonly string[] FeedForward = ["ffn_gate", "ffn_up", "ffn_down"];
    private static readonly string[] Experts = ["ffn_gate_inp", "ffn_gate_exps", "ffn_up_exps", "ffn_down_exps", "ffn_down_shexp"];
    private static readonly string[] Latent = ["attn_q_a", "attn_q_b", "attn_kv_a_mqa", "attn_kv_b", "attn_output", "ffn_gate", "ffn_up", "ffn_down"];
    private static readonly string[] TimeMix = ["time_mix_w1", "time_mix_key", "time_mix_value", "time_mix_lerp_fused", "time_mix_decay_w2", "channel_mix_key"];
    private static readonly string[] State = ["ssm_in", "ssm_conv1d", "ssm_x", "ssm_out"];

    private static readonly (string Kind, ModelShape Model, string[] Matrices, bool HasOutput)[] Models =
    [
        ("a model of 7 billion weights", new("llama", 32, 4096, 11008, KeyValueHeads: 32), [.. Attention, .. FeedForward], true),
        ("a model of 8 billion weights", new("llama", 32, 4096, 14336), [.. Attention, .. FeedForward], true),
        ("a model of 70 billion weights, whose heads share values", new("llama", 80, 8192, 28672, Heads: 64), [.. Attention, .. FeedForward], true),
        ("one of 80 layers whose heads share none", new("llama", 80, 8192, 22016, Heads: 64, KeyValueHeads: 64), [.. Attention, .. FeedForward], true),
        ("a model of one layer", new("llama", 1, 256, 512), [.. Attention, .. FeedForward], true),
        ("one whose embedding is its output", new("gemma3", 26, 2304, 9216), [.. Attention, .. FeedForward], false),
        ("one with rows of no whole blocks of 256", new("qwen2", 24, 896, 4864, Heads: 14, KeyValueHeads: 2), [.. Attention, .. FeedForward], false),
        ("one with rows of no whole blocks at all", new("llama", 9, 80, 176, Heads: 4), [.. Attention, .. FeedForward], true),
        ("eight experts", new("llama", 32, 4096, 14336, Experts: 8), [.. Attention, .. Experts], true),
        ("many experts", new("qwen3moe", 48, 2048, 768, Experts: 128), [.. Attention, .. Experts], true),
        ("values in a latent", new("deepseek2", 27, 2048, 10944, Experts: 64), [.. Latent, .. Experts], true),
        ("attention in one matrix", new("falcon", 32, 4544, 18176, KeyValueHeads: 1), ["attn_qkv", "attn_output", "ffn_up", "ffn_down"], true),
        ("attention in one matrix, of another architecture", new("phi3", 32, 3072, 8192), ["attn_qkv", "attn_output", "ffn_up", "ffn_down"], true),
        ("no attention, but a mix over time", new("rwkv7", 24, 2048, 8192), TimeMix, true),
        ("no attention, but a state", new("mamba", 24, 768, 1536), State, false),
        ("one that embeds", new("bert", 12, 768, 3072), [.. Attention, "ffn_up", "ffn_down"], false),
    ];

    public static TheoryData<string> Kinds() => [.. Models.Select(model => model.Kind)];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Choose_AModel_AreTheTypesThatLlamaCppChooses(string kind)
    {
        (_, ModelShape model, string[] matrices, bool hasOutput) = Models.Single(one => one.Kind == kind);
        List<GgufTensor> tensors = Tensors(model, matrices, hasOutput);

        foreach (GgufQuantization quantization in GgufQuantization.All)
        {
            uint[] theirs = LlamaQuantizer.Types(model, tensors, quantization.FileType);

            // In another order: that of a file says nothing.
            IReadOnlyList<uint> ours = TensorTypes.Choose(Header(model), [.. Enumerable.Reverse(tensors)], quantization);

            Named(Enumerable.Reverse(tensors), ours).ShouldBe(Named(tensors, theirs).Reverse(), quantization.Name);
        }
    }

    [Fact]
    public void Choose_ExpertsOfALayerThatIsNotThere_IsRefused()
    {
        ModelShape model = new("llama", 2, 256, 512, Experts: 8);
        GgufTensor[] tensors = [Tensor("blk.2.ffn_down_exps.weight", 512, 256, 8)];

        Should.Throw<GgufFormatException>(() => TensorTypes.Choose(Header(model), tensors, GgufQuantization.Q4KMedium)).Message
            .ShouldBe("tensor 'blk.2.ffn_down_exps.weight' does not say which of the 2 layers it belongs to");
    }

    private static IEnumerable<string> Named(IEnumerable<GgufTensor> tensors, IEnumerable<uint> types) =>
        tensors.Zip(types, (tensor, type) => $"{tensor.Name} {GgmlType.Of(type).Name}");

    /// <summary>In the library's order: by layer, then by name.</summary>
    private static List<GgufTensor> Tensors(ModelShape model, string[] matrices, bool hasOutput)
    {
        List<GgufTensor> tensors =
        [
            Tensor("output_norm.weight", model.Width), Tensor("position_embd.weight", model.Width, 512), Tensor("token_embd.weight", model.Width, 32000), Tensor("token_types.weight", model.Width, 2),
        ];
        if (hasOutput)
            tensors.Insert(0, Tensor("output.weight", model.Width, 32000));
        for (int layer = 0; layer < model.Layers; layer++)
        {
            tensors.AddRange(matrices.Append("attn_norm").Order(StringComparer.Ordinal).SelectMany(matrix => new[]
            {
                Tensor($"blk.{layer}.{matrix}.bias", model.Width),
                matrix switch
                {
                    "attn_norm" => Tensor($"blk.{layer}.{matrix}.weight", model.Width),
                    _ when matrix.EndsWith("exps", StringComparison.Ordinal) => Tensor($"blk.{layer}.{matrix}.weight", Length(model, matrix), model.Width, model.Experts),
                    _ => Tensor($"blk.{layer}.{matrix}.weight", Length(model, matrix), model.Width),
                },
            }));
        }
        return tensors;
    }

    private static int Length(ModelShape model, string matrix) => matrix.StartsWith("ffn_down", StringComparison.Ordinal) ? model.FeedForward : model.Width;

    private static GgufTensor Tensor(string name, params int[] dimensions) => new(Encoding.UTF8.GetBytes(name), [.. dimensions.Select(dimension => (ulong)dimension)], GgmlType.F32, 0);

    private static GgufHeader Header(ModelShape model) => new()
    {
        Version = 3,
        Metadata = new Dictionary<string, JsonElement>
        {
            ["general.architecture"] = JsonSerializer.SerializeToElement(model.Architecture),
            [$"{model.Architecture}.block_count"] = JsonSerializer.SerializeToElement(model.Layers),
            [$"{model.Architecture}.expert_count"] = JsonSerializer.SerializeToElement(model.Experts),
            [$"{model.Architecture}.attention.head_count"] = JsonSerializer.SerializeToElement(model.Heads),
            [$"{model.Architecture}.attention.head_count_kv"] = JsonSerializer.SerializeToElement(model.KeyValueHeads),
        },
        BosToken = "",
        EosToken = "",
        TensorCount = 0,
        ParameterCount = 0,
        TensorType = "F32",
        Length = 0,
    };
}
