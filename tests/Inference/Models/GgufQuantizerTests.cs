using System.Runtime.InteropServices;
using OllamaMax.Inference.Native.LlamaCpp;
using OllamaMax.Models.Gguf;
using OllamaMax.TestKit;
using OllamaMax.TestKit.Models;

namespace OllamaMax.Inference.Tests.Models;

/// <summary>What is quantized here, held against what llama.cpp makes of the same file.</summary>
public sealed unsafe class GgufQuantizerTests
{
    private const int FileTypeQ8 = 7;

    [Theory]
    [InlineData(GgufArchitecture.Llama)]
    [InlineData(GgufArchitecture.Qwen2)]
    public void Open_AModelOfFloats_HasTheWeightsThatLlamaCppMakes(GgufArchitecture architecture)
    {
        using TempFolder folder = new();
        string source = TestModels.File(new GgufSpec { Architecture = architecture, Seed = 91 });

        using (Stream quantized = GgufQuantizer.Open(File.OpenRead(source)))
        using (FileStream file = File.Create(folder.File("ours.gguf")))
            quantized.CopyTo(file, 1000);
        Quantize(source, folder.File("theirs.gguf"));

        Dictionary<string, byte[]> ours = Weights(folder.File("ours.gguf")), theirs = Weights(folder.File("theirs.gguf"));
        ours.Keys.ShouldBe(theirs.Keys, ignoreOrder: true);
        foreach ((string tensor, byte[] bytes) in theirs)
            ours[tensor].SequenceEqual(bytes).ShouldBeTrue(tensor);
        using FileStream read = File.OpenRead(folder.File("ours.gguf"));
        GgufReader.Read(read).GetInteger("general.file_type").ShouldBe(FileTypeQ8);
        TestModels.Load(folder.File("ours.gguf")).Dispose();
    }

    [Fact]
    public void Open_QuantizedAlready_IsRefused()
    {
        using FileStream source = File.OpenRead(TestModels.Demo);

        Should.Throw<GgufFormatException>(() => GgufQuantizer.Open(source)).Message.ShouldContain("this one is Q8_0");
    }

    /// <summary>By the name of the tensor: the library sorts them.</summary>
    private static Dictionary<string, byte[]> Weights(string path)
    {
        byte[] all = File.ReadAllBytes(path);
        GgufLayout layout = new(new MemoryStream(all));
        return layout.Tensors.ToDictionary(tensor => tensor.Name, tensor => all.AsSpan((int)(layout.DataStart + tensor.Offset), (int)tensor.Bytes!).ToArray());
    }

    /// <summary>Its parameters by their defaults; of the fields only the first two are known to this test: threads, and the type of the file.</summary>
    private static void Quantize(string from, string to)
    {
        TestModels.Load(TestModels.Tiny).Dispose();
        nint library = NativeLibrary.Load(LlamaLocator.FindLibrary(LlamaLocator.FindDirectory(), LlamaApi.Llama)!);
        var defaults = (delegate* unmanaged[Cdecl]<Parameters>)NativeLibrary.GetExport(library, "llama_model_quantize_default_params");
        var quantize = (delegate* unmanaged[Cdecl]<byte*, byte*, Parameters*, uint>)NativeLibrary.GetExport(library, "llama_model_quantize");
        Parameters parameters = defaults();
        (parameters.Threads, parameters.FileType) = (1, FileTypeQ8);
        byte* input = (byte*)Marshal.StringToCoTaskMemUTF8(from), output = (byte*)Marshal.StringToCoTaskMemUTF8(to);
        uint failed = quantize(input, output, &parameters);
        Marshal.FreeCoTaskMem((nint)input);
        Marshal.FreeCoTaskMem((nint)output);
        failed.ShouldBe(0u);
    }

    /// <summary>Larger than the library's: it is answered in memory that the caller gives.</summary>
    [StructLayout(LayoutKind.Sequential, Size = 512)]
    private struct Parameters
    {
        public int Threads;
        public int FileType;
    }
}
