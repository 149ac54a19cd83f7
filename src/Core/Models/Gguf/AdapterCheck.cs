namespace OllamaMax.Models.Gguf;

/// <summary>Holds an adapter against the model that it is for, as llama.cpp does when it loads both (src/llama-adapter.cpp): who makes the model hears of it, not who uses it.</summary>
internal static class AdapterCheck
{
    private const string Down = ".lora_a";
    private const string Up = ".lora_b";

    /// <exception cref="GgufFormatException">They do not fit; the message says why.</exception>
    public static void Check(GgufLayout model, GgufLayout adapter)
    {
        if (model.Tensors.FirstOrDefault(tensor => tensor.Bytes is null) is { } unknown)
            throw new GgufFormatException($"the model's tensor '{unknown.Name}' is of a type that is not known here");
        GgufHeader header = adapter.Header;
        string? kind = header.GetString("adapter.type");
        if (header.GetString("general.type") != "adapter" || kind != "lora")
            throw new GgufFormatException($"the adapter's GGUF is {(kind is null ? "none of an adapter" : $"of an adapter of the kind '{kind}'")}: a LoRA is wanted");
        if (adapter.Header.Metadata.Keys.Any(key => key.StartsWith("adapter.alora.", StringComparison.Ordinal)))
            throw new GgufFormatException("the adapter is to be switched on by words of the prompt (aLoRA), which this server does not do");
        (string? of, string? own) = (header.GetString("general.architecture"), model.Header.GetString("general.architecture"));
        if (of != own)
            throw new GgufFormatException($"the adapter is for a model of architecture '{of}', and this one is of '{own}'");
        CheckTensors(ByName(model), ByName(adapter));
    }

    private static Dictionary<string, GgufTensor> ByName(GgufLayout file)
    {
        Dictionary<string, GgufTensor> tensors = [];
        foreach (GgufTensor tensor in file.Tensors)
        {
            if (!tensors.TryAdd(tensor.Name, tensor))
                throw new GgufFormatException($"tensor '{tensor.Name}' is there twice");
        }
        return tensors;
    }

    private static void CheckTensors(Dictionary<string, GgufTensor> model, Dictionary<string, GgufTensor> adapter)
    {
        foreach ((string name, GgufTensor tensor) in adapter)
        {
            string of = name.EndsWith(Down, StringComparison.Ordinal) || name.EndsWith(Up, StringComparison.Ordinal) ? name[..^Down.Length] : name;
            // Not applied by llama.cpp, and not missed.
            if (of == name && name.EndsWith("_norm.weight", StringComparison.Ordinal))
                continue;
            if (of == name || tensor.Bytes is null)
                throw new GgufFormatException($"the adapter's tensor '{name}' is none of a LoRA");
            if (!adapter.TryGetValue(of + Down, out GgufTensor? down) || !adapter.TryGetValue(of + Up, out GgufTensor? up))
                throw new GgufFormatException($"the adapter has one of a pair of tensors for '{of}' only");
            if (!model.TryGetValue(of, out GgufTensor? changed))
                throw new GgufFormatException($"the adapter changes '{of}', which the model does not have: it is another model's");
            if (!IsFitting(changed, down, up))
                throw new GgufFormatException($"the adapter's tensors for '{of}' have other dimensions than the model's: it is another model's");
        }
    }

    /// <summary>Embeddings are looked up, not multiplied: theirs stand the other way round.</summary>
    private static bool IsFitting(GgufTensor changed, GgufTensor down, GgufTensor up) => changed.Name.EndsWith("token_embd.weight", StringComparison.Ordinal)
        ? Size(changed, 0) == Size(up, 1) && Size(changed, 1) == Size(down, 1)
        : Size(changed, 0) == Size(down, 0) && Size(changed, 1) == Size(up, 1) && Size(down, 1) == Size(up, 0);

    private static ulong Size(GgufTensor tensor, int dimension) => dimension < tensor.Dimensions.Length ? tensor.Dimensions[dimension] : 1;
}
