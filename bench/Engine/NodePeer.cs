using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using OllamaMax.Bench.Reporting;
using OllamaMax.Inference.Packages;

namespace OllamaMax.Bench.Engine;

/// <summary>node-llama-cpp in a process of its own, over the same llama.cpp libraries: it finds the checkout's package of them.</summary>
internal sealed class NodePeer : IAsyncDisposable
{
    private readonly Process _process;

    private NodePeer(Process process) => _process = process;

    /// <summary>Name and version.</summary>
    public static string Version => MachineInfo.NpmVersion(Folder, "node-llama-cpp");

    private static string Folder => Path.Combine(RepositoryRoot.Find(), "bench");

    /// <summary>Installs it where that has not happened yet, and loads the model.</summary>
    /// <param name="model">The file.</param>
    /// <param name="onGpu">All of it in a GPU's memory, otherwise all in the machine's.</param>
    /// <param name="report">Takes a line for a person who waits.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <exception cref="PrerequisiteException">Node.js, npm or the registry is missing, or the libraries for a GPU are.</exception>
    public static async Task<NodePeer> StartAsync(string model, bool onGpu, Action<string> report, CancellationToken cancellationToken)
    {
        // Without the optional packages: they are the libraries, which the checkout has already.
        await NodePackages.EnsureInstalledAsync(Folder, report, cancellationToken, withOptional: false);
        NodeRuntime node = await NodeRuntime.FindAsync(cancellationToken);
        string script = Path.Combine(Folder, "Peer", "node-llama-cpp.mjs");
        ProcessStartInfo start = new(node.Path, [script, model, BenchEngine.Threads.ToString(CultureInfo.InvariantCulture), onGpu ? "gpu" : "cpu"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        };
        NodePeer peer = new(Process.Start(start)!);
        try
        {
            JsonNode loaded = await peer.ReadAsync(cancellationToken);
            if (loaded["error"] is { } error)
                throw new PrerequisiteException($"node-llama-cpp cannot run here: {error}");
            return peer;
        }
        catch
        {
            await peer.DisposeAsync();
            throw;
        }
    }

    /// <summary>A context for so many sequences, each of that size.</summary>
    public async Task OpenAsync(int sequences, int contextSize, CancellationToken cancellationToken) => await AskAsync(
        new JsonObject { ["op"] = "open", ["sequences"] = sequences, ["contextSize"] = contextSize, ["batchSize"] = BenchEngine.BatchSize },
        cancellationToken);

    /// <summary>One answer for each prompt, all at once.</summary>
    public async Task<Timeline> RunAllAsync(IReadOnlyList<string> prompts, int tokens, string sampling, CancellationToken cancellationToken)
    {
        JsonArray texts = [.. prompts.Select(prompt => JsonValue.Create(prompt))];
        JsonNode answer = await AskAsync(
            new JsonObject { ["op"] = "run", ["prompts"] = texts, ["tokens"] = tokens, ["sampling"] = sampling }, cancellationToken);
        return new(answer["stamps"].Deserialize<double[][]>()!);
    }

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(5));
        await _process.WaitForExitAsync(patience.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private async Task<JsonNode> AskAsync(JsonObject request, CancellationToken cancellationToken)
    {
        await _process.StandardInput.WriteLineAsync(request.ToJsonString().AsMemory(), cancellationToken);
        await _process.StandardInput.FlushAsync(cancellationToken);
        return await ReadAsync(cancellationToken);
    }

    private async Task<JsonNode> ReadAsync(CancellationToken cancellationToken) =>
        await _process.StandardOutput.ReadLineAsync(cancellationToken) is { } line
            ? JsonNode.Parse(line)!
            : throw new InvalidOperationException("node-llama-cpp ended; what it wrote to standard error says why.");
}
