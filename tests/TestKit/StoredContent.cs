using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Queues.Models;
using OllamaMax.Storage;

namespace OllamaMax.TestKit;

/// <summary>One thing in a storage account, as whoever may read the account finds it.</summary>
/// <param name="Name">Of a blob with its container, of a message with its queue.</param>
public sealed partial record StoredContent(string Name, byte[] Content)
{
    private const int Peeked = 32;

    private static readonly HttpClient Http = new();

    /// <summary>All blobs with their metadata but models', and the messages of all queues that nobody holds. There are no tables: one would be told.</summary>
    /// <param name="storage">Connection string of an Azurite's account.</param>
    /// <param name="cancellationToken">Ends the requests.</param>
    public static async Task<IReadOnlyList<StoredContent>> ReadAllAsync(string storage, CancellationToken cancellationToken)
    {
        StorageAccount account = new(storage);
        List<StoredContent> all = [];
        await foreach (BlobContainerItem container in account.Blobs.GetBlobContainersAsync(cancellationToken: cancellationToken))
        {
            if (container.Name != Containers.Models)
                all.AddRange(await BlobsAsync(account.Blobs.GetBlobContainerClient(container.Name), cancellationToken));
        }
        await foreach (QueueItem queue in account.Queues.GetQueuesAsync(cancellationToken: cancellationToken))
        {
            PeekedMessage[] messages = await account.Queues.GetQueueClient(queue.Name).PeekMessagesAsync(Peeked, cancellationToken);
            all.AddRange(messages.Select(message => new StoredContent($"{queue.Name}/{message.MessageId}", message.Body.ToArray())));
        }
        all.AddRange(await TablesAsync(storage, cancellationToken));
        return all;
    }

    /// <summary>Whether the text stands there as it is, or in a piece of base64.</summary>
    public bool Has(string text)
    {
        byte[] wanted = Encoding.UTF8.GetBytes(text);
        if (Content.AsSpan().IndexOf(wanted) >= 0)
            return true;
        string letters = Encoding.Latin1.GetString(Content);
        foreach (ValueMatch match in Base64().EnumerateMatches(letters))
        {
            byte[] bytes = new byte[match.Length];
            if (Convert.TryFromBase64Chars(letters.AsSpan(match.Index, match.Length), bytes, out int written) && bytes.AsSpan(0, written).IndexOf(wanted) >= 0)
                return true;
        }
        return false;
    }

    private static async Task<List<StoredContent>> BlobsAsync(BlobContainerClient container, CancellationToken cancellationToken)
    {
        List<StoredContent> blobs = [];
        await foreach (BlobItem blob in container.GetBlobsAsync(new GetBlobsOptions { Traits = BlobTraits.Metadata }, cancellationToken))
        {
            BlobClient client = container.GetBlobClient(blob.Name);
            if (!await client.ExistsAsync(cancellationToken))
                continue;
            byte[] content = (await client.DownloadContentAsync(cancellationToken)).Value.Content.ToArray();
            string metadata = string.Concat(blob.Metadata.Select(one => $"\n{one.Key}={Uri.UnescapeDataString(one.Value)}"));
            blobs.Add(new($"{container.Name}/{blob.Name}", [.. content, .. Encoding.UTF8.GetBytes(metadata)]));
        }
        return blobs;
    }

    /// <summary>By hand: the packages that would ask for tables nobody else needs. https://learn.microsoft.com/rest/api/storageservices/query-tables</summary>
    private static async Task<IEnumerable<StoredContent>> TablesAsync(string storage, CancellationToken cancellationToken)
    {
        Dictionary<string, string> parts = storage.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(part => part.Split('=', 2)).ToDictionary(part => part[0], part => part[1]);
        string name = parts["AccountName"];
        string date = TimeProvider.System.GetUtcNow().ToString("R", CultureInfo.InvariantCulture);
        byte[] signature = HMACSHA256.HashData(Convert.FromBase64String(parts["AccountKey"]), Encoding.UTF8.GetBytes($"{date}\n/{name}/{name}/Tables"));
        using HttpRequestMessage request = new(HttpMethod.Get, $"{parts["TableEndpoint"]}/Tables");
        request.Headers.Authorization = new AuthenticationHeaderValue("SharedKeyLite", $"{name}:{Convert.ToBase64String(signature)}");
        request.Headers.Add("x-ms-date", date);
        request.Headers.Add("x-ms-version", "2019-02-02");
        request.Headers.Add("Accept", "application/json;odata=nometadata");
        using HttpResponseMessage response = await Http.SendAsync(request, cancellationToken);
        response.EnsureSuccessStatusCode();
        JsonElement tables = JsonElement.Parse(await response.Content.ReadAsStringAsync(cancellationToken));
        return tables.GetProperty("value").EnumerateArray().Select(table => new StoredContent($"table {table.GetProperty("TableName").GetString()}", []));
    }

    [GeneratedRegex("[A-Za-z0-9+/]{12,}={0,2}")]
    private static partial Regex Base64();
}
