using System.Globalization;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using OllamaMax.TestKit;

namespace OllamaMax.EndToEnd.Tests.Batches;

/// <summary>Two edges and two workers, each a process, and batches that are asked for at whichever edge answers.</summary>
internal sealed partial class BatchGroup : IAsyncDisposable
{
    private const int Count = 2;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    private readonly LocalSystem _system;
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(30) };
    private readonly Uri[] _edges;

    private BatchGroup(LocalSystem system)
    {
        _system = system;
        _edges = [.. system.Output.Lines.Select(line => Listens().Match(line)).Where(match => match.Success).Select(match => new Uri(match.Groups[1].Value))];
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <param name="pageLines">Lines that are written together.</param>
    public static async Task<BatchGroup> StartAsync(int pageLines) => new(await LocalSystem.StartAsync(
        new()
        {
            Workers = Count,
            // Answers do not depend on what else runs: so they can be compared. What one edge has encrypted another one opens.
            MoreArguments = ["--edges", $"{Count}", "--exact", "--encrypt-payloads"],
            Environment = new Dictionary<string, string?>
            {
                ["OllamaMax__Batches__PageLines"] = pageLines.ToString(CultureInfo.InvariantCulture),
                // A worker that was killed is missed after this.
                ["OllamaMax__Jobs__Lease"] = "00:00:05",
            },
        },
        Cancellation));

    /// <summary>kill -9; another is started in its place.</summary>
    /// <param name="number">From 0.</param>
    public void KillEdge(int number) => LocalSystem.Kill(_system.Output.Lines
        .Select(line => EdgeStarted().Match(line))
        .Where(match => match.Success && int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) == number + 1)
        .Select(match => int.Parse(match.Groups[2].ValueSpan, CultureInfo.InvariantCulture))
        .Last());

    /// <summary>kill -9; another is started in its place.</summary>
    /// <param name="number">From 0.</param>
    public void KillWorker(int number) => LocalSystem.Kill(_system.WorkerPids[number]);

    /// <summary>What the call itself answers.</summary>
    public async Task<JsonElement> CallAsync(string path, object body)
    {
        using HttpResponseMessage response = await _client.PostAsJsonAsync(new Uri(_edges[0], path), body, Cancellation);
        return await response.JsonAsync();
    }

    /// <summary>Submits a batch at the first edge, which then runs it; answers its id.</summary>
    public async Task<string> SubmitAsync(string endpoint, IEnumerable<object> bodies)
    {
        string lines = string.Join('\n', bodies.Select((body, i) => JsonSerializer.Serialize(new { custom_id = $"line-{i}", method = "POST", url = endpoint, body })));
        using MultipartFormDataContent form = new() { { new StringContent("batch"), "purpose" }, { new StringContent(lines, Encoding.UTF8), "file", "input.jsonl" } };
        using HttpResponseMessage uploaded = await _client.PostAsync(new Uri(_edges[0], "/v1/files"), form, Cancellation);
        string file = (await uploaded.JsonAsync()).GetProperty("id").GetString()!;
        return (await CallAsync("/v1/batches", new { input_file_id = file, endpoint, completion_window = "24h" })).GetProperty("id").GetString()!;
    }

    /// <summary>Asks until the batch is as wanted.</summary>
    public async Task<JsonElement> WhenAsync(string id, Func<JsonElement, bool> isReached)
    {
        using PeriodicTimer timer = new(Look);
        while (true)
        {
            JsonElement batch = JsonElement.Parse(await AskAsync($"/v1/batches/{id}"));
            if (isReached(batch))
                return batch;
            await timer.WaitForNextTickAsync(Cancellation);
        }
    }

    /// <summary>The bodies of a file of answers, checked to be those of the lines 0, 1, 2 and so on, each once.</summary>
    public async Task<JsonElement[]> AnswersAsync(string fileId)
    {
        JsonElement[] lines = [.. (await AskAsync($"/v1/files/{fileId}/content")).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line))];
        lines.Select(line => line.GetProperty("custom_id").GetString()).ShouldBe(Enumerable.Range(0, lines.Length).Select(i => $"line-{i}"));
        return [.. lines.Select(line => line.GetProperty("response").GetProperty("body"))];
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _system.DisposeAsync();
    }

    /// <summary>At the edge that answers first; one that was killed starts meanwhile.</summary>
    private async Task<string> AskAsync(string path)
    {
        for (int i = 0; ; i++)
        {
            try
            {
                return await _client.GetStringAsync(new Uri(_edges[i % _edges.Length], path), Cancellation);
            }
            catch (Exception e) when (e is HttpRequestException or SocketException or TaskCanceledException && !Cancellation.IsCancellationRequested)
            {
                // The other one, then. A socket's own exception: the edge died between connect and the look at whom it is connected to.
            }
        }
    }

    [GeneratedRegex("^edge-[0-9]+ listens on (.*)$")]
    private static partial Regex Listens();

    [GeneratedRegex("^edge-([0-9]+) started, pid ([0-9]+)$")]
    private static partial Regex EdgeStarted();
}
