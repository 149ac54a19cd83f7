using System.Text.Json;

namespace OllamaMax.Models.Gguf;

/// <summary>A model's vocabulary, as its GGUF has it under <c>tokenizer.ggml.*</c>.</summary>
public sealed record GgufVocabulary
{
    /// <summary>As <see cref="GgufHeader.Metadata"/>: the name of the tokenizer, ids and switches among it.</summary>
    public required IReadOnlyDictionary<string, JsonElement> Metadata { get; init; }

    /// <summary>Texts by id, written the vocabulary's own way; broken UTF-8 became replacement characters.</summary>
    public required IReadOnlyList<string> Tokens { get; init; }

    /// <summary>By id; null where the file has none.</summary>
    public IReadOnlyList<float>? Scores { get; init; }

    /// <summary>llama.cpp's <c>llama_token_type</c> by id; null where the file has none.</summary>
    public IReadOnlyList<int>? Types { get; init; }

    /// <summary>Pairs with a space between them, the one to merge first at the front; empty where the file has none.</summary>
    public required IReadOnlyList<string> Merges { get; init; }

    public string? GetString(string key) =>
        Metadata.TryGetValue(key, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>Null also where the value is no whole number.</summary>
    public long? GetInteger(string key) =>
        Metadata.TryGetValue(key, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) ? number : null;

    /// <summary>Null also where the value is no truth value.</summary>
    public bool? GetFlag(string key) =>
        Metadata.TryGetValue(key, out JsonElement value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : null;
}
