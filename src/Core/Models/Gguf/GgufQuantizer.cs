using OllamaMax.Models.Gguf.Quantization;

namespace OllamaMax.Models.Gguf;

/// <summary>
/// A GGUF of numbers of 16 or 32 bits as one of fewer, computed where it is read and written nowhere: an edge has no library of models. The choice of tensors and types is llama.cpp's, and
/// so are the bytes (as its library for x64 makes them; a compiler that joins products and sums into one operation rounds otherwise).
/// </summary>
public static class GgufQuantizer
{
    private const uint QuantizationVersion = 2;
    private const string FileTypeKey = "general.file_type";
    private const string VersionKey = "general.quantization_version";

    /// <param name="source">The GGUF; can be sought in. It is disposed of with what is answered.</param>
    /// <param name="quantization">What it is to be.</param>
    /// <returns>
    /// Can be sought in; its length is known; in constant memory. Not safe for concurrent use. Reading throws a <see cref="GgufFormatException"/> where a weight is no finite number.
    /// </returns>
    /// <exception cref="GgufFormatException">It is no GGUF, or one that is quantized already. The source is left open then.</exception>
    public static Stream Open(Stream source, GgufQuantization quantization)
    {
        GgufLayout from = new(source);
        if (from.Header.TensorType is not ("F32" or "F16" or "BF16"))
            throw new GgufFormatException($"quantization is only supported for F16, BF16 and F32 models, and this one is {from.Header.TensorType}");
        IReadOnlyList<uint> types = TensorTypes.Choose(from.Header, from.Tensors, quantization);
        QuantizedRows rows = new(source);
        IEnumerable<(GgufTensor, Stream, long)> tensors = from.Tensors.Zip(types, (tensor, type) =>
        {
            long start = from.DataStart + tensor.Offset;
            return type == tensor.Type ? (tensor, source, start) : (tensor with { Type = type }, (Stream)new QuantizedStream(rows, tensor, start, type), 0);
        });
        ReadOnlyMemory<byte>[] pairs =
        [
            .. from.PairsBut(key => key is FileTypeKey or VersionKey),
            GgufHeaderWriter.Pair(FileTypeKey, quantization.FileType), GgufHeaderWriter.Pair(VersionKey, QuantizationVersion),
        ];
        return GgufAssembly.Open(from, pairs, tensors);
    }
}
