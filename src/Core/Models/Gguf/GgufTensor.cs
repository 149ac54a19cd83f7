using System.Text;

namespace OllamaMax.Models.Gguf;

/// <summary>An entry of a GGUF's table of tensors; its numbers have been held against the file.</summary>
/// <param name="RawName">As it stands there.</param>
/// <param name="Dimensions">Elements of a row first.</param>
/// <param name="Type">ggml's number.</param>
/// <param name="Offset">From the begin of the weights.</param>
internal sealed record GgufTensor(byte[] RawName, ulong[] Dimensions, uint Type, long Offset)
{
    public string Name => Encoding.UTF8.GetString(RawName);

    /// <summary>Those that a tensor does not have are 1, as in ggml.</summary>
    public ulong Dimension(int index) => index < Dimensions.Length ? Dimensions[index] : 1;

    public long Elements => (long)Dimensions.Aggregate((UInt128)1, (product, dimension) => product * dimension);

    /// <summary>Null where the type's size is not known.</summary>
    public long? Bytes => GgmlType.Of(Type).BytesOf(Elements);
}
