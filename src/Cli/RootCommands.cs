using System.CommandLine;
using OllamaMax.Cli.Commands;

namespace OllamaMax.Cli;

/// <summary>The whole command line, and what every command shares: whom it asks, how it prints, and how it fails.</summary>
internal static class RootCommands
{
    public const string EdgeVariable = "OLLAMAMAX_EDGE";
    public const string KeyVariable = "OLLAMAMAX_KEY";
    private const string DefaultEdge = "http://127.0.0.1:11434";

    private static readonly Option<string> Address = new("--edge")
    {
        Description = $"URL of the edge; {EdgeVariable} otherwise, {DefaultEdge} without either",
        DefaultValueFactory = _ => Variable(EdgeVariable) ?? DefaultEdge,
        Recursive = true,
    };

    private static readonly Option<string?> Key = new("--key")
    {
        Description = $"Key; better in {KeyVariable}, as other processes of the machine can read a command line",
        Recursive = true,
    };

    private static readonly Option<bool> Json = new("--json") { Description = "Print what the API answers, for scripts", Recursive = true };

    /// <param name="input">Standard input.</param>
    /// <param name="output">For results.</param>
    /// <param name="error">For all else.</param>
    /// <param name="interrupts">What ends a command, whose token is given to it; or a part of one.</param>
    /// <param name="isInteractive">Whether somebody sits at <paramref name="input"/> who can be asked.</param>
    public static RootCommand Create(TextReader input, TextWriter output, TextWriter error, Interrupts interrupts, bool isInteractive)
    {
        RootCommand root = new("OllamaMax: one URL for your own GPUs. Exit codes: 0 done, 1 failed, 2 nobody answers, 3 denied, 4 not there, 5 busy, 130 interrupted")
        {
            Address, Key, Json,
        };
        Runner run = new(json => new Screen(input, output, error, json) { IsInteractive = isInteractive, Interrupts = interrupts });
        Command[] commands =
        [
            StatusCommands.Create(run), TopCommand.Create(run), WorkerCommands.Create(run), ModelCommands.Create(run), RunCommand.Create(run), JobCommands.Create(run),
            BatchCommand.Create(run), KeyCommands.Create(run), UsageCommands.CreateUsage(run), UsageCommands.CreateAudit(run), CostCommand.Create(run),
            BackupCommands.CreateBackup(run), BackupCommands.CreateRestore(run), BenchCommand.Create(run), UpCommand.Create(run), DoctorCommand.Create(run), CompletionCommand.Create(run),
        ];
        foreach (Command command in commands)
            root.Add(command);
        return root;
    }

    private static string? Variable(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } value ? value : null;

    /// <summary>Gives a command its edge and screen, and turns its exceptions into one line and an exit code.</summary>
    internal sealed class Runner(Func<bool, Screen> screenFor)
    {
        public void Set(Command command, Func<ParseResult, Edge, Screen, CancellationToken, Task> action) =>
            Set(command, async (parsed, edge, screen, cancellationToken) =>
            {
                await action(parsed, edge, screen, cancellationToken);
                return ExitCode.Done;
            });

        public void Set(Command command, Func<ParseResult, Edge, Screen, CancellationToken, Task<int>> action) =>
            command.SetAction((parsed, cancellationToken) => RunAsync(parsed, action, cancellationToken));

        private async Task<int> RunAsync(
            ParseResult parsed, Func<ParseResult, Edge, Screen, CancellationToken, Task<int>> action, CancellationToken cancellationToken)
        {
            Screen screen = screenFor(parsed.GetValue(Json));
            string address = parsed.GetRequiredValue(Address);
            if (!Uri.TryCreate(address, UriKind.Absolute, out Uri? url) || url.Scheme is not ("http" or "https"))
            {
                screen.Note($"error: --edge {address} is no http(s) URL");
                return ExitCode.Failed;
            }
            using Edge edge = new(url, parsed.GetValue(Key) ?? Variable(KeyVariable));
            try
            {
                return await action(parsed, edge, screen, cancellationToken);
            }
            catch (EdgeException e)
            {
                screen.Tell(e);
                if (e.ExitCode == ExitCode.Denied && !edge.HasKey)
                    screen.Note($"the key goes into {KeyVariable}, or --key");
                return e.ExitCode;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or HttpRequestException)
            {
                screen.Note($"error: {e.Message}");
                return ExitCode.Failed;
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return ExitCode.Interrupted;
            }
        }
    }
}
