using System.Buffers;
using System.Text;

namespace OllamaMax.Models.Gguf;

/// <summary>
/// The vocabulary's texts while a header is read: the ids of the tokens that are looked for stand behind it in most files, and a
/// stream is read only once.
/// </summary>
internal sealed class GgufTokens
{
    private const int MostBytes = 64 << 20;
    private const int MostTokens = 4 << 20;

    private readonly ArrayBufferWriter<byte> _bytes = new();
    private readonly List<int> _ends = [];

    public int Count => _ends.Count;

    public void Read(GgufInput input, long count)
    {
        if (count > MostTokens)
            throw new GgufFormatException($"a vocabulary of {count} tokens is larger than {MostTokens}");
        for (long i = 0; i < count; i++)
        {
            long size = input.ReadCount(1, "bytes of a token");
            if (size > MostBytes - _bytes.WrittenCount)
                throw new GgufFormatException($"the vocabulary's texts are longer than {MostBytes} bytes");
            input.ReadExactly(_bytes.GetSpan((int)size)[..(int)size]);
            _bytes.Advance((int)size);
            _ends.Add(_bytes.WrittenCount);
        }
    }

    /// <summary>Empty for an id outside the vocabulary, and for none.</summary>
    public string TextOf(long? id)
    {
        if (id is not { } index || index < 0 || index >= _ends.Count)
            return "";
        int start = index == 0 ? 0 : _ends[(int)index - 1];
        return Encoding.UTF8.GetString(_bytes.WrittenSpan[start.._ends[(int)index]]);
    }
}
