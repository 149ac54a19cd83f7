namespace OllamaMax.TestKit.Models;

/// <summary>
/// Writes GGUF files (version 3, https://github.com/ggml-org/ggml/blob/master/docs/gguf.md) with random weights.
/// Row by row: a model of any size takes no memory to speak of.
/// </summary>
public static class GgufGenerator
{
    private const int Alignment = 32;

    public static void Write(string path, GgufSpec spec)
    {
        Check(spec);
        GgufVocabulary vocabulary = GgufVocabulary.Make(spec);
        Write(path, TensorPlan.Of(spec, vocabulary), Metadata(spec, vocabulary));
    }

    /// <summary>The same model in parts, as llama-gguf-split writes them: the first has the metadata too, with or without tensors.</summary>
    /// <param name="folder">Where they go.</param>
    /// <param name="stem">What their names begin with.</param>
    /// <param name="spec">Of the model.</param>
    /// <param name="count">How many parts.</param>
    /// <param name="tensorsInFirst">False: the first has none.</param>
    /// <returns>Their paths, in order.</returns>
    public static IReadOnlyList<string> WriteSplit(string folder, string stem, GgufSpec spec, int count, bool tensorsInFirst = true)
    {
        Check(spec);
        GgufVocabulary vocabulary = GgufVocabulary.Make(spec);
        IReadOnlyList<TensorPlan> tensors = TensorPlan.Of(spec, vocabulary);
        int most = (tensors.Count + count - (tensorsInFirst ? 1 : 2)) / (count - (tensorsInFirst ? 0 : 1));
        List<string> paths = [];
        int taken = 0;
        for (int part = 0; part < count; part++)
        {
            TensorPlan[] own = [.. tensors.Skip(taken).Take(part == 0 && !tensorsInFirst ? 0 : most)];
            taken += own.Length;
            List<KeyValuePair<string, object>> metadata = part == 0 ? Metadata(spec, vocabulary) : [];
            metadata.AddRange([new("split.no", (ushort)part), new("split.count", (ushort)count), new("split.tensors.count", tensors.Count)]);
            paths.Add(Path.Combine(folder, $"{stem}-{part + 1:d5}-of-{count:d5}.gguf"));
            Write(paths[^1], own, metadata);
        }
        return paths;
    }

    /// <summary>The same model as Ollama's own engine has it (<see cref="OllamaForm"/>).</summary>
    public static void WriteOllamas(string path, GgufSpec spec)
    {
        Check(spec);
        GgufVocabulary vocabulary = GgufVocabulary.Make(spec);
        var (tensors, metadata) = OllamaForm.Of(spec, TensorPlan.Of(spec, vocabulary), Metadata(spec, vocabulary));
        Write(path, tensors, metadata);
    }

    /// <summary>A LoRA adapter for the model, as convert_lora_to_gguf.py writes them: it changes every layer's queries and gates.</summary>
    /// <param name="path">Where it goes.</param>
    /// <param name="spec">Of the model.</param>
    /// <param name="rank">At least 2.</param>
    /// <param name="alpha">Of its effect the numerator; the rank is the other.</param>
    public static void WriteAdapter(string path, GgufSpec spec, int rank = 4, float alpha = 2)
    {
        IEnumerable<TensorPlan> tensors = Enumerable.Range(0, spec.Layers).SelectMany(layer => new[]
        {
            TensorPlan.Matrix(spec, $"blk.{layer}.attn_q.weight.lora_a", spec.Width, rank),
            TensorPlan.Matrix(spec, $"blk.{layer}.attn_q.weight.lora_b", rank, spec.Width),
            TensorPlan.Matrix(spec, $"blk.{layer}.ffn_gate.weight.lora_a", spec.Width, rank),
            TensorPlan.Matrix(spec, $"blk.{layer}.ffn_gate.weight.lora_b", rank, spec.FeedForward),
        });
        Write(path, [.. tensors], [
            new("general.type", "adapter"), new("general.architecture", NameOf(spec.Architecture)), new("general.name", spec.Name),
            new("adapter.type", "lora"), new("adapter.lora.alpha", alpha),
        ]);
    }

    private static void Write(string path, IReadOnlyList<TensorPlan> tensors, IReadOnlyList<KeyValuePair<string, object>> metadata)
    {
        using FileStream stream = new(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 1 << 20);
        using GgufWriter writer = new(stream);
        writer.WriteStart(tensors.Count, metadata);
        ulong offset = 0;
        foreach (TensorPlan tensor in tensors)
        {
            writer.WriteTensor(tensor, offset);
            offset += Padded(tensor.Bytes);
        }
        writer.Pad(Alignment);
        foreach (TensorPlan tensor in tensors)
        {
            WriteData(writer, tensor);
            writer.Pad(Alignment);
        }
    }

