using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace OllamaMax.Cli.Commands;

/// <summary><c>models …</c>: the catalogue.</summary>
internal static class ModelCommands
{
    private static readonly Argument<string> Model = new("model") { Description = "Such as qwen3:4b, hf.co/org/repo:Q4_K_M, or the address of a GGUF" };
    private static readonly Argument<string> Copy = new("copy") { Description = "The other name" };

    public static Command Create(RootCommands.Runner run)
    {
        Command command = new("models", "What there is to ask");
        Command list = new("list", "Names, sizes, digests");
        run.Set(list, async (_, edge, screen, cancellationToken) =>
        {
            JsonElement answer = await edge.GetAsync("api/tags", cancellationToken);
            screen.List(
                answer, answer.Items("models"),
                new("NAME", model => model.Shown("name")), new("SIZE", model => model.ShownBytes("size"), true),
                new("PARAMETERS", model => model.Member("details").Shown("parameter_size"), true), new("QUANTIZATION", model => model.Member("details").Shown("quantization_level")),
                new("DIGEST", model => model.Shown("digest") is { Length: > 12 } digest ? digest[..12] : ""), new("CHANGED", model => model.ShownTime("modified_at")));
        });
        command.Add(list);

        Command show = new("show", "What a model says of itself") { Model };
        run.Set(show, async (parsed, edge, screen, cancellationToken) =>
            screen.PrintJson(await edge.PostAsync("api/show", new JsonObject { ["model"] = parsed.GetRequiredValue(Model) }, cancellationToken)));
        command.Add(show);

        Command pull = new("pull", "Brings a model into the catalogue; a pull that was broken off goes on where it was") { Model };
        run.Set(pull, PullAsync);
        command.Add(pull);

        Command copy = new("copy", "Gives a model another name") { Model, Copy };
        run.Set(copy, async (parsed, edge, screen, cancellationToken) =>
            await edge.PostAsync("api/copy", new JsonObject { ["source"] = parsed.GetRequiredValue(Model), ["destination"] = parsed.GetRequiredValue(Copy) }, cancellationToken));
        command.Add(copy);

        Command remove = new("rm", "Takes a name out of the catalogue; its content goes with the last one") { Model };
        run.Set(remove, async (parsed, edge, screen, cancellationToken) =>
        {
            using StringContent body = new(new JsonObject { ["model"] = parsed.GetRequiredValue(Model) }.ToJsonString(), System.Text.Encoding.UTF8, "application/json");
            await edge.CallAsync(HttpMethod.Delete, "api/delete", body, cancellationToken);
        });
        command.Add(remove);
        return command;
    }

    private static async Task PullAsync(ParseResult parsed, Edge edge, Screen screen, CancellationToken cancellationToken)
    {
        IAsyncEnumerable<JsonElement> lines = edge.StreamAsync(HttpMethod.Post, "api/pull", new JsonObject { ["model"] = parsed.GetRequiredValue(Model) }, cancellationToken);
        if (screen.IsJson || !screen.Side.Profile.Out.IsTerminal)
        {
            string? last = null;
            await foreach (JsonElement line in lines)
            {
                if (screen.IsJson)
                    screen.Line(line.ToString());
                else if (line.Text("status") is { } status && status != last)
                    screen.Note(last = status);
            }
            return;
        }
        await screen.Side.Progress()
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new DownloadedColumn(), new TransferSpeedColumn(), new RemainingTimeColumn())
            .StartAsync(async progress =>
            {
                Dictionary<string, ProgressTask> bars = [];
                await foreach (JsonElement line in lines)
                {
                    string status = Markup.Escape(line.Shown("status"));
                    if (line.Number("total") is { } total)
                    {
                        if (!bars.TryGetValue(status, out ProgressTask? bar))
                            bars.Add(status, bar = progress.AddTask(status, maxValue: total));
                        bar.Value = line.Number("completed") ?? 0;
                    }
                    else
                    {
                        foreach (ProgressTask bar in bars.Values)
                            bar.StopTask();
                        screen.Side.WriteLine(line.Shown("status"));
                    }
                }
            });
    }
}
