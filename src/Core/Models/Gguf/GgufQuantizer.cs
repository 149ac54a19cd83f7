namespace OllamaMax.Models.Gguf;

/// <summary>
/// A GGUF of whole numbers of 16 or 32 bits as one of 8 (<c>Q8_0</c>), computed where it is read and written nowhere: an edge has no library of models, and this is arithmetic of a
/// few lines. The choice of tensors is llama.cpp's (<c>src/llama-quant.cpp</c>), and so are the bytes; only a matrix whose rows are no multiple of 32 stays as it is, where that makes it F16.
/// </summary>
public static class GgufQuantizer
{
    private const uint F32 = 0;
    private const uint F16 = 1;
    private const uint Q8 = 8;
    private const uint BF16 = 30;
    private const uint FileTypeQ8 = 7;
    private const uint QuantizationVersion = 2;
    private const string FileTypeKey = "general.file_type";
    private const string VersionKey = "general.quantization_version";

    /// <summary>Parts of names of matrices that lose too much, or that llama.cpp wants as they are.</summary>
    private static readonly string[] Kept =
    [
        "_norm.weight", "ffn_gate_inp.weight", "position_embd", "token_types", "ssm_conv1d", "shortconv.conv", "time_mix_", "attn_rel_b", "altup", "laurel", "per_layer_model_proj",
    ];

    /// <summary>Ollama's name of what is made.</summary>
    public const string Quantization = "Q8_0";

    /// <param name="source">The GGUF; can be sought in. It is disposed of with what is answered.</param>
    /// <returns>Can be sought in; its length is known. Not safe for concurrent use.</returns>
    /// <exception cref="GgufFormatException">It is no GGUF, or one that is quantized already. The source is left open then.</exception>
    public static Stream Open(Stream source)
    {
        GgufLayout from = new(source);
        if (from.Header.TensorType is not ("F32" or "F16" or "BF16"))
            throw new GgufFormatException($"quantization is only supported for F16, BF16 and F32 models, and this one is {from.Header.TensorType}");
        List<GgufTensor> tensors = [];
        List<(Stream? From, long Start, long Length)> data = [];
        long offset = 0;
        foreach (GgufTensor tensor in from.Tensors)
        {
            bool isQuantized = IsQuantized(tensor);
            GgufTensor to = tensor with { Type = isQuantized ? Q8 : tensor.Type, Offset = offset };
            long bytes = to.Bytes ?? throw new GgufFormatException($"tensor '{tensor.Name}' is of a type that is not known here");
            long start = from.DataStart + tensor.Offset;
            tensors.Add(to);
            data.Add(isQuantized ? (new Q8Stream(source, start, tensor.Elements, WidthOf(tensor.Type)), 0, bytes) : (source, start, bytes));
            data.Add((null, 0, from.Padded(bytes) - bytes));
            offset += from.Padded(bytes);
        }
        ReadOnlyMemory<byte>[] pairs =
        [
            .. from.PairsBut(key => key is FileTypeKey or VersionKey), GgufHeaderWriter.Pair(FileTypeKey, FileTypeQ8), GgufHeaderWriter.Pair(VersionKey, QuantizationVersion),
        ];
        byte[] header = GgufHeaderWriter.Write(from.Header.Version, pairs, tensors);
        return new PiecedStream([(new MemoryStream(header, writable: false), 0, header.Length), (null, 0, from.Padded(header.Length) - header.Length), .. data]);
    }

    private static bool IsQuantized(GgufTensor tensor) => tensor.Type is F32 or F16 or BF16
        && tensor.Dimensions.Count(dimension => dimension > 1) >= 2
        && tensor.Dimensions[0] % Q8Stream.BlockElements == 0
        && tensor.Name is var name && name.EndsWith("weight", StringComparison.Ordinal) && !Kept.Any(part => name.Contains(part, StringComparison.Ordinal));

    private static FloatWidth WidthOf(uint type) => type switch { F32 => FloatWidth.F32, F16 => FloatWidth.F16, _ => FloatWidth.BF16 };
}
