using System.Runtime.InteropServices;
using OllamaMax.Models.Gguf;

namespace OllamaMax.Core.Tests.Models.Gguf;

/// <summary>How it is read; that its bytes are llama.cpp's, the tests of the engine show.</summary>
public sealed class GgufQuantizerTests
{
    private const int Width = 256;

    /// <summary>More than is quantized at once.</summary>
    private const int Rows = 1100;

    private static readonly byte[] s_source = Source();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Read_FromAnyByte_IsTheSame()
    {
        using Stream whole = GgufQuantizer.Open(new MemoryStream(s_source), GgufQuantization.Q4KMedium);
        byte[] expected = new byte[whole.Length];
        whole.ReadExactly(expected);

        using Stream quantized = GgufQuantizer.Open(new MemoryStream(s_source), GgufQuantization.Q4KMedium);
        Random random = new(7);
        for (int round = 0; round < 40; round++)
        {
            int at = random.Next(expected.Length), length = random.Next(1, Math.Min(100_000, expected.Length - at) + 1);
            byte[] read = new byte[length];
            quantized.Position = at;
            if (round % 2 == 0)
                await quantized.ReadExactlyAsync(read, Cancel);
            else
                quantized.ReadExactly(read);

            read.AsSpan().SequenceEqual(expected.AsSpan(at, length)).ShouldBeTrue($"{length} bytes from {at}");
        }
        quantized.Position = expected.Length;
        quantized.Read(new byte[1]).ShouldBe(0);
        GgufReader.Read(new MemoryStream(expected)).TensorType.ShouldBe("Q4_K");
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.NegativeInfinity)]
    public void Read_AWeightThatIsNoNumber_IsRefused(float weight)
    {
        byte[] source = [.. s_source];
        BitConverter.TryWriteBytes(source.AsSpan(source.Length - 4), weight).ShouldBeTrue();
        using Stream quantized = GgufQuantizer.Open(new MemoryStream(source), GgufQuantization.Q8);

        Should.Throw<GgufFormatException>(() => quantized.CopyTo(Stream.Null)).Message.ShouldBe("tensor 'blk.0.ffn_down.weight' has values that are no finite numbers");
    }

    [Fact]
    public async Task Read_CancelledMeanwhile_EndsAndCanBeReadAgain()
    {
        using CancellationTokenSource cancel = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        using Stream quantized = GgufQuantizer.Open(new CancellingStream(s_source, cancel), GgufQuantization.Q6K);
        using Stream other = GgufQuantizer.Open(new MemoryStream(s_source), GgufQuantization.Q6K);
        quantized.Position = other.Position = quantized.Length / 2;
        byte[] read = new byte[1000], expected = new byte[1000];
        other.ReadExactly(expected);

        await Should.ThrowAsync<OperationCanceledException>(async () => await quantized.ReadExactlyAsync(read, cancel.Token));

        await quantized.ReadExactlyAsync(read, Cancel);
        read.ShouldBe(expected, "what was begun is not taken for done");
    }

    [Theory]
    [InlineData("q4_K_M", "Q4_K_M")]
    [InlineData("Q4_k", "Q4_K_M")]
    [InlineData("q5_k", "Q5_K_M")]
    [InlineData("Q4_K_S", "Q4_K_S")]
    [InlineData("f16", "F16")]
    [InlineData("q3_K_M", null)]
    [InlineData("_M", null)]
    [InlineData("", null)]
    public void Find_AName_IsTheQuantizationOrNone(string name, string? found) => (GgufQuantization.Find(name)?.Name).ShouldBe(found);

    private static byte[] Source()
    {
        GgufBytes file = new GgufBytes().Text("general.architecture", "llama").UInt32("llama.block_count", 1).UInt32("general.file_type", 0)
            .Tensor("blk.0.attn_q.weight", 0, 0, Width, Rows)
            .Tensor("blk.0.attn_norm.weight", 0, Width * Rows * 4, Width)
            .Tensor("blk.0.ffn_down.weight", 0, (Width * Rows * 4) + (Width * 4), Width, 8);
        byte[] source = file.ToArray(data: ((Rows + 9) * Width) * 4);
        Random random = new(11);
        foreach (ref float weight in MemoryMarshal.Cast<byte, float>(source.AsSpan(source.Length - ((Rows + 9) * Width * 4))))
            weight = random.NextSingle() - 0.5f;
        return source;
    }

    /// <summary>Cancels when it has been read from, asynchronously.</summary>
    private sealed class CancellingStream(byte[] content, CancellationTokenSource cancel) : MemoryStream(content)
    {
        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int read = Read(buffer.Span);
            await cancel.CancelAsync();
            return read;
        }
    }
}
