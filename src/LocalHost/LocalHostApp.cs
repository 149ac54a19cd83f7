using Microsoft.Extensions.Logging;
using OllamaMax.Inference.Packages;
using OllamaMax.LocalHost.Data;
using OllamaMax.LocalHost.Processes;

namespace OllamaMax.LocalHost;

/// <summary>Starts the parts in their order, says what it does in short lines, and ends them in the opposite order.</summary>
internal static class LocalHostApp
{
    /// <returns>The exit code: 0 after a requested end, 1 when it cannot run; then one line on standard error says why.</returns>
    public static async Task<int> RunAsync(LocalHostOptions options)
    {
        using Shutdown shutdown = new();
        using ILoggerFactory loggers = LoggerFactory.Create(HostLogging.Configure);
        try
        {
            if (string.Join("; ", options.Errors()) is { Length: > 0 } errors)
                throw new StartException(errors);
            WatchParent(options, shutdown);
            await RunAsync(options, loggers, shutdown);
            return 0;
        }
        catch (Exception e) when (e is StartException or PrerequisiteException)
        {
            await Console.Error.WriteLineAsync($"error: {e.Message}");
            return 1;
        }
        catch (OperationCanceledException) when (shutdown.Token.IsCancellationRequested)
        {
            return 0;
        }
    }

    private static async Task RunAsync(LocalHostOptions options, ILoggerFactory loggers, Shutdown shutdown)
    {
        CancellationToken cancellationToken = shutdown.Token;
        using DataFolder data = DataFolder.Open(options.Data);
        Say($"data in {data.Path}");
        EdgeServer.ThrowIfBusy(options.Port);
        await NodePackages.EnsureInstalledAsync(RepositoryRoot.Find(), Say, cancellationToken);
        await using StorageAccount storage = await StorageAccount.OpenAsync(options, data, loggers, TimeProvider.System, cancellationToken);
        Say(storage.Azurite is { } azurite ? $"storage: Azurite on ports {azurite.BlobPort}, {azurite.QueuePort}, {azurite.TablePort}"
            : $"storage: the account in {StorageAccount.Setting}");
        await using EdgeServer edge = await EdgeServer.StartAsync(options.Port, cancellationToken);
        Say($"ready {edge.Address.GetLeftPart(UriPartial.Authority)}");
        Say($"stopping: {await shutdown.Requested}");
    }

    private static void WatchParent(LocalHostOptions options, Shutdown shutdown)
    {
        _ = shutdown.RequestAfterAsync(ParentWatch.WaitForOrphanedAsync(TimeProvider.System, shutdown.Token), "dotnet run is gone");
        if (options.StdinLifeline)
            _ = shutdown.RequestAfterAsync(StandardInput.WaitForEndAsync(shutdown.Token), "standard input ended");
    }

    private static void Say(string line) => Console.Out.WriteLine(line);
}
