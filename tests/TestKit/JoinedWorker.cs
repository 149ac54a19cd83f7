using System.Globalization;
using System.Text.RegularExpressions;
using OllamaMax.LocalHost.Processes;

namespace OllamaMax.TestKit;

/// <summary>A worker process that joins a <see cref="LocalSystem"/> as one on another box does, without the tunnel.</summary>
public sealed partial class JoinedWorker : IAsyncDisposable
{
    private readonly TempFolder? _ownData;
    private readonly ChildProcess _process;

    private JoinedWorker(Uri edge, string? joinToken, JoinedWorkerOptions options)
    {
        _ownData = options.Data is null ? new TempFolder() : null;
        List<string> arguments =
        [
            Path.Combine(AppContext.BaseDirectory, "OllamaMax.GpuWorker.dll"), "run", "--edge", edge.GetLeftPart(UriPartial.Authority),
            "--data", options.Data ?? _ownData!.Path, "--name", options.Name, "--drain-seconds", options.DrainSeconds.ToString(CultureInfo.InvariantCulture),
            "--stdin-lifeline", .. options.MoreArguments,
        ];
        ChildCommand command = new("dotnet", arguments)
        {
            Environment = new Dictionary<string, string?>(options.Environment) { ["OLLAMAMAX_JOIN_TOKEN"] = joinToken },
        };
        _process = ChildProcess.Start(command, Take, Take, TimeProvider.System);
        _ = EndLogAsync();

        void Take(string line)
        {
            options.OnLine(line);
            Output.Add(line);
        }
    }

    /// <summary>What it writes, errors included; ends with it.</summary>
    public LineLog Output { get; } = new();

    public int Pid => _process.Pid;

    /// <summary>The exit code, once it has ended.</summary>
    public Task<int> Exit => _process.Exit;

    /// <summary>Takes the token from the command that the local host prints, and waits until the worker listens.</summary>
    /// <param name="system">Its printed token is used up by this.</param>
    /// <param name="edge">The edge under the name that the worker is to use.</param>
    /// <param name="environment">What its environment has beyond the test's own.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task<JoinedWorker> StartAsync(
        LocalSystem system, Uri edge, IReadOnlyDictionary<string, string?> environment, CancellationToken cancellationToken)
    {
        string line = await system.Output.WaitForAsync(l => Token().IsMatch(l), cancellationToken);
        return await StartAsync(edge, Token().Match(line).Groups[1].Value, new() { Environment = environment }, cancellationToken);
    }

    /// <summary>Waits until the worker listens.</summary>
    /// <param name="edge">The edge under the name that the worker is to use.</param>
    /// <param name="joinToken">Null where its data holds an identity already.</param>
    /// <param name="options">The rest.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public static async Task<JoinedWorker> StartAsync(Uri edge, string? joinToken, JoinedWorkerOptions options, CancellationToken cancellationToken)
    {
        JoinedWorker worker = new(edge, joinToken, options);
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
        _ownData?.Dispose();
    }

    private async Task EndLogAsync() => Output.End($"The worker ended with exit code {await _process.Exit}.");

    [GeneratedRegex("OLLAMAMAX_JOIN_TOKEN=([^ ]+) ")]
    private static partial Regex Token();
}
