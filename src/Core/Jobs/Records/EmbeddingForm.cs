namespace OllamaMax.Jobs.Records;

/// <summary>How the vectors of an embedding job are answered.</summary>
/// <param name="Dimensions">Numbers to keep of each vector; 0: all.</param>
/// <param name="IsBase64">As little-endian 32-bit floats in base64, rather than as numbers.</param>
public sealed record EmbeddingForm(int Dimensions, bool IsBase64);
