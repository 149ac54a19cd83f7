namespace OllamaMax.Models.Gguf.Quantization;

/// <summary>
/// Which type each tensor of a model becomes: llama.cpp's choice (src/llama-quant.cpp, MIT: <c>llama_tensor_get_type</c>), as far as it concerns the mixes of <see cref="GgufQuantization"/>.
/// Some matrices lose more than others, by experience: they get more bits, in some of the layers or in all.
/// </summary>
internal sealed class TensorTypes
{
    private readonly GgufQuantization _to;
    private readonly bool _isFalcon;

    /// <summary>A model of 70 billion weights: 80 layers whose heads share their values, so that those are a small part of it.</summary>
    private readonly bool _sharesValues;
    private readonly long _experts;
    private readonly int _layers;
    private readonly bool _embeddingIsOutput;
    private readonly int _valueMatrices;
    private int _valueMatrix;
    private int _downMatrix;

    private TensorTypes(GgufHeader header, string[] names, GgufQuantization to)
    {
        string architecture = header.GetString("general.architecture") ?? "";
        long heads = header.GetInteger($"{architecture}.attention.head_count") ?? 0;
        _to = to;
        _isFalcon = architecture == "falcon";
        _experts = header.GetInteger($"{architecture}.expert_count") ?? 0;
        _layers = (int)Math.Clamp(header.GetInteger($"{architecture}.block_count") ?? 0, 0, int.MaxValue / 8);
        _sharesValues = architecture switch
        {
            "llama" => _layers == 80 && _experts != 8 && heads != (header.GetInteger("llama.attention.head_count_kv") ?? heads),
            "qwen2" or "deci" or "olmo" => _layers == 80,
            "jais2" => _layers == 68,
            _ => false,
        };
        _embeddingIsOutput = !names.Any(name => TensorNames.RoleOf(name) == TensorRole.Output);
        _valueMatrices = names.Count(name => TensorNames.RoleOf(name) == TensorRole.AttentionValue);
    }

    /// <returns>ggml's numbers, in the order of the tensors.</returns>
    /// <exception cref="GgufFormatException">A model of experts has matrices whose layer cannot be told.</exception>
    public static IReadOnlyList<uint> Choose(GgufHeader header, IReadOnlyList<GgufTensor> tensors, GgufQuantization to)
    {
        string[] names = [.. tensors.Select(tensor => tensor.Name)];
        TensorTypes choice = new(header, names, to);
        uint[] types = new uint[tensors.Count];
        // Some are counted: in the order of layers, whatever that of the file is.
        foreach (int i in Enumerable.Range(0, names.Length).OrderBy(i => TensorNames.LayerOf(names[i])).ThenBy(i => names[i], StringComparer.Ordinal))
            types[i] = choice.TypeOf(tensors[i], names[i]);
        return types;
    }

    private uint TypeOf(GgufTensor tensor, string name)
    {
        bool isQuantized = tensor.Type is GgmlType.F32 or GgmlType.F16 or GgmlType.BF16 && tensor.Dimensions.Skip(1).Any(dimension => dimension > 1) && TensorNames.IsQuantized(name);
        if (!isQuantized)
            return tensor.Type;
        ulong width = tensor.Dimensions[0];
        return Fitting(_to.Type == GgmlType.F16 ? GgmlType.F16 : Wanted(name, width), width);
    }

    private uint Wanted(string name, ulong width)
    {
        switch (TensorNames.RoleOf(name))
        {
            case TensorRole.Output:
            case TensorRole.Embedding when _embeddingIsOutput:
                return _isFalcon || !IsFitting(_to.Type, width) || _to.Type == GgmlType.Q8 ? GgmlType.Q8 : GgmlType.Q6K;
            case TensorRole.AttentionValue:
                return TypeOfValues(_valueMatrix++);
            case TensorRole.AttentionKey when _experts == 8:
                return GgmlType.Q8;
            case TensorRole.AttentionOutput when _experts == 8 && !_isFalcon && _to.Type == GgmlType.Q4K:
                return GgmlType.Q5K;
            case TensorRole.FeedForwardDown:
                return TypeOfDown(_experts > 1 ? LayerOf(name) : _downMatrix++);
            default:
                return _to.Type;
        }
    }

    private uint TypeOfValues(int index)
    {
        if (_experts == 8)
            return GgmlType.Q8;
        uint type = _to switch
        {
            _ when IsMedium && GetsMoreBits(index, _valueMatrices) => GgmlType.Q6K,
            _ when _to == GgufQuantization.Q4KSmall && index < 4 => GgmlType.Q5K,
            _ => _to.Type,
        };
        return type == GgmlType.Q4K && _sharesValues ? GgmlType.Q5K : type;
    }

    private uint TypeOfDown(int layer)
    {
        if (_isFalcon)
        {
            bool isFirst = layer < _layers / 16;
            return _to switch
            {
                _ when _to == GgufQuantization.Q4KMedium && isFirst => GgmlType.Q6K,
                _ when _to == GgufQuantization.Q4KMedium && GetsMoreBits(layer, _layers) => GgmlType.Q5K,
                _ when _to == GgufQuantization.Q5KMedium && GetsMoreBits(layer, _layers) => GgmlType.Q6K,
                _ => _to.Type,
            };
        }
        return _to switch
        {
            _ when IsMedium && GetsMoreBits(layer, _layers) => GgmlType.Q6K,
            _ when _to == GgufQuantization.Q4KSmall && layer < _layers / 8 => GgmlType.Q5K,
            _ => _to.Type,
        };
    }

    private bool IsMedium => _to == GgufQuantization.Q4KMedium || _to == GgufQuantization.Q5KMedium;

    private int LayerOf(string name) => TensorNames.LayerOf(name) is >= 0 and var layer && layer < _layers
        ? layer
        : throw new GgufFormatException($"tensor '{name}' does not say which of the {_layers} layers it belongs to");

    /// <summary>The first layers, the last, and every third between them.</summary>
    private static bool GetsMoreBits(int index, int count) => index < count / 8 || index >= 7 * count / 8 || (index - (count / 8)) % 3 == 2;

    private static bool IsFitting(uint type, ulong width) => width % (ulong)GgmlType.Of(type).BlockElements == 0;

    /// <summary>Rows that are not whole blocks of a type become another one's, of smaller blocks.</summary>
    private static uint Fitting(uint type, ulong width)
    {
        if (IsFitting(type, width))
            return type;
        uint smaller = type switch { GgmlType.Q4K => GgmlType.Q5, GgmlType.Q5K => GgmlType.Q5WithMinimum, GgmlType.Q6K => GgmlType.Q8, _ => type };
        return IsFitting(smaller, width) ? smaller : GgmlType.F16;
    }
}
