using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;

namespace OllamaMax.TestKit;

/// <summary>
/// A Node process that runs a real client. The script prints one JSON line <c>{"event":…,"value":…}</c> for each thing that happens,
/// reads commands from its standard input and ends with it.
/// </summary>
public sealed class NodeScript : IAsyncDisposable
{
    private readonly Process _process;

    /// <param name="file">The script; see <see cref="Beside"/>.</param>
    public NodeScript(string file, params IEnumerable<string> arguments)
    {
        ProcessStartInfo start = new("node", [file, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
        };
        _process = Process.Start(start) ?? throw new InvalidOperationException("Node did not start.");
    }

    /// <summary>Path of a script in the folder of the calling source file.</summary>
    public static string Beside(string name, [CallerFilePath] string caller = "") => Path.Combine(Path.GetDirectoryName(caller)!, name);

    /// <summary>The next event, such as <c>("message", [..])</c>.</summary>
    public async Task<(string Event, JsonElement Value)> NextAsync(CancellationToken cancellationToken)
    {
        string line = await _process.StandardOutput.ReadLineAsync(cancellationToken)
            ?? throw new InvalidOperationException("The client has ended; its standard error tells why.");
        using JsonDocument document = JsonDocument.Parse(line);
        JsonElement value = document.RootElement.TryGetProperty("value", out JsonElement given) ? given.Clone() : default;
        return (document.RootElement.GetProperty("event").GetString()!, value);
    }

    public Task SendAsync(string command) => _process.StandardInput.WriteLineAsync(command);

    public async ValueTask DisposeAsync()
    {
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}
