namespace OllamaMax.Storage.Models;

/// <summary>
/// The file cannot be published: it is missing, unreadable, or no model. The message names the file and says why, for people.
/// </summary>
public sealed class ModelPublishException : Exception
{
    public ModelPublishException()
    {
    }

    public ModelPublishException(string message)
        : base(message)
    {
    }

    public ModelPublishException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
