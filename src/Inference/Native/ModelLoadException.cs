namespace OllamaMax.Inference.Native;

/// <summary>A model or the library that runs it cannot be used. The message is one line for people, the file named.</summary>
public sealed class ModelLoadException : Exception
{
    public ModelLoadException()
    {
    }

    public ModelLoadException(string message)
        : base(message)
    {
    }

    public ModelLoadException(string message, Exception inner)
        : base(message, inner)
    {
    }
}