    private static void WriteData(GgufWriter writer, TensorPlan tensor)
    {
        RandomRow random = new(tensor.Seed);
        float[] row = new float[tensor.RowLength];
        byte[] bytes = new byte[RowEncoder.Bytes(tensor.Weights, tensor.RowLength)];
        for (int i = 0; i < tensor.Rows; i++)
        {
            tensor.Fill(random, i, row);
            RowEncoder.Encode(tensor.Weights, row, bytes);
            writer.Write(bytes);
        }
    }

    private static List<KeyValuePair<string, object>> Metadata(GgufSpec spec, GgufVocabulary vocabulary)
    {
        string architecture = NameOf(spec.Architecture);
        List<KeyValuePair<string, object>> metadata =
        [
            new("general.architecture", architecture),
            new("general.name", spec.Name),
            new("general.file_type", spec.Weights switch { GgufWeights.F32 => 0u, GgufWeights.Q4_0 => 2u, _ => 7u }),
            new($"{architecture}.context_length", (uint)spec.Context),
            new($"{architecture}.embedding_length", (uint)spec.Width),
            new($"{architecture}.block_count", (uint)spec.Layers),
            new($"{architecture}.feed_forward_length", (uint)spec.FeedForward),
            new($"{architecture}.attention.head_count", (uint)(spec.Architecture == GgufArchitecture.Mamba ? 0 : spec.Heads)),
            new($"{architecture}.attention.head_count_kv", KeyValueHeads(spec)),
            new($"{architecture}.attention.layer_norm_{(spec.Architecture == GgufArchitecture.Bert ? "" : "rms_")}epsilon", spec.Architecture == GgufArchitecture.Gemma3 ? 1e-6f : 1e-5f),
            new($"{architecture}.rope.freq_base", 10000f),
            new($"{architecture}.vocab_size", (uint)spec.VocabularySize),
            .. vocabulary.Metadata(),
        ];
        if (spec.Architecture == GgufArchitecture.Bert)
            metadata.Add(new($"{architecture}.attention.causal", false));
        if (spec.Architecture == GgufArchitecture.Gemma3)
        {
            metadata.Add(new($"{architecture}.attention.sliding_window", (uint)spec.SlidingWindow));
            metadata.Add(new($"{architecture}.attention.sliding_window_pattern", 2u));
        }
        if (spec.Architecture == GgufArchitecture.GptOss)
            metadata.AddRange(GptOssTensors.Metadata(spec));
        if (spec.Architecture == GgufArchitecture.Mamba)
            metadata.AddRange(MambaTensors.Metadata(spec));
        if (spec.Architecture == GgufArchitecture.Lfm2)
            metadata.Add(new("lfm2.shortconv.l_cache", (uint)Lfm2Tensors.Convolution));
        if (spec.Pooling is { } pooling)
            metadata.Add(new($"{architecture}.pooling_type", (uint)pooling));
        if (spec.ChatTemplate is { } template)
            metadata.Add(new("tokenizer.chat_template", template));
        return metadata;
    }

    private static object KeyValueHeads(GgufSpec spec) => spec.Architecture switch
    {
        GgufArchitecture.Mamba => 0u,
        GgufArchitecture.Lfm2 => Enumerable.Range(0, spec.Layers).Select(layer => Lfm2Tensors.HasAttention(layer) ? spec.KeyValueHeads : 0).ToArray(),
        _ => (uint)spec.KeyValueHeads,
    };

    private static string NameOf(GgufArchitecture architecture) => architecture switch
    {
        GgufArchitecture.Llama => "llama",
        GgufArchitecture.Bert => "bert",
        GgufArchitecture.Gemma3 => "gemma3",
        GgufArchitecture.Mamba => "mamba",
        GgufArchitecture.Lfm2 => "lfm2",
        GgufArchitecture.GptOss => "gpt-oss",
        _ => "qwen2",
    };

    private static void Check(GgufSpec spec)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(spec.VocabularySize, 320);
        if (spec.Width % 32 != 0 || spec.FeedForward % 32 != 0 || spec.Width % spec.Heads != 0 || spec.Heads % spec.KeyValueHeads != 0)
            throw new ArgumentException("Width and feed-forward are multiples of 32, width of heads, and heads of key-value heads.", nameof(spec));
    }

    private static ulong Padded(ulong bytes) => (bytes + Alignment - 1) / Alignment * Alignment;
}
