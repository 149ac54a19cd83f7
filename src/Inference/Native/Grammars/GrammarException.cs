namespace OllamaMax.Inference.Native.Grammars;

/// <summary>A grammar that cannot be read, or cannot be followed any further; the message says why, for people.</summary>
internal sealed class GrammarException : Exception
{
    public GrammarException()
    {
    }

    public GrammarException(string message)
        : base(message)
    {
    }

    public GrammarException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
