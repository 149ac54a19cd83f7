using System.Runtime.InteropServices;
using OllamaMax.Inference.Native;
using OllamaMax.Models.Gguf;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Inference.Tests.Models;

/// <summary>A model with an adapter behind its weights, held against one whose weights were changed as the adapter says.</summary>
public sealed class GgufAdaptersTests
{
    private const int Rank = 4;
    private const float Alpha = 2;

    /// <summary>Sums are made in another order.</summary>
    private const float Tolerance = 1e-3f;

    [Theory]
    [InlineData(GgufArchitecture.Llama)]
    [InlineData(GgufArchitecture.Qwen2)]
    public void Load_AnAdapterBehindTheWeights_ComputesWhatItChanges(GgufArchitecture architecture)
    {
        using TempFolder folder = new();
        GgufSpec spec = new() { Architecture = architecture, Seed = 17 };
        GgufGenerator.WriteAdapter(folder.File("adapter.gguf"), spec, Rank, Alpha);
        Append(folder.File("adapted.gguf"), TestModels.File(spec), folder.File("adapter.gguf"));
        Merge(folder.File("merged.gguf"), TestModels.File(spec), folder.File("adapter.gguf"));

        (float[] alone, float[] adapted, float[] merged) = (Logits(TestModels.File(spec)), Logits(folder.File("adapted.gguf")), Logits(folder.File("merged.gguf")));

        Distance(adapted, merged).ShouldBeLessThan(Tolerance);
        Distance(adapted, alone).ShouldBeGreaterThan(100 * Tolerance);
    }

    [Fact]
    public void Load_TwoAdapters_ComputesWhatBothChange()
    {
        using TempFolder folder = new();
        GgufGenerator.WriteAdapter(folder.File("one.gguf"), TestModels.Tiny, Rank, Alpha);
        GgufGenerator.WriteAdapter(folder.File("other.gguf"), TestModels.Tiny with { Seed = 5 }, Rank, Alpha);
        Append(folder.File("one-more.gguf"), TestModels.File(TestModels.Tiny), folder.File("one.gguf"));
        Append(folder.File("adapted.gguf"), folder.File("one-more.gguf"), folder.File("other.gguf"));
        Merge(folder.File("one-merged.gguf"), TestModels.File(TestModels.Tiny), folder.File("one.gguf"));
        Merge(folder.File("merged.gguf"), folder.File("one-merged.gguf"), folder.File("other.gguf"));

        Distance(Logits(folder.File("adapted.gguf")), Logits(folder.File("merged.gguf"))).ShouldBeLessThan(Tolerance);
    }

    [Fact]
    public void Load_AnAdapterOfAnotherModel_IsRefused()
    {
        using TempFolder folder = new();
        GgufGenerator.WriteAdapter(folder.File("adapter.gguf"), TestModels.Tiny with { Width = 128 }, Rank, Alpha);
        File.WriteAllBytes(folder.File("adapted.gguf"), [.. File.ReadAllBytes(TestModels.File(TestModels.Tiny)), .. File.ReadAllBytes(folder.File("adapter.gguf"))]);

        Should.Throw<ModelLoadException>(() => TestModels.Load(folder.File("adapted.gguf"))).Message.ShouldEndWith(
            "its adapters cannot be used: the adapter's tensors for 'blk.0.attn_q.weight' have other dimensions than the model's: it is another model's");
    }

    private static void Append(string path, string model, string adapter)
    {
        using Stream adapted = GgufAdapters.Append(File.OpenRead(model), [File.OpenRead(adapter)]);
        using FileStream file = File.Create(path);
        adapted.CopyTo(file);
    }

    /// <summary>W + alpha / rank * B * A.</summary>
    private static void Merge(string path, string model, string adapter)
    {
        byte[] file = File.ReadAllBytes(model), changes = File.ReadAllBytes(adapter);
        GgufLayout layout = new(new MemoryStream(file)), changed = new(new MemoryStream(changes));
        foreach (GgufTensor down in changed.Tensors.Where(tensor => tensor.Name.EndsWith(".lora_a", StringComparison.Ordinal)))
        {
            GgufTensor up = changed.Tensors.Single(tensor => tensor.Name == down.Name.Replace(".lora_a", ".lora_b", StringComparison.Ordinal));
            GgufTensor of = layout.Tensors.Single(tensor => tensor.Name == down.Name[..^".lora_a".Length]);
            Span<float> weights = Floats(file, layout, of);
            Span<float> a = Floats(changes, changed, down);
            Span<float> b = Floats(changes, changed, up);
            int width = (int)of.Dimensions[0];
            for (int i = 0; i < weights.Length; i++)
            {
                double sum = 0;
                for (int rank = 0; rank < Rank; rank++)
                    sum += b[(i / width * Rank) + rank] * a[(rank * width) + (i % width)];
                weights[i] += (float)(Alpha / Rank * sum);
            }
        }
        File.WriteAllBytes(path, file);
    }

    private static Span<float> Floats(byte[] file, GgufLayout layout, GgufTensor tensor) =>
        MemoryMarshal.Cast<byte, float>(file.AsSpan((int)(layout.DataStart + tensor.Offset), (int)tensor.Bytes!));

    private static float Distance(float[] one, float[] other) => one.Zip(other, (a, b) => Math.Abs(a - b)).Max();

    private static float[] Logits(string path)
    {
        using INativeModel model = TestModels.Load(path);
        using INativeContext context = model.CreateContext(new ContextConfig
        {
            Capacity = 256, Sequences = 1, BatchSize = 64, Threads = 1, KeyType = CacheType.F32, ValueType = CacheType.F32, FlashAttention = FlashAttention.Off,
        });
        DecodeBatch batch = new(64);
        int[] tokens = model.Tokenize("hello there"u8, addSpecial: true, parseSpecial: false);
        for (int i = 0; i < tokens.Length; i++)
            batch.Add(tokens[i], i, 0, output: i == tokens.Length - 1);
        context.Decode(batch).ShouldBe(DecodeOutcome.Ok);
        return context.Logits(batch.Count - 1).ToArray();
    }
}
