using Azure;
using Azure.Storage.Blobs;
using Microsoft.Extensions.Logging;
using OllamaMax.Inference.Packages;
using OllamaMax.LocalHost.Azurite;
using OllamaMax.LocalHost.Data;

namespace OllamaMax.LocalHost;

/// <summary>The storage account: the one that AzureWebJobsStorage names, else an Azurite of our own.</summary>
internal sealed class LocalStorage : IAsyncDisposable
{
    public const string Setting = "AzureWebJobsStorage";

    private static readonly TimeSpan AnswersWithin = TimeSpan.FromSeconds(10);

    private readonly AzuriteProcess? _azurite;

    private LocalStorage(string connectionString, AzuriteProcess? azurite = null)
    {
        ConnectionString = connectionString;
        _azurite = azurite;
    }

    public string ConnectionString { get; }

    /// <summary>The loopback ports that a worker uses; none when the account is another's.</summary>
    public IReadOnlyList<int> Ports => _azurite is { Endpoints: var azurite } ? [azurite.BlobPort, azurite.QueuePort] : [];

    public override string ToString() =>
        _azurite is { Endpoints: var azurite } ? $"Azurite on ports {azurite.BlobPort}, {azurite.QueuePort}, {azurite.TablePort}"
        : $"the account in {Setting}";

    public static async Task<LocalStorage> OpenAsync(
        LocalHostOptions options, DataFolder data, ILoggerFactory loggers, TimeProvider time, CancellationToken cancellationToken)
    {
        if (Environment.GetEnvironmentVariable(Setting) is { Length: > 0 } given)
            return await OpenGivenAsync(given, cancellationToken);
        AzuriteEndpoints ports = options.Services ? AzuriteEndpoints.WellKnown : new(data.Ports.Find("blob"), data.Ports.Find("queue"), data.Ports.Find("table"));
        NodeRuntime node = await NodeRuntime.FindAsync(cancellationToken);
        AzuriteOptions azurite = new()
        {
            Node = node.Path,
            RepositoryRoot = RepositoryRoot.Find(),
            Location = data.Folder("azurite"),
            // Boxes and other users of this machine reach its ports too. A Functions host's settings name the account that everybody knows.
            Key = options.Services ? null : data.Secrets.GetOrCreate("storage-key"),
            BlobPort = ports.BlobPort,
            QueuePort = ports.QueuePort,
            TablePort = ports.TablePort,
        };
        AzuriteProcess process = await AzuriteProcess.StartAsync(azurite, loggers.CreateLogger<AzuriteProcess>(), time, cancellationToken);
        if (options.Services)
            return new(AzuriteEndpoints.WellKnownConnectionString, process);
        data.Ports.Keep("blob", process.Endpoints.BlobPort);
        data.Ports.Keep("queue", process.Endpoints.QueuePort);
        data.Ports.Keep("table", process.Endpoints.TablePort);
        return new(process.ConnectionString, process);
    }

    public ValueTask DisposeAsync() => _azurite?.DisposeAsync() ?? ValueTask.CompletedTask;

    private static async Task<LocalStorage> OpenGivenAsync(string connectionString, CancellationToken cancellationToken)
    {
        BlobClientOptions once = new() { Retry = { MaxRetries = 0, NetworkTimeout = AnswersWithin } };
        try
        {
            await new BlobServiceClient(connectionString, once).GetPropertiesAsync(cancellationToken);
            return new(connectionString);
        }
        catch (FormatException e)
        {
            throw new StartException($"{Setting} is no connection string: {e.Message}", e);
        }
        catch (RequestFailedException e)
        {
            string reason = e.ErrorCode ?? e.InnerException?.Message ?? e.Message;
            throw new StartException($"the account in {Setting} does not answer: {reason}", e);
        }
    }
}
