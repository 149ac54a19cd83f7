using System.Text.Json;

namespace OllamaMax.Models.Gguf;

/// <summary>What stands before the weights in a GGUF, cut to what a catalogue needs.</summary>
public sealed record GgufHeader
{
    /// <summary>2 or 3.</summary>
    public required int Version { get; init; }

    /// <summary>Metadata by key, in the file's order; arrays longer than 64 entries are left out.</summary>
    public required IReadOnlyDictionary<string, JsonElement> Metadata { get; init; }

    /// <summary>Text of the token that begins a prompt; empty where the model has none.</summary>
    public required string BosToken { get; init; }

    /// <summary>Text of the token that ends an answer; empty where the model has none.</summary>
    public required string EosToken { get; init; }

    /// <summary>Null where the model has no tokens for it.</summary>
    public FillInTheMiddle? FillInTheMiddle { get; init; }

    public required long TensorCount { get; init; }

    /// <summary>Elements of all tensors together.</summary>
    public required long ParameterCount { get; init; }

    /// <summary>The type that holds the most parameters, such as <c>Q8_0</c>; empty in a file without tensors.</summary>
    public required string TensorType { get; init; }

    /// <summary>Bytes of the header; the weights begin at the next multiple of the alignment.</summary>
    public required long Length { get; init; }

    public string? GetString(string key) =>
        Metadata.TryGetValue(key, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>Null also where the value is no whole number that a long holds.</summary>
    public long? GetInteger(string key) =>
        Metadata.TryGetValue(key, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number)
            ? number
            : null;
}
