using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OllamaMax.Cli.Commands;

/// <summary><c>keys …</c>: who may call.</summary>
internal static class KeyCommands
{
    private static readonly Argument<string> Name = new("name") { Description = "Whose it is, for people" };
    private static readonly Argument<string> Id = new("id") { Description = "The part between omx_ and the next _" };
    private static readonly Option<string?> Role = new("--role") { Description = "admin, operator, user, readonly or worker; user" };
    private static readonly Option<string?> Tenant = new("--tenant") { Description = "Whom it belongs to; the caller's tenant" };
    private static readonly Option<string[]> Models = new("--model") { Description = "A model that it may use, or a beginning that ends in *; repeatable; all", DefaultValueFactory = _ => [] };
    private static readonly Option<double?> Days = new("--days") { Description = "How long it is good; for good" };
    private static readonly Option<string?> NewName = new("--name") { Description = "Whose it is, for people; as it was" };
    private static readonly Option<string[]> NewModels = new("--model") { Description = "A model that it may use, or a beginning that ends in *; repeatable; as it was", DefaultValueFactory = _ => [] };
    private static readonly Option<double?> NewDays = new("--days") { Description = "How long it is good from now on; as it was" };
    private static readonly Option<double?> Grace = new("--grace-seconds") { Description = "How long the old secret stays good; a day" };

    public static Command Create(RootCommands.Runner run)
    {
        Command command = new("keys", "Who may call");
        Command list = new("list", "Keys, without their secrets");
        run.Set(list, async (_, edge, screen, cancellationToken) =>
        {
            JsonElement answer = await edge.GetAsync("keys", cancellationToken);
            screen.List(
                answer, answer.Items("keys"),
                new("ID", key => key.Shown("id")), new("NAME", key => key.Shown("name")), new("ROLE", key => key.Shown("role")), new("TENANT", key => key.Shown("tenant")),
                new("MODELS", key => string.Join(", ", key.Items("models").Select(model => model.GetString()))), new("MADE", key => key.ShownTime("created_at")),
                new("EXPIRES", key => key.ShownTime("expires_at")), new("USED", key => key.ShownTime("last_used_at")));
        });
        command.Add(list);

        Command create = new("create", "Makes a key, and prints it, once") { Name, Role, Tenant, Models, Days };
        run.Set(create, async (parsed, edge, screen, cancellationToken) =>
        {
            JsonObject body = Body(parsed.GetRequiredValue(Name), parsed.GetValue(Models), parsed.GetValue(Days));
            if (parsed.GetValue(Role) is { } role)
                body["role"] = role;
            if (parsed.GetValue(Tenant) is { } tenant)
                body["tenant"] = tenant;
            Print(screen, await edge.PostAsync("keys", body, cancellationToken));
        });
        command.Add(create);

        Command change = new("change", "Another name, other models or another expiry for the same key") { Id, NewName, NewModels, NewDays };
        run.Set(change, async (parsed, edge, screen, cancellationToken) =>
        {
            JsonObject body = Body(parsed.GetValue(NewName), parsed.GetValue(NewModels), parsed.GetValue(NewDays));
            JsonElement key = await edge.PatchAsync($"keys/{parsed.GetRequiredValue(Id)}", body, cancellationToken);
            if (screen.IsJson)
                screen.PrintJson(key);
        });
        command.Add(change);

        Command rotate = new("rotate", "A new secret for the same key") { Id, Grace };
        run.Set(rotate, async (parsed, edge, screen, cancellationToken) =>
            Print(screen, await edge.PostAsync($"keys/{parsed.GetRequiredValue(Id)}/rotate", parsed.GetValue(Grace) is { } grace ? new JsonObject { ["grace_seconds"] = grace } : [], cancellationToken)));
        command.Add(rotate);

        Command revoke = new("revoke", "Nobody gets in with it any more, within 5 s everywhere") { Id };
        run.Set(revoke, async (parsed, edge, screen, cancellationToken) =>
        {
            await edge.CallAsync(HttpMethod.Delete, $"keys/{parsed.GetRequiredValue(Id)}", null, cancellationToken);
        });
        command.Add(revoke);
        return command;
    }

    /// <summary>What is said of a key; the rest is left to the edge.</summary>
    private static JsonObject Body(string? name, string[]? models, double? days)
    {
        JsonObject body = [];
        if (name is not null)
            body["name"] = name;
        if (models is { Length: > 0 })
            body["models"] = new JsonArray([.. models.Select(model => (JsonNode)model)]);
        if (days is { } given)
            body["expires_at"] = TimeProvider.System.GetUtcNow().AddDays(given).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);
        return body;
    }

    private static void Print(Screen screen, JsonElement key)
    {
        if (screen.IsJson)
            screen.PrintJson(key);
        else
            screen.Line(key.Shown("key"));
    }
}
