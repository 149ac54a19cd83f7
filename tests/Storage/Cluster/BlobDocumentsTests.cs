using Azure.Storage.Blobs;
using OllamaMax.Cluster;
using OllamaMax.Storage.Cluster;
using OllamaMax.TestKit;

namespace OllamaMax.Storage.Tests.Cluster;

public sealed class BlobDocumentsTests(AzuriteFixture azurite) : DocumentContract
{
    /// <summary>It is made when it is first needed.</summary>
    protected override IDocumentStore Create() =>
        new BlobDocuments(new BlobServiceClient(azurite.ConnectionString).GetBlobContainerClient($"documents-{Guid.NewGuid():n}"));
}
