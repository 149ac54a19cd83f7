using System.Text.RegularExpressions;
using OllamaMax.LocalHost.Processes;

namespace OllamaMax.TestKit;

/// <summary>A worker process that joins a <see cref="LocalSystem"/> as one on another box does, without the tunnel.</summary>
public sealed partial class JoinedWorker : IAsyncDisposable
{
    private readonly TempFolder _data = new();
    private readonly ChildProcess _process;

    private JoinedWorker(Uri edge, string joinToken, IReadOnlyDictionary<string, string?> environment)
    {
        List<string> arguments =
        [
            Path.Combine(AppContext.BaseDirectory, "OllamaMax.GpuWorker.dll"), "run", "--edge", edge.GetLeftPart(UriPartial.Authority),
            "--data", _data.Path, "--name", "joined", "--drain-seconds", "0.5", "--stdin-lifeline",
        ];
        ChildCommand command = new("dotnet", arguments) { Environment = new Dictionary<string, string?>(environment) { ["OLLAMAMAX_JOIN_TOKEN"] = joinToken } };
        _process = ChildProcess.Start(command, Output.Add, Output.Add, TimeProvider.System);
        _ = EndLogAsync();
    }

    /// <summary>What it writes, errors included; ends with it.</summary>
    public LineLog Output { get; } = new();

    public int Pid => _process.Pid;

    /// <summary>Takes the token from the command that the local host prints, and waits until the worker listens.</summary>
    /// <param name="system">Its printed token is used up by this.</param>
    /// <param name="edge">The edge under the name that the worker is to use.</param>
    /// <param name="environment">What its environment has beyond the test's own.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task<JoinedWorker> StartAsync(
        LocalSystem system, Uri edge, IReadOnlyDictionary<string, string?> environment, CancellationToken cancellationToken)
    {
        string line = await system.Output.WaitForAsync(l => Token().IsMatch(l), cancellationToken);
        JoinedWorker worker = new(edge, Token().Match(line).Groups[1].Value, environment);
        try
        {
            await worker.Output.WaitForAsync(l => l.EndsWith("is listening", StringComparison.Ordinal), cancellationToken);
            return worker;
        }
        catch
        {
            await worker.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _process.StopAsync(TimeSpan.FromSeconds(10));
        await _process.DisposeAsync();
        _data.Dispose();
    }

    private async Task EndLogAsync() => Output.End($"The worker ended with exit code {await _process.Exit}.");

    [GeneratedRegex("OLLAMAMAX_JOIN_TOKEN=([^ ]+) ")]
    private static partial Regex Token();
}
