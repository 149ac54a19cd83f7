using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Inference.Native;
using OllamaMax.Inference.Native.LlamaCpp;

namespace OllamaMax.Inference.Tests.LlamaCpp;

/// <summary>A struct that is laid out otherwise than the library's corrupts memory silently: these tests are the guard.</summary>
public sealed class LlamaLayoutTests
{
    public LlamaLayoutTests() => LlamaLibrary.Load(NullLoggerFactory.Instance);

    [Fact]
    public void Library_OnLinuxX64_IsTheOneThatTheLayoutWasReadFrom()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() && RuntimeInformation.ProcessArchitecture == Architecture.X64, "pinned for linux-x64");
        string file = LlamaLocator.FindLibrary(LlamaLocator.FindDirectory(), LlamaApi.Llama)!;

        string hash = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)));

        hash.ShouldBe("2ecd1d85f68456573a664106a9039366b88231579fd65d9669c9a6ab41374fd4");
    }

    [Fact]
    public void Structs_OfTheBinding_HaveTheLibrarysSizes()
    {
        Unsafe.SizeOf<LlamaModelParams>().ShouldBe(80);
        Unsafe.SizeOf<LlamaContextParams>().ShouldBe(160);
        Unsafe.SizeOf<LlamaBatch>().ShouldBe(56);
        Unsafe.SizeOf<Candidate>().ShouldBe(12);
        Unsafe.SizeOf<LlamaTokenDataArray>().ShouldBe(32);
    }

    [Fact]
    public void ModelDefaultParams_OfTheLibrary_StandWhereTheBindingReadsThem()
    {
        LlamaModelParams parameters = LlamaApi.ModelDefaultParams();

        byte[] bytes = Bytes(parameters);
        bytes.AsSpan(36, 4).Clear(); // padding, which holds anything
        bytes.AsSpan(78, 2).Clear();
        byte[] expected = new byte[80];
        expected.AsSpan(16, 4).Fill(0xFF);
        expected[20] = 1;
        expected.AsSpan(24, 4).Fill(0xFF);
        expected[28] = 1;
        expected[74] = 1;
        bytes.ShouldBe(expected);
        (parameters.GpuLayers, parameters.SplitMode, parameters.LoadMode, parameters.LazyMode).ShouldBe((-1, 1, -1, 1));
        parameters.UseExtraBufferTypes.ShouldBe((byte)1);
    }

    [Fact]
    public void ContextDefaultParams_OfTheLibrary_AreTheseBytes()
    {
        uint[] expected = new uint[40];
        expected[0] = 512;
        expected[1] = 2048;
        expected[2] = 512;
        expected[3] = 1;
        expected[6] = 1;
        expected[7] = expected[8] = 4;
        expected[10] = expected[11] = expected[12] = expected[13] = uint.MaxValue;
        for (int i = 16; i <= 19; i++)
            expected[i] = BitConverter.SingleToUInt32Bits(-1f);
        expected[21] = BitConverter.SingleToUInt32Bits(-1f);
        expected[26] = expected[27] = 1;
        expected[32] = 0x01_01_01_00;
        expected[33] = 0x00_01;

        MemoryMarshal.Cast<byte, uint>(Bytes(LlamaApi.ContextDefaultParams())).ToArray().ShouldBe(expected);
    }

    [Fact]
    public void ContextParams_WithOddValues_ComeBackFromTheContext()
    {
        using INativeModel model = TestModels.Load(TestModels.Tiny);
        using INativeContext context = model.CreateContext(new ContextConfig { Capacity = 768, Sequences = 7, BatchSize = 93, Threads = 3 });

        context.Capacity.ShouldBe(768);
        context.BatchSize.ShouldBe(93);
        LlamaContextHandle handle = ((LlamaContext)context).Handle;
        LlamaApi.ContextSequences(handle).ShouldBe(7u);
        LlamaApi.ContextMicroBatchSize(handle).ShouldBe(93u);
        LlamaApi.ContextThreads(handle).ShouldBe(3);
        LlamaApi.ContextBatchThreads(handle).ShouldBe(3);
    }

    private static byte[] Bytes<T>(T value)
        where T : unmanaged => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)).ToArray();
}
