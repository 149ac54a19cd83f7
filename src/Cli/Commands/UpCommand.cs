using System.CommandLine;
using System.ComponentModel;
using System.Diagnostics;

namespace OllamaMax.Cli.Commands;

/// <summary><c>up</c>: the local host of a checkout, started as anybody would.</summary>
internal static class UpCommand
{
    private static readonly Option<DirectoryInfo> Checkout = new("--checkout")
    {
        Description = "A folder of the checkout; the one it is called in",
        DefaultValueFactory = _ => new DirectoryInfo(Environment.CurrentDirectory),
    };

    private static readonly Argument<string[]> Options = new("options") { Description = "For the local host, after --", DefaultValueFactory = _ => [] };

    public static Command Create(RootCommands.Runner run)
    {
        Command command = new("up", "Starts the local host of the checkout: storage, edge and workers on this machine, until Ctrl-C") { Checkout, Options };
        run.Set(command, async (parsed, _, screen, cancellationToken) =>
        {
            if (Find(parsed.GetRequiredValue(Checkout)) is not { } root)
            {
                screen.Note($"error: {parsed.GetRequiredValue(Checkout)} is in no checkout of OllamaMax; `git clone` one, and call this in it. It needs the .NET SDK and Node.js (`ollamamax doctor`)");
                return ExitCode.Failed;
            }
            return await RunAsync(root, parsed.GetValue(Options) ?? [], cancellationToken);
        });
        return command;
    }

    private static DirectoryInfo? Find(DirectoryInfo from)
    {
        DirectoryInfo? folder = from;
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "src", "LocalHost", "OllamaMax.LocalHost.csproj")))
            folder = folder.Parent;
        return folder;
    }

    /// <returns>The host's own exit code.</returns>
    private static async Task<int> RunAsync(DirectoryInfo root, string[] options, CancellationToken cancellationToken)
    {
        ProcessStartInfo start = new("dotnet", ["run", "--project", Path.Combine("src", "LocalHost"), "--", "--stdin-lifeline", .. options])
        {
            WorkingDirectory = root.FullName,
            RedirectStandardInput = true,
        };
        using Process host = Start(start);
        // Ctrl-C goes to the terminal's whole group, SIGTERM to this process alone, and kill -9 asks nobody: by the end of its input the host hears of each, ends in order, and is waited for.
        await using CancellationTokenRegistration stop = cancellationToken.Register(host.StandardInput.Close);
        await host.WaitForExitAsync(CancellationToken.None);
        return cancellationToken.IsCancellationRequested ? ExitCode.Interrupted : host.ExitCode;
    }

    private static Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start) ?? throw new IOException("dotnet was not started");
        }
        catch (Win32Exception e)
        {
            throw new IOException($"dotnet cannot be started ({e.Message}); `ollamamax doctor` says how to mend that", e);
        }
    }
}
