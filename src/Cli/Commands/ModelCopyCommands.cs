using System.CommandLine;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OllamaMax.Cli.Commands;

/// <summary><c>models policy</c> and <c>models replicas</c>: how many copies of a model workers hold, which ones, and how far that is.</summary>
internal static class ModelCopyCommands
{
    private static readonly Argument<string> Model = new("model") { Description = "Its name" };
    private static readonly Argument<string?> AnyModel = new("model") { Description = "Its name; without one all are listed", Arity = ArgumentArity.ZeroOrOne };
    private static readonly Option<int?> Min = new("--min") { Description = "Copies that there are to be at least" };
    private static readonly Option<int?> Max = new("--max") { Description = "Copies beyond it are taken away" };
    private static readonly Option<int?> Priority = new("--priority") { Description = "0 to 1000: the greater one is copied first" };
    private static readonly Option<bool?> Pin = new("--pin") { Description = "Copies stay on disk whatever room others need; --pin false takes it back" };
    private static readonly Option<bool?> Warm = new("--warm") { Description = "As many copies as --min are kept in memory; --warm false takes it back" };
    private static readonly Option<bool> Remove = new("--remove") { Description = "Removes the policy: copies come and go as requests bring them" };
    private static readonly Option<string[]> Label = Labels("--label", "key=value that a worker must have");
    private static readonly Option<string[]> Exclude = Labels("--exclude", "key=value that a worker must not have, such as site=paris");
    private static readonly Option<string[]> Prefer = Labels("--prefer", "key=value of workers that get copies first");

    public static Command CreatePolicy(RootCommands.Runner run)
    {
        Command policy = new("policy", "How a model's copies are held; what is not named stays as it is, and without options it is shown")
        {
            Model, Min, Max, Label, Exclude, Prefer, Warm, Pin, Priority, Remove,
        };
        run.Set(policy, async (parsed, edge, screen, cancellationToken) =>
        {
            string path = $"cluster/models/{Escape(parsed.GetRequiredValue(Model))}/policy";
            if (parsed.GetValue(Remove))
            {
                await edge.CallAsync(HttpMethod.Delete, path, null, cancellationToken);
                return;
            }
            JsonObject wished = Read(parsed);
            screen.PrintJson(wished.Count == 0 ? await edge.GetAsync(path, cancellationToken) : await PutAsync(edge, path, wished, cancellationToken));
        });
        return policy;
    }

    public static Command CreateReplicas(RootCommands.Runner run)
    {
        Command replicas = new("replicas", "Which workers hold a model, or how many copies of each there are and are to be") { AnyModel };
        run.Set(replicas, async (parsed, edge, screen, cancellationToken) =>
        {
            if (parsed.GetValue(AnyModel) is not { } model)
            {
                JsonElement all = await edge.GetAsync("cluster/models", cancellationToken);
                screen.List(
                    all, all.Items("models"),
                    new("NAME", one => one.Shown("name")), new("SIZE", one => one.ShownBytes("size"), true), new("WANTED", one => one.Shown("desired"), true),
                    new("THERE", one => one.Shown("actual"), true), new("WARM", one => one.Shown("warm"), true), new("COMING", one => one.Shown("in_progress"), true),
                    new("BLOCKED", one => one.Shown("blocked_because")));
                return;
            }
            JsonElement answer = await edge.GetAsync($"cluster/models/{Escape(model)}/replicas", cancellationToken);
            screen.List(
                answer, answer.Items("replicas"),
                new("WORKER", one => one.Shown("worker_id")), new("STATE", one => one.Shown("state")), new("BYTES", one => one.ShownBytes("bytes"), true), new("ERROR", one => one.Shown("error")));
            if (answer.Text("blocked_because") is { } reason)
                screen.Note(reason);
        });
        return replicas;
    }

    private static Option<string[]> Labels(string name, string description) => new(name)
    {
        Description = $"{description}; repeatable, and all that there were are replaced",
        AllowMultipleArgumentsPerToken = false,
        CustomParser = result =>
        {
            string[] labels = [.. result.Tokens.Select(token => token.Value)];
            if (Array.Find(labels, label => label.Split('=') is not [{ Length: > 0 }, { Length: > 0 }]) is { } wrong)
                result.AddError($"{name} {wrong} is no key=value");
            return labels;
        },
    };

    private static JsonObject Read(ParseResult parsed)
    {
        JsonObject wished = [];
        Set(wished, "min_replicas", parsed.GetValue(Min));
        Set(wished, "max_replicas", parsed.GetValue(Max));
        Set(wished, "priority", parsed.GetValue(Priority));
        Set(wished, "pin", parsed.GetValue(Pin));
        Set(wished, "warm", parsed.GetValue(Warm));
        if (parsed.GetValue(Label) is { Length: > 0 } labels)
            wished["labels"] = new JsonObject(labels.Select(label => label.Split('=')).Select(label => KeyValuePair.Create(label[0], (JsonNode?)label[1])));
        Set(wished, "excluded_labels", Grouped(parsed.GetValue(Exclude)));
        Set(wished, "preferred_labels", Grouped(parsed.GetValue(Prefer)));
        return wished;
    }

    private static void Set(JsonObject wished, string name, JsonNode? value)
    {
        if (value is not null)
            wished[name] = value;
    }

    private static JsonObject? Grouped(string[]? labels) => labels is not { Length: > 0 }
        ? null
        : new JsonObject(labels.Select(label => label.Split('=')).GroupBy(label => label[0], label => label[1], StringComparer.OrdinalIgnoreCase)
            .Select(values => KeyValuePair.Create(values.Key, (JsonNode?)new JsonArray([.. values.Select(value => (JsonNode)value)]))));

    /// <summary>A policy is put as a whole: what is not wished anew is what it was.</summary>
    private static async Task<JsonElement> PutAsync(Edge edge, string path, JsonObject wished, CancellationToken cancellationToken)
    {
        JsonObject policy = [];
        try
        {
            policy = JsonObject.Create(await edge.GetAsync(path, cancellationToken)) ?? policy;
        }
        catch (EdgeException e) when (e.ExitCode == ExitCode.NotFound)
        {
            // None yet; that there is no such model, putting it tells.
        }
        foreach ((string name, JsonNode? value) in wished)
            policy[name] = value?.DeepClone();
        using StringContent body = new(policy.ToJsonString(), Encoding.UTF8, "application/json");
        return await edge.CallAsync(HttpMethod.Put, path, body, cancellationToken);
    }

    private static string Escape(string model) => string.Join('/', model.Split('/').Select(Uri.EscapeDataString));
}
