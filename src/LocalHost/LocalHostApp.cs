using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using OllamaMax.GpuWorker.Health;
using OllamaMax.Inference.Packages;
using OllamaMax.LocalHost.Data;
using OllamaMax.LocalHost.Processes;

namespace OllamaMax.LocalHost;

/// <summary>The local host from its start to its end: what stops it, and what its exit code is.</summary>
internal static class LocalHostApp
{
    /// <returns>The exit code: 0 after a requested end, 1 when it cannot run; then one line on standard error says why.</returns>
    public static async Task<int> RunAsync(LocalHostOptions options)
    {
        using Shutdown shutdown = new();
        using ILoggerFactory loggers = LoggerFactory.Create(PlainLogging.Configure);
        try
        {
            if (string.Join("; ", options.Errors()) is { Length: > 0 } errors)
                throw new StartException(errors);
            WatchParent(options, shutdown);
            using DataFolder data = DataFolder.Open(options.Data);
            await new LocalHostSteps(WithContentKey(WithCertificate(options, data), data), data, loggers, TimeProvider.System, Console.Out.WriteLine).RunAsync(shutdown);
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

    private static LocalHostOptions WithCertificate(LocalHostOptions options, DataFolder data)
    {
        if (!options.Https)
            return options;
        string folder = data.Folder("tls");
        IssuedCertificate issued;
        try
        {
            issued = new LocalAuthority(folder, TimeProvider.System).Issue(options.Listen);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new StartException($"the certificates in {folder} cannot be read or made ({e.Message}); without the folder they are made anew, and clients are to trust the new authority", e);
        }
        Console.Out.WriteLine($"https: clients are to trust {issued.AuthorityFile} (SHA-256 {issued.Fingerprint})");
        return options with { Certificate = issued.File };
    }

    /// <summary>Made once. Without <c>--encrypt-payloads</c>, too, it reads what was encrypted with it.</summary>
    private static LocalHostOptions WithContentKey(LocalHostOptions options, DataFolder data)
    {
        const string name = "content-key";
        string? key = options.EncryptPayloads ? data.Secrets.GetOrCreate(name) : data.Secrets.Find(name);
        return key is null ? options : options with { ContentKey = $"local:{key}" };
    }

    private static void WatchParent(LocalHostOptions options, Shutdown shutdown)
    {
        _ = shutdown.RequestAfterAsync(ParentWatch.WaitForOrphanedAsync(TimeProvider.System, shutdown.Token), "dotnet run is gone");
        if (options.StdinLifeline)
            _ = shutdown.RequestAfterAsync(StandardInput.WaitForEndAsync(shutdown.Token), "standard input ended");
    }
}
