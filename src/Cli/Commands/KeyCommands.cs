using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OllamaMax.Cli.Commands;

/// <summary><c>keys …</c>: who may call.</summary>
internal static class KeyCommands
{
    private static readonly Argument<string> Name = new("name") { Description = "Whose it is, for people" };
    private static readonly Argument<string> Id = new("id") { Description = "The part between omx_ and the next _" };
    private static readonly Option<string?> Role = new("--role") { Description = "admin, operator, user, readonly or worker; user", CompletionSources = { "admin", "operator", "user", "readonly", "worker" } };
    private static readonly Option<string?> Tenant = new("--tenant") { Description = "Whom it belongs to; the caller's tenant" };
    private static readonly Option<string?> NewName = new("--name") { Description = "Whose it is, for people" };
    private static readonly Option<double?> Grace = new("--grace-seconds") { Description = "How long the old secret stays good; a day" };

    private static readonly Column[] Columns =
    [
        new("ID", key => key.Shown("id")), new("NAME", key => key.Shown("name")), new("ROLE", key => key.Shown("role")), new("TENANT", key => key.Shown("tenant")),
        new("MODELS", KeyFields.ShownModels), new("LIMITS", KeyFields.ShownLimits), new("MADE", key => key.ShownTime("created_at")),
        new("EXPIRES", key => key.ShownTime("expires_at")), new("USED", key => key.ShownTime("last_used_at")),
    ];

    public static Command Create(RootCommands.Runner run)
    {
        Command command = new("keys", "Who may call");
        Command list = new("list", "Keys, without their secrets");
        run.Set(list, async (_, edge, screen, cancellationToken) =>
        {
            JsonElement answer = await edge.GetAsync("keys", cancellationToken);
            screen.List(answer, answer.Items("keys"), Columns);
        });
        command.Add(list);

        Command show = new("show", "A key, without its secret") { Id };
        run.Set(show, async (parsed, edge, screen, cancellationToken) => Show(screen, await edge.GetAsync(Path(parsed), cancellationToken)));
        command.Add(show);

        Command create = new("create", "Makes a key, and prints it, once") { Name, Role, Tenant };
        AddFields(create);
        run.Set(create, async (parsed, edge, screen, cancellationToken) =>
        {
            JsonObject body = new() { ["name"] = parsed.GetRequiredValue(Name) };
            if (parsed.GetValue(Role) is { } role)
                body["role"] = role;
            if (parsed.GetValue(Tenant) is { } tenant)
                body["tenant"] = tenant;
            KeyFields.Read(parsed, body, TimeProvider.System);
            Print(screen, await edge.PostAsync("keys", body, cancellationToken));
        });
        command.Add(create);

        Command change = new("change", "Changes a key's name, models, expiry or limits, and shows what it is then; what is not named stays as it is") { Id, NewName };
        AddFields(change);
        change.Validators.Add(result =>
        {
            if (change.Options.All(option => result.GetResult(option) is null or { Implicit: true }))
                result.AddError("nothing is named that is to change; --help lists what can");
        });
        run.Set(change, async (parsed, edge, screen, cancellationToken) =>
        {
            JsonObject body = [];
            if (parsed.GetValue(NewName) is { } name)
                body["name"] = name;
            KeyFields.Read(parsed, body, TimeProvider.System);
            Show(screen, await edge.PatchAsync(Path(parsed), body, cancellationToken));
        });
        command.Add(change);

        Command rotate = new("rotate", "A new secret for the same key") { Id, Grace };
        run.Set(rotate, async (parsed, edge, screen, cancellationToken) =>
            Print(screen, await edge.PostAsync($"{Path(parsed)}/rotate", parsed.GetValue(Grace) is { } grace ? new JsonObject { ["grace_seconds"] = grace } : [], cancellationToken)));
        command.Add(rotate);

        Command revoke = new("revoke", "Nobody gets in with it any more, within 5 s everywhere") { Id };
        run.Set(revoke, async (parsed, edge, screen, cancellationToken) =>
        {
            await edge.CallAsync(HttpMethod.Delete, Path(parsed), null, cancellationToken);
        });
        command.Add(revoke);
        return command;
    }

    private static void AddFields(Command command)
    {
        foreach (Option option in KeyFields.Options)
            command.Add(option);
    }

    private static string Path(ParseResult parsed) => $"keys/{Uri.EscapeDataString(parsed.GetRequiredValue(Id))}";

    private static void Show(Screen screen, JsonElement key) => screen.List(key, [key], Columns);

    private static void Print(Screen screen, JsonElement key)
    {
        if (screen.IsJson)
            screen.PrintJson(key);
        else
            screen.Line(key.Shown("key"));
    }
}
