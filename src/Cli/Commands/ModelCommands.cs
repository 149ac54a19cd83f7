using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using OllamaMax.Cli.Models;

namespace OllamaMax.Cli.Commands;

/// <summary><c>models …</c>: the catalogue.</summary>
internal static class ModelCommands
{
    private static readonly Argument<string> Model = new("model") { Description = "Such as qwen3:4b or hf.co/org/repo:Q4_K_M" };
    private static readonly Argument<string> File = new("file") { Description = "A GGUF, any part of a split one, or the folder of one" };
    private static readonly Argument<string> Name = new("name") { Description = "The model's name" };
    private static readonly Argument<string> Transfer = new("id") { Description = "Of `models transfers`" };
    private static readonly Option<string> From = new("--from") { Description = "The http(s) address of a GGUF that is to have this name" };
    private static readonly Option<bool> Detach = new("--detach") { Description = "Do not wait: it goes on by itself, whatever happens to servers; prints its id" };
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

        Command pull = new("pull", "Brings a model into the catalogue; a pull that was broken off goes on where it was. Gated and private models need a token that the server has (HF_TOKEN)") { Model, From, Detach };
        run.Set(pull, PullAsync);
        command.Add(pull);

        Command transfers = new("transfers", "Pulls, and copies that workers make");
        run.Set(transfers, async (_, edge, screen, cancellationToken) =>
        {
            JsonElement answer = await edge.GetAsync("cluster/transfers", cancellationToken);
            screen.List(
                answer, answer.Items("transfers"),
                new("ID", transfer => transfer.Shown("id")), new("MODEL", transfer => transfer.Shown("model")), new("KIND", transfer => transfer.Shown("kind")),
                new("STATE", transfer => transfer.Shown("state")), new("DONE", transfer => transfer.ShownBytes("completed"), true),
                new("OF", transfer => transfer.ShownBytes("total"), true), new("ERROR", transfer => transfer.Shown("error")));
        });
        command.Add(transfers);

        Command cancel = new("cancel", "Ends a pull or a copy; what there is of it stays for the next one") { Transfer };
        run.Set(cancel, async (parsed, edge, screen, cancellationToken) =>
            await edge.CallAsync(HttpMethod.Delete, $"cluster/transfers/{Uri.EscapeDataString(parsed.GetRequiredValue(Transfer))}", null, cancellationToken));
        command.Add(cancel);

        Command resume = new("resume", "Has a worker make a copy that was cancelled or has failed") { Transfer };
        run.Set(resume, async (parsed, edge, screen, cancellationToken) =>
            await edge.CallAsync(HttpMethod.Post, $"cluster/transfers/{Uri.EscapeDataString(parsed.GetRequiredValue(Transfer))}/resume", null, cancellationToken));
        command.Add(resume);

        Command push = new("push", "Brings a file of this machine into the catalogue, straight into its storage; one that was broken off goes on where it was") { File, Name };
        run.Set(push, PushAsync);
        command.Add(push);

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

        command.Add(ModelCopyCommands.CreateReplicas(run));
        command.Add(ModelCopyCommands.CreatePolicy(run));
        return command;
    }

    private static async Task PullAsync(ParseResult parsed, Edge edge, Screen screen, CancellationToken cancellationToken)
    {
        JsonObject body = new() { ["model"] = parsed.GetRequiredValue(Model) };
        if (parsed.GetValue(From) is { } from)
            body["from"] = from;
        if (!parsed.GetValue(Detach))
        {
            await ProgressLines.ShowAsync(screen, edge.StreamAsync(HttpMethod.Post, "api/pull", body, cancellationToken));
            return;
        }
        JsonElement begun = await edge.PostAsync("cluster/transfers", body, cancellationToken);
        if (screen.IsJson)
            screen.PrintJson(begun);
        else
            screen.Output.WriteLine(begun.Shown("id"));
    }

    private static async Task PushAsync(ParseResult parsed, Edge edge, Screen screen, CancellationToken cancellationToken)
    {
        // Blocks take as long as the line does.
        using HttpClient storage = new() { Timeout = TimeSpan.FromMinutes(10) };
        await ProgressLines.ShowAsync(screen, new ModelPush(edge, storage, TimeProvider.System).RunAsync(parsed.GetRequiredValue(File), parsed.GetRequiredValue(Name), cancellationToken));
    }
}
