namespace OllamaMax.Storage.Models;

/// <summary>
/// Blob storage could not be read or written after retries: the same request may succeed later (503). The cause is inside.
/// </summary>
public sealed class CatalogException : Exception
{
    public CatalogException()
    {
    }

    public CatalogException(string message)
        : base(message)
    {
    }

    public CatalogException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
