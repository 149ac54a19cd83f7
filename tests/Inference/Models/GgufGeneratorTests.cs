using System.Security.Cryptography;
using OllamaMax.Inference.Native;
using OllamaMax.Models.Gguf;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Inference.Tests.Models;

public sealed class GgufGeneratorTests
{
    /// <summary>Of models that write.</summary>
    public static TheoryData<GgufArchitecture, GgufVocabularyKind, GgufWeights> Kinds() => new MatrixTheoryData<GgufArchitecture, GgufVocabularyKind, GgufWeights>(
        [GgufArchitecture.Llama, GgufArchitecture.Qwen2], [GgufVocabularyKind.Bpe, GgufVocabularyKind.SentencePiece], Enum.GetValues<GgufWeights>());

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Write_EveryKind_LoadsAndDecodes(GgufArchitecture architecture, GgufVocabularyKind vocabulary, GgufWeights weights)
    {
        GgufSpec spec = new() { Architecture = architecture, Vocabulary = vocabulary, Weights = weights };
        using INativeModel model = TestModels.Load(spec);

        float[] logits = TestModels.LogitsOf(model);

        logits.ShouldAllBe(static logit => float.IsFinite(logit));
        model.VocabularySize.ShouldBe(spec.VocabularySize);
        model.TrainedContext.ShouldBe(spec.Context);
        float best = logits.Max();
        for (int token = 0; token < logits.Length; token++)
        {
            if (model.IsEndOfGeneration(token))
                logits[token].ShouldBeLessThan(best - 20);
        }
    }

    /// <summary>llama.cpp finds the parts by their names itself; the catalogue has them as one file. Both are the model.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void WriteSplit_PartsAndWhatTheyMakeTogether_AreTheModel(bool tensorsInFirst)
    {
        GgufSpec spec = new() { Weights = GgufWeights.Q8_0 };
        using TempFolder folder = new();
        IReadOnlyList<string> parts = GgufGenerator.WriteSplit(folder.Path, "split", spec, 4, tensorsInFirst);
        using (Stream merged = GgufFiles.Open(parts))
        using (FileStream file = File.Create(folder.File("merged.gguf")))
            merged.CopyTo(file);

        float[] whole = Logits(TestModels.File(spec));

        Logits(parts[0]).ShouldBe(whole);
        Logits(folder.File("merged.gguf")).ShouldBe(whole);
        SHA256.HashData(File.ReadAllBytes(folder.File("merged.gguf"))).ShouldBe(SHA256.HashData(File.ReadAllBytes(TestModels.File(spec))));
    }

    [Theory]
    [InlineData(GgufWeights.F32)]
    [InlineData(GgufWeights.Q8_0)]
    [InlineData(GgufWeights.Q4_0)]
    public void Write_AModelThatEmbeds_LoadsAndEmbeds(GgufWeights weights)
    {
        GgufSpec spec = new() { Architecture = GgufArchitecture.Bert, Vocabulary = GgufVocabularyKind.WordPiece, Weights = weights };
        using INativeModel model = TestModels.Load(spec);
        using INativeContext context = model.CreateContext(
            new ContextConfig { Capacity = 256, Sequences = 1, BatchSize = 64, Threads = 1, Pooling = Pooling.Mean });
        DecodeBatch batch = new(64);
        int[] tokens = model.Tokenize("hello there"u8, addSpecial: true, parseSpecial: false);
        for (int i = 0; i < tokens.Length; i++)
            batch.Add(tokens[i], i, 0, output: true);

        context.Decode(batch).ShouldBe(DecodeOutcome.Ok);

        context.Embedding(0).ToArray().ShouldAllBe(static value => float.IsFinite(value));
        (tokens[0], tokens[^1]).ShouldBe((model.LeadingToken!.Value, model.TrailingToken!.Value));
    }

    [Fact]
    public void Write_SameSpec_SameBytes()
    {
        string again = TestModels.NewPath();
        GgufGenerator.Write(again, TestModels.Tiny);

        SHA256.HashData(File.ReadAllBytes(again)).ShouldBe(SHA256.HashData(File.ReadAllBytes(TestModels.File(TestModels.Tiny))));
    }

    [Fact]
    public void Write_OtherSeed_OtherWeights()
    {
        string other = TestModels.NewPath();
        GgufGenerator.Write(other, TestModels.Tiny with { Seed = 2 });

        File.ReadAllBytes(other)[^4096..].ShouldNotBe(File.ReadAllBytes(TestModels.File(TestModels.Tiny))[^4096..]);
    }

    private static float[] Logits(string path)
    {
        using INativeModel model = TestModels.Load(path);
        using INativeContext context = model.CreateContext(new ContextConfig { Capacity = 256, Sequences = 1, BatchSize = 64, Threads = 1 });
        DecodeBatch batch = new(64);
        int[] tokens = model.Tokenize("hello there"u8, addSpecial: true, parseSpecial: false);
        for (int i = 0; i < tokens.Length; i++)
            batch.Add(tokens[i], i, 0, output: i == tokens.Length - 1);
        context.Decode(batch).ShouldBe(DecodeOutcome.Ok);
        return context.Logits(batch.Count - 1).ToArray();
    }
}
