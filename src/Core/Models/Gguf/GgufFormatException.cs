namespace OllamaMax.Models.Gguf;

/// <summary>The file is no GGUF that can be read here; the message says why, for people.</summary>
public sealed class GgufFormatException : Exception
{
    public GgufFormatException()
    {
    }

    public GgufFormatException(string message)
        : base(message)
    {
    }

    public GgufFormatException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
