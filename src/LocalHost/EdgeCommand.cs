using System.CommandLine;
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

    /// <summary>Stands before its address in the line that says that it listens.</summary>
    public const string Listens = "listens on ";

    public static Command Create()
    {
        Option<int> port = new("--port");
        Option<string[]> alias = new("--alias") { DefaultValueFactory = _ => [] };
        Command command = new(Name, "Run one of several edges for the local host that starts this") { Hidden = true };
        command.Add(port);
        command.Add(alias);
        command.SetAction((parsed, _) => RunAsync(new LocalHostOptions
        {
            Port = parsed.GetValue(port),
            Alias = parsed.GetRequiredValue(alias),
            // Neither is used by an edge alone.
            Data = "",
            EdgeUrl = new("http://localhost"),
        }));
        return command;
    }

    private static async Task<int> RunAsync(LocalHostOptions options)
    {
        using Shutdown shutdown = new(isChild: true);
        _ = shutdown.RequestAfterAsync(StandardInput.WaitForEndAsync(shutdown.Token), "standard input ended");
        try
        {
            StorageAccount storage = new(Required(LocalStorage.Setting));
            SignalRConnectionString signalR = SignalRConnectionString.Parse(Required(LocalSignalR.Setting));
            await using EdgeServer edge = await EdgeServer.StartAsync(options, storage, signalR, shutdown.Token);
            Console.Out.WriteLine($"{Listens}{edge.Address.GetLeftPart(UriPartial.Authority)}");
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
