namespace OllamaMax.Models.Gguf.Ollama;

/// <summary>What a table cannot say of <see cref="OllamaFamilies"/>: each is given the file and llama.cpp's name of its architecture.</summary>
internal static class OllamaSteps
{
    public const string CharacterMap = "tokenizer.ggml.precompiled_charsmap";

    private const string Tokens = "tokenizer.ggml.tokens";
    private const string TokenTypes = "tokenizer.ggml.token_type";

    private const string Embedding = "token_embd.weight";

    // Numbers of llama.cpp's llama_token_type.
    private const int NormalToken = 1;
    private const int ByteToken = 6;

    /// <summary>What follows the pooling, as the layers' own dimensions say.</summary>
    public static void SizeDenseLayers(GgufDraft file, string architecture)
    {
        foreach (int layer in (ReadOnlySpan<int>)[2, 3])
        {
            if (file.Tensor($"dense_{layer}.weight") is not { } dense)
                continue;
            file.Set($"{architecture}.dense_{layer}_feat_in", (uint)dense.Dimension(0));
            file.Set($"{architecture}.dense_{layer}_feat_out", (uint)dense.Dimension(1));
        }
    }

    public static void FinishGemma3(GgufDraft file, string architecture)
    {
        // All but the smallest were stretched from 16k tokens, and some files do not say so.
        if (file.Integers($"{architecture}.context_length") is [>= 131072])
        {
            file.SetMissing($"{architecture}.rope.scaling.type", "linear");
            file.SetMissing($"{architecture}.rope.scaling.factor", 8f);
        }
        // Tokens that stand for images have no row.
        if (file.Tensor(Embedding) is { } embedding)
            CutVocabulary(file, (int)embedding.Dimension(1));
    }

    /// <summary>The vocabulary has more tokens, for images and sounds, than the rows of each layer.</summary>
    public static void CutGemma3n(GgufDraft file, string architecture)
    {
        ulong rows = file.Tensor("per_layer_token_embd.weight")!.Dimension(1);
        file.CutTensor(Embedding, rows);
        CutVocabulary(file, (int)rows);
        int[] types = [.. file.Integers(TokenTypes).Select(type => (int)type)];
        foreach ((int id, string token) in file.Texts(Tokens).Index().Take(types.Length))
        {
            if (token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) && token[^1] == '>')
                types[id] = ByteToken;
            else if (token.StartsWith("<unused", StringComparison.Ordinal))
                types[id] = NormalToken;
        }
        if (types.Length > 0)
            file.Set(TokenTypes, types);
    }

    /// <summary>Three parts of a position become four.</summary>
    public static void PadSections(GgufDraft file, string architecture)
    {
        string key = $"{architecture}.rope.dimension_sections";
        if (file.Integers(key) is [var time, var height, var width])
            file.Set(key, (int[])[(int)time, (int)height, (int)width, 0]);
    }

    /// <summary>One number for all layers that have heads.</summary>
    public static void JoinHeads(GgufDraft file, string architecture)
    {
        string key = $"{architecture}.attention.head_count_kv";
        if (file.Integers(key) is { Length: > 1 } heads && heads.Max() is > 0 and var most)
            file.Set(key, (uint)most);
    }

    /// <summary>llama.cpp has all heads' keys in one, and says beside it how long each is.</summary>
    public static void AbsorbHeads(GgufDraft file, string architecture)
    {
        if (file.Integers($"{architecture}.attention.key_length") is [var head])
        {
            file.Set($"{architecture}.attention.key_length_mla", (uint)head);
            file.Set($"{architecture}.attention.value_length_mla", (uint)head);
        }
        if (file.Integers($"{architecture}.attention.kv_lora_rank") is [var rank] && file.Integers($"{architecture}.rope.dimension_count") is [var rotated])
        {
            file.Set($"{architecture}.attention.key_length", (uint)(rank + rotated));
            file.Set($"{architecture}.attention.value_length", (uint)rank);
        }
        if (file.Integers("tokenizer.ggml.eos_token_ids") is [_, var turn, .. var others])
        {
            file.SetMissing("tokenizer.ggml.eot_token_id", (uint)turn);
            if (others is [var message, ..])
                file.SetMissing("tokenizer.ggml.eom_token_id", (uint)message);
        }
    }

    /// <summary>Base64, a letter in each entry, where llama.cpp takes bytes, and ends the process over anything else.</summary>
    public static void DecodeCharacterMap(GgufDraft file, string architecture)
    {
        try
        {
            string letters = string.Concat(file.Texts(CharacterMap)).TrimEnd('=');
            file.Set(CharacterMap, Convert.FromBase64String(letters.PadRight((letters.Length + 3) / 4 * 4, '=')));
        }
        catch (FormatException e)
        {
            throw new GgufFormatException($"the {CharacterMap} is no Base64", e);
        }
    }

    private static void CutVocabulary(GgufDraft file, int count)
    {
        foreach (string key in (ReadOnlySpan<string>)[Tokens, TokenTypes, "tokenizer.ggml.scores"])
            file.Cut(key, count);
    }
}
