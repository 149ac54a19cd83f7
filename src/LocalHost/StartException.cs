namespace OllamaMax.LocalHost;

/// <summary>The local host cannot run. The message is one line for a person: what is wrong and what to do.</summary>
public sealed class StartException : Exception
{
    public StartException(string message)
        : base(message)
    {
    }

    public StartException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
