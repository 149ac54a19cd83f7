using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace OllamaMax.LocalHost.SignalR;

/// <summary>A Node process with the official client in it (<c>client.mjs</c>, beside this file).</summary>
internal sealed class JavaScriptClient : IAsyncDisposable
{
    private readonly Process _process;

    public JavaScriptClient(params string[] arguments)
    {
        ProcessStartInfo start = new("node", [Path.Combine(Folder(), "client.mjs"), .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        _process = Process.Start(start) ?? throw new InvalidOperationException("Node did not start.");
    }

    /// <summary>The next event, such as <c>("message", [..])</c>.</summary>
    public async Task<(string Event, JsonElement Value)> NextAsync(CancellationToken cancellationToken)
    {
        string line = await _process.StandardOutput.ReadLineAsync(cancellationToken)
            ?? throw new InvalidOperationException("The client has ended; its standard error tells why.");
        using JsonDocument document = JsonDocument.Parse(line);
        JsonElement value = document.RootElement.TryGetProperty("value", out JsonElement given) ? given.Clone() : default;
        return (document.RootElement.GetProperty("event").GetString()!, value);
    }

    public Task InvokeAsync(string method) => _process.StandardInput.WriteLineAsync(method);

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static string Folder([CallerFilePath] string path = "") => Path.GetDirectoryName(path)!;
}
