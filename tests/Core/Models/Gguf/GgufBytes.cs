using System.Text;

namespace OllamaMax.Core.Tests.Models.Gguf;

/// <summary>Writes GGUF headers by hand, also wrong ones: nothing here checks anything.</summary>
internal sealed class GgufBytes
{
    private readonly List<byte> _pairs = [];
    private readonly List<byte> _tensors = [];
    private ulong _pairCount;
    private ulong _tensorCount;

    public uint Version { get; init; } = 3;

    public ulong? ClaimedPairs { get; init; }

    public ulong? ClaimedTensors { get; init; }

    public GgufBytes Pair(string key, uint type, params byte[] value)
    {
        _pairCount++;
        _pairs.AddRange(TextBytes(key));
        _pairs.AddRange(BitConverter.GetBytes(type));
        _pairs.AddRange(value);
        return this;
    }

    public GgufBytes Text(string key, string value) => Pair(key, 8, TextBytes(value));

    public GgufBytes UInt32(string key, uint value) => Pair(key, 4, BitConverter.GetBytes(value));

    public GgufBytes Texts(string key, IEnumerable<string> values)
    {
        string[] all = [.. values];
        return Pair(key, 9, [.. BitConverter.GetBytes(8u), .. BitConverter.GetBytes((ulong)all.Length), .. all.SelectMany(TextBytes)]);
    }

    public GgufBytes Int32s(string key, params int[] values) =>
        Pair(key, 9, [.. BitConverter.GetBytes(5u), .. BitConverter.GetBytes((ulong)values.Length), .. values.SelectMany(BitConverter.GetBytes)]);

    public GgufBytes Tensor(string name, uint type, ulong offset, params ulong[] dimensions)
    {
        _tensorCount++;
        _tensors.AddRange(TextBytes(name));
        _tensors.AddRange(BitConverter.GetBytes((uint)dimensions.Length));
        foreach (ulong dimension in dimensions)
            _tensors.AddRange(BitConverter.GetBytes(dimension));
        _tensors.AddRange(BitConverter.GetBytes(type));
        _tensors.AddRange(BitConverter.GetBytes(offset));
        return this;
    }

    /// <param name="data">Bytes of weights behind the aligned header.</param>
    public byte[] ToArray(int data = 0)
    {
        List<byte> file = [.. "GGUF"u8, .. BitConverter.GetBytes(Version)];
        file.AddRange(BitConverter.GetBytes(ClaimedTensors ?? _tensorCount));
        file.AddRange(BitConverter.GetBytes(ClaimedPairs ?? _pairCount));
        file.AddRange(_pairs);
        file.AddRange(_tensors);
        if (data > 0)
            file.AddRange(new byte[((file.Count + 31) / 32 * 32) - file.Count + data]);
        return [.. file];
    }

    public static byte[] TextBytes(string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        return [.. BitConverter.GetBytes((ulong)bytes.Length), .. bytes];
    }
}
