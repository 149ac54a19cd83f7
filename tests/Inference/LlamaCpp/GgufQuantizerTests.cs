using OllamaMax.Inference.Native;
using OllamaMax.Models.Gguf;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Models;
using GgufHeader = OllamaMax.Models.Gguf.GgufHeader;

namespace OllamaMax.Inference.Tests.LlamaCpp;

/// <summary>What is quantized here, held against what llama.cpp makes of the same file.</summary>
public sealed class GgufQuantizerTests
{
    /// <summary>Rows of whole blocks, in layers enough for a mix to differ among them.</summary>
    private static readonly GgufSpec s_whole = new() { Width = 256, FeedForward = 256, Layers = 3, VocabularySize = 320, Seed = 91 };

    public static TheoryData<string> Names() => [.. GgufQuantization.All.Select(quantization => quantization.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Open_AModelOfFloats_HasTheWeightsThatLlamaCppMakes(string name)
    {
        using TempFolder folder = new();

        CheckIsTheirs(folder, TestModels.File(s_whole), GgufQuantization.Find(name)!);

        CheckDecodes(folder.File("ours.gguf"));
    }

    /// <summary>Their rows are no whole blocks of the larger kinds: those become others.</summary>
    [Theory]
    [MemberData(nameof(Names))]
    public void Open_AModelOfNarrowMatrices_HasTheWeightsThatLlamaCppMakes(string name)
    {
        using TempFolder folder = new();

        CheckIsTheirs(folder, TestModels.File(new GgufSpec { Architecture = GgufArchitecture.Qwen2, Seed = 91 }), GgufQuantization.Find(name)!);

        CheckDecodes(folder.File("ours.gguf"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(32)]
    public void Open_AModelOfHalves_HasTheWeightsThatLlamaCppMakes(uint fileType)
    {
        using TempFolder folder = new();
        LlamaQuantizer.Model(TestModels.File(s_whole), folder.File("halves.gguf"), fileType);

        CheckIsTheirs(folder, folder.File("halves.gguf"), GgufQuantization.Q4KMedium);
        CheckIsTheirs(folder, folder.File("halves.gguf"), GgufQuantization.F16);
    }

    [Fact]
    public void Open_QuantizedAlready_IsRefused()
    {
        using FileStream source = File.OpenRead(TestModels.Demo);

        Should.Throw<GgufFormatException>(() => GgufQuantizer.Open(source, GgufQuantization.Q4KMedium)).Message.ShouldContain("this one is Q8_0");
    }

    private static void CheckIsTheirs(TempFolder folder, string source, GgufQuantization quantization)
    {
        using (Stream quantized = GgufQuantizer.Open(File.OpenRead(source), quantization))
        using (FileStream file = File.Create(folder.File("ours.gguf")))
            quantized.CopyTo(file, 1000);
        LlamaQuantizer.Model(source, folder.File("theirs.gguf"), quantization.FileType);

        (Dictionary<string, (string Type, byte[] Bytes)> ours, GgufHeader header) = Weights(folder.File("ours.gguf"));
        (Dictionary<string, (string Type, byte[] Bytes)> theirs, GgufHeader theirHeader) = Weights(folder.File("theirs.gguf"));
        ours.ToDictionary(tensor => tensor.Key, tensor => tensor.Value.Type).ShouldBe(theirs.ToDictionary(tensor => tensor.Key, tensor => tensor.Value.Type), ignoreOrder: true);
        foreach ((string tensor, (string type, byte[] bytes)) in theirs)
            ours[tensor].Bytes.SequenceEqual(bytes).ShouldBeTrue($"{tensor} as {type}");
        foreach (string key in (ReadOnlySpan<string>)["general.file_type", "general.quantization_version"])
            header.GetInteger(key).ShouldBe(theirHeader.GetInteger(key).ShouldNotBeNull(), key);
        GgufFileType.NameOf(header.GetInteger("general.file_type")).ShouldBe(quantization.Name);
    }

    private static void CheckDecodes(string path)
    {
        using INativeModel model = TestModels.Load(path);
        TestModels.LogitsOf(model).ShouldAllBe(static logit => float.IsFinite(logit));
    }

    /// <summary>By the name of the tensor: the library sorts them.</summary>
    private static (Dictionary<string, (string Type, byte[] Bytes)> Tensors, GgufHeader Header) Weights(string path)
    {
        byte[] all = File.ReadAllBytes(path);
        GgufLayout layout = new(new MemoryStream(all));
        return (layout.Tensors.ToDictionary(
            tensor => tensor.Name, tensor => (GgmlType.Of(tensor.Type).Name, all.AsSpan((int)(layout.DataStart + tensor.Offset), (int)tensor.Bytes!).ToArray())), layout.Header);
    }
}
