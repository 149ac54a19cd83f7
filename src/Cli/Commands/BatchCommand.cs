using System.CommandLine;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace OllamaMax.Cli.Commands;

/// <summary><c>batch run FILE</c>: a file of requests in, a file of answers out; <c>batch wait ID</c>: of one that runs already.</summary>
internal static class BatchCommand
{
    private static readonly Argument<FileInfo> Input = new("file") { Description = "JSON lines as OpenAI's batches have them: custom_id, method, url, body" };
    private static readonly Option<string?> Output = new("--output", "-o") { Description = "Where the answers go; FILE, or ID, with .results.jsonl otherwise. Lines without answer go beside it, with .errors.jsonl" };
    private static readonly Argument<string> Batch = new("id") { Description = "Of the batch" };
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    /// <summary>A batch takes up to a day, and edges are started anew meanwhile.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public static Command Create(RootCommands.Runner run)
    {
        Command command = new("batch", "Thousands of requests, when nobody else needs the slots");
        Command start = new("run", "Uploads a file, waits for all its lines, and downloads the answers") { Input, Output };
        run.Set(start, RunAsync);
        command.Add(start);
        Command wait = new("wait", "Waits for a batch that runs already, and downloads the answers") { Batch, Output };
        run.Set(wait, (parsed, edge, screen, cancellationToken) =>
        {
            string id = parsed.GetRequiredValue(Batch);
            return FinishAsync(edge, screen, id, parsed.GetValue(Output) ?? $"{id}.results.jsonl", cancellationToken);
        });
        command.Add(wait);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, Edge edge, Screen screen, CancellationToken cancellationToken)
    {
        FileInfo file = parsed.GetRequiredValue(Input);
        if (!file.Exists)
            throw new IOException($"there is no file {file}");
        string endpoint = EndpointOf(file);
        string uploaded = await UploadAsync(edge, file, cancellationToken);
        JsonElement batch = await edge.SubmitAsync(
            "v1/batches", new JsonObject { ["input_file_id"] = uploaded, ["endpoint"] = endpoint, ["completion_window"] = "24h" }, cancellationToken);
        string id = batch.Shown("id");
        screen.Note($"batch {id}: `ollamamax batch wait {id}` gets it, too, should this end before");
        return await FinishAsync(edge, screen, id, parsed.GetValue(Output) ?? Path.ChangeExtension(file.FullName, ".results.jsonl"), cancellationToken);
    }

    /// <returns>1 where a line has no answer, so that a script can tell.</returns>
    private static async Task<int> FinishAsync(Edge edge, Screen screen, string id, string results, CancellationToken cancellationToken)
    {
        JsonElement batch = await WaitAsync(edge, screen, id, cancellationToken);
        await DownloadAsync(edge, batch.Text("output_file_id"), results, screen, cancellationToken);
        await DownloadAsync(edge, batch.Text("error_file_id"), Path.ChangeExtension(results, null) + ".errors.jsonl", screen, cancellationToken);
        if (screen.IsJson)
            screen.PrintJson(batch);
        foreach (JsonElement error in batch.Member("errors").Items("data"))
            screen.Note($"error: {error.Shown("message")}");
        return batch.Text("status") == "completed" && batch.Member("request_counts").Number("failed") == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    /// <summary>A batch is for one endpoint; the first line says which.</summary>
    private static string EndpointOf(FileInfo file)
    {
        string? first = File.ReadLines(file.FullName).FirstOrDefault(line => !string.IsNullOrWhiteSpace(line));
        try
        {
            return first is not null && JsonElement.Parse(first).Text("url") is { } url ? url : throw new IOException($"the first line of {file} has no url");
        }
        catch (JsonException e)
        {
            throw new IOException($"the first line of {file} is no JSON: {e.Message}", e);
        }
    }

    private static async Task<string> UploadAsync(Edge edge, FileInfo file, CancellationToken cancellationToken)
    {
        await using FileStream stream = file.OpenRead();
        using StreamContent content = new(stream) { Headers = { ContentType = new MediaTypeHeaderValue("application/jsonl") } };
        using MultipartFormDataContent form = new() { { new StringContent("batch"), "purpose" }, { content, "file", file.Name } };
        return (await edge.CallAsync(HttpMethod.Post, "v1/files", form, cancellationToken)).Shown("id");
    }

    private static async Task<JsonElement> WaitAsync(Edge edge, Screen screen, string id, CancellationToken cancellationToken)
    {
        JsonElement batch = default;
        await screen.Side.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn()).StartAsync(async progress =>
        {
            ProgressTask lines = progress.AddTask("lines");
            using PeriodicTimer timer = new(LookEvery, TimeProvider.System);
            long answered = TimeProvider.System.GetTimestamp();
            do
            {
                try
                {
                    batch = await edge.GetAsync($"v1/batches/{Uri.EscapeDataString(id)}", cancellationToken);
                }
                catch (EdgeException e) when (e.MayPass && TimeProvider.System.GetElapsedTime(answered) < Patience)
                {
                    lines.Description = $"lines (waiting: {Markup.Escape(e.Message)})";
                    continue;
                }
                answered = TimeProvider.System.GetTimestamp();
                lines.Description = "lines";
                JsonElement counts = batch.Member("request_counts");
                lines.MaxValue = Math.Max(1, counts.Number("total") ?? 0);
                lines.Value = (counts.Number("completed") ?? 0) + (counts.Number("failed") ?? 0);
            }
            while (batch.Text("status") is not ("completed" or "failed" or "expired" or "cancelled") && await timer.WaitForNextTickAsync(cancellationToken));
        });
        return batch;
    }

    private static async Task DownloadAsync(Edge edge, string? fileId, string to, Screen screen, CancellationToken cancellationToken)
    {
        if (fileId is null)
            return;
        await using (FileStream stream = File.Create(to))
            await edge.DownloadAsync($"v1/files/{fileId}/content", stream, cancellationToken);
        if (!screen.IsJson)
            screen.Line(to);
    }
}
