namespace OllamaMax.Leases;

/// <summary>What leases and the cluster's documents are kept in cannot be reached, or refused. Whether a write was carried out is not known.</summary>
public sealed class StoreException : Exception
{
    public StoreException(string message)
        : base(message)
    {
    }

    public StoreException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
