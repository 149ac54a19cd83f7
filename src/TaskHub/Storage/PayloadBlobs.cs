using System.Security.Cryptography;
using System.Text;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using OllamaMax.TaskHub.Instances;

namespace OllamaMax.TaskHub.Storage;

/// <summary>Payloads that are too large for a document which is written at each turn: <c>payloads/{id}/{sha256}</c>. Named by content, so written twice is written once.</summary>
internal sealed class PayloadBlobs(BlobContainerClient container)
{
    /// <summary>Bytes that may stand in the document.</summary>
    public const int Largest = 64 * 1024;

    private const string Payloads = "payloads/";

    /// <summary>The record with the names of blobs in the place of large payloads; their text stays at hand.</summary>
    public async Task<InstanceRecord> PutAsideAsync(InstanceRecord record, CancellationToken cancellationToken)
    {
        Payload[] large = [.. record.Payloads().Where(IsTooLarge).Distinct()];
        Dictionary<Payload, Payload> named = [];
        foreach (Payload payload in large)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(payload.Text!);
            string name = Folder(record.Id) + Convert.ToHexStringLower(SHA256.HashData(bytes));
            await container.GetBlobClient(name).UploadAsync(new BinaryData(bytes), overwrite: true, cancellationToken);
            named.Add(payload, payload with { Blob = name });
        }
        return record.Exchange(named);
    }

    public async Task<InstanceRecord> FetchAsync(InstanceRecord record, CancellationToken cancellationToken)
    {
        Payload[] missing = [.. record.Payloads().Where(payload => payload.Text is null).Distinct()];
        Payload[] fetched = await Task.WhenAll(missing.Select(async payload =>
        {
            BlobDownloadResult blob = await container.GetBlobClient(payload.Blob).DownloadContentAsync(cancellationToken);
            return payload with { Text = blob.Content.ToString() };
        }));
        return record.Exchange(missing.Zip(fetched).ToDictionary());
    }

    public async Task DeleteAsync(string id, CancellationToken cancellationToken)
    {
        var options = new GetBlobsOptions { Prefix = Folder(id) };
        await foreach (BlobItem blob in container.GetBlobsAsync(options, cancellationToken))
            await container.DeleteBlobIfExistsAsync(blob.Name, cancellationToken: cancellationToken);
    }

    /// <summary>No character takes more than three bytes of UTF-8 for each UTF-16 unit: most texts need not be counted.</summary>
    private static bool IsTooLarge(Payload payload) =>
        payload is { Blob: null, Text: { } text } && text.Length > Largest / 3 && Encoding.UTF8.GetByteCount(text) > Largest;

    private static string Folder(string id) => $"{Payloads}{Uri.EscapeDataString(id)}/";
}
