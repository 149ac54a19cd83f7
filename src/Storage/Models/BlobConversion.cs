using OllamaMax.Models.Gguf;

namespace OllamaMax.Storage.Models;

/// <summary>A GGUF that is to be made of others.</summary>
/// <param name="Sources">Digests of a GGUF, or of all the parts of a split one in their order.</param>
/// <param name="Quantization">What it is made; null: it stays what it is. Adapters do.</param>
/// <param name="Adapters">Digests of what is added to it (<see cref="GgufAdapters"/>), in this order.</param>
public sealed record BlobConversion(IReadOnlyList<string> Sources, GgufQuantization? Quantization, IReadOnlyList<string> Adapters)
{
    /// <summary>What it is called while a GGUF of Ollama's becomes llama.cpp's, and nothing else is to be done.</summary>
    public const string Translating = "translating for llama.cpp";

    /// <summary>For messages.</summary>
    public override string ToString() => string.Join(", ", Sources.Concat(Adapters));
}
