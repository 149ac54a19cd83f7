using Microsoft.Extensions.Logging.Abstractions;
using OllamaMax.Inference.Packages;
using OllamaMax.LocalHost.Azurite;
using Xunit;

namespace OllamaMax.TestKit;

/// <summary>
/// One Azurite for a whole test assembly: <c>[assembly: AssemblyFixture(typeof(AzuriteFixture))]</c>, then ask for it in
/// a test class's constructor. Tests share it: use containers and queues of names of their own.
/// </summary>
public sealed class AzuriteFixture : IAsyncLifetime
{
    private const string DefaultAccount = "devstoreaccount1";
    private const int Accounts = 192;

    private readonly TempFolder _folder = new();
    private int _accounts;
    private AzuriteProcess? _process;

    public AzuriteProcess Process => _process!;

    public string ConnectionString => Process.ConnectionString;

    /// <summary>The connection string of an account that nobody has had: to a test as good as an Azurite alone, without the seconds that a start takes.</summary>
    public string NewAccount()
    {
        int number = Interlocked.Increment(ref _accounts);
        return number <= Accounts
            ? ConnectionString.Replace(DefaultAccount, NameOf(number), StringComparison.Ordinal)
            : throw new InvalidOperationException($"All {Accounts} accounts are taken: raise {nameof(Accounts)}.");
    }

    public async ValueTask InitializeAsync() => _process = await StartAsync(_folder.File("data"), TestContext.Current.CancellationToken);

    /// <summary>An Azurite for one test alone, for tests that kill it.</summary>
    /// <param name="location">Folder of its data; null for memory.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <param name="ports">Those of one that was ended, to take its place; null for free ones.</param>
    /// <param name="debugLog">File of its debug log, with one <c>RequestMethod=</c> line per request, among others; null for none: to write it is a tenth of what it computes.</param>
    public static async Task<AzuriteProcess> StartAsync(
        string? location, CancellationToken cancellationToken, AzuriteEndpoints? ports = null, string? debugLog = null)
    {
        string root = RepositoryRoot.Find();
        // Azurite reads it; the accounts have the well-known key.
        Environment.SetEnvironmentVariable(
            "AZURITE_ACCOUNTS", string.Join(';', Enumerable.Range(0, Accounts + 1).Select(number => $"{NameOf(number)}:{AzuriteEndpoints.WellKnownKey}")));
        await NodePackages.EnsureInstalledAsync(root, line => TestContext.Current.SendDiagnosticMessage("{0}", line), cancellationToken);
        NodeRuntime node = await NodeRuntime.FindAsync(cancellationToken);
        AzuriteOptions options = new()
        {
            Node = node.Path,
            RepositoryRoot = root,
            Location = location,
            DebugLog = debugLog,
            BlobPort = ports?.BlobPort ?? 0,
            QueuePort = ports?.QueuePort ?? 0,
            TablePort = ports?.TablePort ?? 0,
        };
        return await AzuriteProcess.StartAsync(options, NullLogger.Instance, TimeProvider.System, cancellationToken);
    }

    private static string NameOf(int number) => number == 0 ? DefaultAccount : $"account{number}";

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await _process.DisposeAsync();
        _folder.Dispose();
    }
}
