namespace OllamaMax.Edge.Templates;

/// <summary>A prompt could not be rendered. The message is for the client.</summary>
public sealed class TemplateException : Exception
{
    public TemplateException()
    {
    }

    public TemplateException(string message)
        : base(message)
    {
    }

    public TemplateException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    /// <summary>
    /// True when the template itself refused the conversation by <c>raise_exception</c> (400: the request is to blame); false
    /// when the template is broken or took too long (500: the model is to blame).
    /// </summary>
    public bool IsRefusal { get; init; }
}
