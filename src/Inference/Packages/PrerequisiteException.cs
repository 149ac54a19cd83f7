namespace OllamaMax.Inference.Packages;

/// <summary>The machine lacks something that has to be there. The message is one line for a person: what is missing and how to get it.</summary>
public sealed class PrerequisiteException : Exception
{
    public PrerequisiteException(string message)
        : base(message)
    {
    }

    public PrerequisiteException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
