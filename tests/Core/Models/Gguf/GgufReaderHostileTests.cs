using System.Text;
using OllamaMax.Models.Gguf;

namespace OllamaMax.Core.Tests.Models.Gguf;

/// <summary>
/// Files that are broken, or made to break the reader: each gives a <see cref="GgufFormatException"/>, none takes memory.
/// </summary>
public sealed class GgufReaderHostileTests
{
    [Fact]
    public void Read_NoGguf_SaysSo() => Refused("PK\x3\x4 some archive"u8.ToArray()).ShouldContain("no GGUF");

    [Fact]
    public void Read_EmptyFile_SaysSo() => Refused([]).ShouldContain("no GGUF");

    [Theory]
    [InlineData(0u, "damaged")]
    [InlineData(1u, "too old")]
    [InlineData(4u, "newer")]
    [InlineData(0x03000000u, "big-endian")]
    public void Read_OtherVersion_SaysWhich(uint version, string why) => Refused(new GgufBytes { Version = version }.ToArray()).ShouldContain(why);

    [Fact]
    public void Read_CutAnywhereInTheHeader_IsRefused()
    {
        byte[] whole = SmallModel().ToArray();
        for (int length = 0; length < whole.Length; length++)
            Refused(whole[..length]).ShouldNotBeEmpty();
    }

    [Fact]
    public void Read_CutInTheWeights_SaysSo()
    {
        byte[] whole = new GgufBytes().Tensor("a", 0, 0, 64).ToArray(data: 256);

        Refused(whole[..^1]).ShouldContain("cut off");
    }

    [Theory]
    [InlineData(1UL << 40)]
    [InlineData(ulong.MaxValue)]
    public void Read_ClaimsTerabytes_IsRefusedWithoutReservingThem(ulong claim)
    {
        byte[] count = BitConverter.GetBytes(claim);
        byte[][] files =
        [
            new GgufBytes { ClaimedPairs = claim }.ToArray(),
            new GgufBytes { ClaimedTensors = claim }.ToArray(),
            new GgufBytes().Pair("text", 8, count).ToArray(),
            new GgufBytes().Pair("array", 9, [.. BitConverter.GetBytes(4u), .. count]).ToArray(),
            new GgufBytes().Pair("tokenizer.ggml.tokens", 9, [.. BitConverter.GetBytes(8u), .. count]).ToArray(),
            new GgufBytes().Pair("tokenizer.ggml.tokens", 9, [.. BitConverter.GetBytes(8u), .. BitConverter.GetBytes(1UL), .. count]).ToArray(),
            new GgufBytes().Tensor("t", 0, 0, claim, claim, claim, claim).ToArray(),
            new GgufBytes().Tensor("t", 0, claim, 1).ToArray(),
        ];
        long before = GC.GetAllocatedBytesForCurrentThread();

        foreach (byte[] file in files)
            Refused(file).ShouldNotBeEmpty();

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(4 << 20);
    }

    [Fact]
    public void Read_ElementsThatOverflowWhenSummed_IsRefused() =>
        Refused(new GgufBytes().Tensor("a", 4711, 0, long.MaxValue).Tensor("b", 4711, 0, 1).ToArray(data: 8)).ShouldContain("counted");

    [Fact]
    public void Read_KeyTwice_IsRefused() => Refused(new GgufBytes().UInt32("a", 1).UInt32("a", 2).ToArray()).ShouldContain("twice");

    [Fact]
    public void Read_UnknownValueType_IsRefused() => Refused(new GgufBytes().Pair("a", 13, 0).ToArray()).ShouldContain("unknown type 13");

    [Fact]
    public void Read_TooManyDimensions_IsRefused() =>
        Refused(new GgufBytes().Tensor("t", 0, 0, 1, 1, 1, 1, 1).ToArray()).ShouldContain("dimensions");

    [Theory]
    [InlineData(0u)]
    [InlineData(33u)]
    [InlineData(1u << 30)]
    public void Read_ImpossibleAlignment_IsRefused(uint alignment) =>
        Refused(new GgufBytes().UInt32("general.alignment", alignment).ToArray()).ShouldContain("alignment");

    [Fact]
    public void Read_ArraysInArraysWithoutEnd_IsRefused()
    {
        byte[] nested = [.. Enumerable.Repeat<byte[]>([9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], 1000).SelectMany(b => b)];

        Refused(new GgufBytes().Pair("a", 9, nested).ToArray()).ShouldContain("nested");
    }

    [Fact]
    public void Read_EndlessStreamOfUnknownLength_StopsAtTheLargestHeader()
    {
        byte[] start = new GgufBytes().Pair("a", 9, [.. BitConverter.GetBytes(0u), .. BitConverter.GetBytes(1UL << 60)]).ToArray();
        using EndlessStream stream = new(start);

        Should.Throw<GgufFormatException>(() => GgufReader.Read(stream)).Message.ShouldContain("more than any header holds");
    }

    /// <summary>
    /// Whatever bytes stand there, the reader either reads them or refuses them, in memory that the file's size bounds.
    /// </summary>
    [Fact]
    public void Read_RandomDamage_ReadsOrRefuses()
    {
        byte[] whole = SmallModel().ToArray(data: 256);
        Random random = new(20240607);
        long before = GC.GetAllocatedBytesForCurrentThread();
        int refused = 0;
        const int Rounds = 20_000;
        for (int round = 0; round < Rounds; round++)
        {
            byte[] damaged = whole.ToArray();
            for (int i = random.Next(1, 6); i > 0; i--)
                damaged[random.Next(damaged.Length)] = (byte)(random.Next(3) == 0 ? 0xff : random.Next(256));
            try
            {
                using MemoryStream stream = new(damaged, 0, random.Next(4) == 0 ? random.Next(damaged.Length) : damaged.Length);
                GgufReader.Read(stream);
            }
            catch (GgufFormatException)
            {
                refused++;
            }
        }
        refused.ShouldBeInRange(1, Rounds);
        ((GC.GetAllocatedBytesForCurrentThread() - before) / Rounds).ShouldBeLessThan(400 << 10);
    }

    private static GgufBytes SmallModel() => new GgufBytes()
        .Text("general.architecture", "llama")
        .UInt32("llama.context_length", 64)
        .Texts("tokenizer.ggml.tokens", ["a", "b", "c"])
        .UInt32("tokenizer.ggml.eos_token_id", 2)
        .Int32s("some", 1, 2, 3)
        .Pair("nested", 9, [.. BitConverter.GetBytes(9u), .. BitConverter.GetBytes(1UL), .. BitConverter.GetBytes(0u), .. BitConverter.GetBytes(2UL), 1, 2])
        .Tensor("a", 0, 0, 16, 2)
        .Tensor("b", 8, 128, 32);

    private static string Refused(byte[] file)
    {
        using MemoryStream stream = new(file);
        return Should.Throw<GgufFormatException>(() => GgufReader.Read(stream), Encoding.Latin1.GetString(file)).Message;
    }

    private sealed class EndlessStream(byte[] start) : Stream
    {
        private int _position;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            for (int i = 0; i < count; i++, _position++)
                buffer[offset + i] = _position < start.Length ? start[_position] : (byte)0;
            return count;
        }

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
