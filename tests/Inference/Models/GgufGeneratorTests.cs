using System.Security.Cryptography;
using OllamaMax.Inference.Native;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Inference.Tests.Models;

public sealed class GgufGeneratorTests
{
    public static TheoryData<GgufArchitecture, GgufVocabularyKind, GgufWeights> Kinds() => new MatrixTheoryData<GgufArchitecture, GgufVocabularyKind, GgufWeights>(
        Enum.GetValues<GgufArchitecture>(), Enum.GetValues<GgufVocabularyKind>(), Enum.GetValues<GgufWeights>());

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Write_EveryKind_LoadsAndDecodes(GgufArchitecture architecture, GgufVocabularyKind vocabulary, GgufWeights weights)
    {
        GgufSpec spec = new() { Architecture = architecture, Vocabulary = vocabulary, Weights = weights };
        using INativeModel model = TestModels.Load(spec);
        using INativeContext context = model.CreateContext(new ContextConfig { Capacity = 256, Sequences = 1, BatchSize = 64, Threads = 1 });
        DecodeBatch batch = new(64);
        int[] tokens = model.Tokenize("hello there"u8, addSpecial: true, parseSpecial: false);
        for (int i = 0; i < tokens.Length; i++)
            batch.Add(tokens[i], i, 0, output: i == tokens.Length - 1);

        context.Decode(batch).ShouldBe(DecodeOutcome.Ok);

        float[] logits = context.Logits(batch.Count - 1).ToArray();
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
}
