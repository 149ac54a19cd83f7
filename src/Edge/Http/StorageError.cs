using Azure;
using OllamaMax.Leases;
using OllamaMax.Security;
using OllamaMax.Storage.Models;

namespace OllamaMax.Edge.Http;

/// <summary>What a client is told where storage cannot be reached, or does not do what it is asked.</summary>
internal static class StorageError
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(2);

    /// <summary>Null: the exception is another one.</summary>
    public static ApiError? Of(Exception exception) => exception switch
    {
        CatalogException or StoreException or RequestFailedException or AggregateException { InnerException: RequestFailedException } =>
            new(503, "storage cannot be reached; try again later") { RetryAfter = Retry },
        ContentKeyException missing => new(503, missing.Message),
        _ => null,
    };
}
