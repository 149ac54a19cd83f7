using System.Globalization;
using System.Text.RegularExpressions;

namespace OllamaMax.LocalHost.Azurite;

/// <summary>The ports of Azurite's three services on the loopback, and its account.</summary>
public sealed partial record AzuriteEndpoints(int BlobPort, int QueuePort, int TablePort)
{
    internal const string Account = "devstoreaccount1";

    /// <summary>The emulators' well-known key, no secret. https://learn.microsoft.com/azure/storage/common/storage-use-azurite</summary>
    public const string WellKnownKey = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    /// <summary>The ports that <c>UseDevelopmentStorage=true</c> means.</summary>
    public static readonly AzuriteEndpoints WellKnown = new(10000, 10001, 10002);

    /// <summary>What everyone calls <see cref="WellKnown"/>.</summary>
    public const string WellKnownConnectionString = "UseDevelopmentStorage=true";

    /// <summary>The account's key, base64.</summary>
    public string Key { get; init; } = WellKnownKey;

    public string ConnectionString =>
        $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};" +
        $"BlobEndpoint=http://127.0.0.1:{BlobPort}/{Account};" +
        $"QueueEndpoint=http://127.0.0.1:{QueuePort}/{Account};" +
        $"TableEndpoint=http://127.0.0.1:{TablePort}/{Account};";

    /// <summary>This with the port that a line of Azurite's output reports, or this.</summary>
    internal AzuriteEndpoints With(string line)
    {
        if (Listening().Match(line) is not { Success: true } match)
            return this;
        int port = int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture);
        return match.Groups[1].Value switch
        {
            "Blob" => this with { BlobPort = port },
            "Queue" => this with { QueuePort = port },
            _ => this with { TablePort = port },
        };
    }

    internal bool AreKnown => BlobPort != 0 && QueuePort != 0 && TablePort != 0;

    [GeneratedRegex("^Azurite (Blob|Queue|Table) service is successfully listening at http://.*:([0-9]+)$")]
    private static partial Regex Listening();
}
