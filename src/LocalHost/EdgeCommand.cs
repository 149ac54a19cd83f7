using System.CommandLine;
using System.Globalization;
using System.Net;
using OllamaMax.LocalHost.Processes;
using OllamaMax.SignalR;
using OllamaMax.Storage;

namespace OllamaMax.LocalHost;

/// <summary>
/// The command that makes this program one of several edges (<see cref="EdgePool"/>). Storage and SignalR are those that the environment names, as keys have no place
/// on a command line; it ends with its standard input. Not for people.
/// </summary>
internal static class EdgeCommand
{
    public const string Name = "edge";

    /// <summary>Setting with <see cref="LocalHostOptions.ContentKey"/>.</summary>
    public const string ContentKeySetting = "OLLAMAMAX_CONTENT_KEY";

    /// <summary>Stands before its addresses in the line that says that it listens: that for clients, and our own.</summary>
    public const string Listens = "listens on ";

    private static readonly Option<int> Port = new("--port");
    private static readonly Option<int> OwnPort = new("--own-port");
    private static readonly Option<string> Listen = new("--listen") { DefaultValueFactory = _ => IPAddress.Loopback.ToString() };
    private static readonly Option<bool> RequireKeys = new("--require-keys");
    private static readonly Option<string?> Certificate = new("--certificate");
    private static readonly Option<bool> EncryptPayloads = new("--encrypt-payloads");
    private static readonly Option<string[]> Alias = new("--alias") { DefaultValueFactory = _ => [] };

    public static Command Create()
    {
        Command command = new(Name, "Run one of several edges for the local host that starts this") { Port, OwnPort, Listen, RequireKeys, Certificate, EncryptPayloads, Alias };
        command.Hidden = true;
        command.SetAction((parsed, _) => RunAsync(new LocalHostOptions
        {
            Port = parsed.GetValue(Port),
            OwnPort = parsed.GetValue(OwnPort),
            Listen = IPAddress.Parse(parsed.GetRequiredValue(Listen)),
            RequireKeys = parsed.GetValue(RequireKeys),
            Certificate = parsed.GetValue(Certificate),
            EncryptPayloads = parsed.GetValue(EncryptPayloads),
            ContentKey = Environment.GetEnvironmentVariable(ContentKeySetting),
            Alias = parsed.GetRequiredValue(Alias),
            // Neither is used by an edge alone.
            Data = "",
            EdgeUrl = new("http://localhost"),
        }));
        return command;
    }

    /// <summary>What a child is started with.</summary>
    /// <param name="options">Of the whole local host.</param>
    /// <param name="port">Where clients find it; 0 for any.</param>
    /// <param name="ownPort">As <see cref="LocalHostOptions.OwnPort"/>.</param>
    public static IReadOnlyList<string> Arguments(LocalHostOptions options, int port, int ownPort) =>
    [
        Name, "--port", Text(port), "--own-port", Text(ownPort), "--listen", options.Listen.ToString(),
        .. (string[])(options.RequireKeys ? ["--require-keys"] : []),
        .. (string[])(options.Certificate is { } certificate ? ["--certificate", certificate] : []),
        .. (string[])(options.EncryptPayloads ? ["--encrypt-payloads"] : []),
        .. options.Alias.SelectMany(alias => (string[])["--alias", alias]),
    ];

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static async Task<int> RunAsync(LocalHostOptions options)
    {
        using Shutdown shutdown = new(isChild: true);
        _ = shutdown.RequestAfterAsync(StandardInput.WaitForEndAsync(shutdown.Token), "standard input ended");
        try
        {
            StorageAccount storage = new(Required(LocalStorage.Setting));
            SignalRConnectionString signalR = SignalRConnectionString.Parse(Required(LocalSignalR.Setting));
            await using EdgeServer edge = await EdgeServer.StartAsync(options, storage, signalR, shutdown.Token);
            Console.Out.WriteLine($"{Listens}{edge.PublicAddress.GetLeftPart(UriPartial.Authority)} {edge.Address.GetLeftPart(UriPartial.Authority)}");
            await shutdown.Requested;
            return 0;
        }
        catch (StartException e)
        {
            await Console.Error.WriteLineAsync($"error: {e.Message}");
            return 1;
        }
        catch (OperationCanceledException) when (shutdown.Token.IsCancellationRequested)
        {
            return 0;
        }
    }

    private static string Required(string setting) =>
        Environment.GetEnvironmentVariable(setting) ?? throw new StartException($"{setting} is not set; this command is for the local host's own use");
}
