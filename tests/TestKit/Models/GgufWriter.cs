using System.Text;

namespace OllamaMax.TestKit.Models;

/// <summary>The parts of a GGUF file, in their order.</summary>
internal sealed class GgufWriter(Stream stream) : IDisposable
{
    private const uint Version = 3;

    private readonly BinaryWriter _writer = new(stream, Encoding.UTF8, leaveOpen: true);

    public void WriteStart(int tensors, IReadOnlyList<KeyValuePair<string, object>> metadata)
    {
        _writer.Write("GGUF"u8);
        _writer.Write(Version);
        _writer.Write((ulong)tensors);
        _writer.Write((ulong)metadata.Count);
        foreach ((string key, object value) in metadata)
        {
            WriteText(key);
            WriteValue(value);
        }
    }

    public void WriteTensor(TensorPlan tensor, ulong offset)
    {
        WriteText(tensor.Name);
        ulong[] dimensions = [.. tensor.Dimensions];
        _writer.Write((uint)dimensions.Length);
        foreach (ulong dimension in dimensions)
            _writer.Write(dimension);
        _writer.Write(RowEncoder.TypeNumber(tensor.Weights));
        _writer.Write(offset);
    }

    public void Write(ReadOnlySpan<byte> data) => _writer.Write(data);

    public void Pad(int alignment)
    {
        _writer.Flush();
        int rest = (int)(stream.Position % alignment);
        if (rest > 0)
            _writer.Write(new byte[alignment - rest]);
    }

    public void Dispose() => _writer.Dispose();

    // Numbers of gguf_type.
    private void WriteValue(object value)
    {
        switch (value)
        {
            case ushort number:
                _writer.Write(2u);
                _writer.Write(number);
                break;
            case int number:
                _writer.Write(5u);
                _writer.Write(number);
                break;
            case uint number:
                _writer.Write(4u);
                _writer.Write(number);
                break;
            case float number:
                _writer.Write(6u);
                _writer.Write(number);
                break;
            case bool flag:
                _writer.Write(7u);
                _writer.Write(flag);
                break;
            case string text:
                _writer.Write(8u);
                WriteText(text);
                break;
            case string[] texts:
                WriteArray(8u, texts, WriteText);
                break;
            case int[] numbers:
                WriteArray(5u, numbers, _writer.Write);
                break;
            case float[] numbers:
                WriteArray(6u, numbers, _writer.Write);
                break;
            default:
                throw new ArgumentException($"GGUF metadata of {value.GetType()} is not written here.", nameof(value));
        }
    }

    private void WriteArray<T>(uint type, T[] items, Action<T> write)
    {
        _writer.Write(9u);
        _writer.Write(type);
        _writer.Write((ulong)items.Length);
        foreach (T item in items)
            write(item);
    }

    private void WriteText(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        _writer.Write((ulong)utf8.Length);
        _writer.Write(utf8);
    }
}
