using System.CommandLine;
using System.Text.Json;

namespace OllamaMax.Cli.Commands;

/// <summary><c>usage</c> and <c>audit</c>: what was used, and who did what.</summary>
internal static class UsageCommands
{
    private static readonly Option<string?> FirstDay = new("--from") { Description = "The first day, such as 2030-01-31; without it today" };
    private static readonly Option<string?> LastDay = new("--to") { Description = "The last day; without it today" };
    private static readonly Option<string?> From = new("--from") { Description = "Not before this time, such as 2030-01-31T12:00:00Z; without it the last day's" };
    private static readonly Option<string?> To = new("--to") { Description = "Before this time" };
    private static readonly Option<string?> Key = new("--id") { Description = "Only of the key with this id" };
    private static readonly Option<string?> Tenant = new("--tenant") { Description = "Only of this tenant" };
    private static readonly Option<string?> Actor = new("--actor") { Description = "Only acts of this name or key id" };
    private static readonly Option<int?> Limit = new("--limit") { Description = "At most so many, up to 10000; without it 1000" };
    private static readonly Option<bool> Newest = new("--newest") { Description = "The newest first" };

    public static Command CreateUsage(RootCommands.Runner run)
    {
        Command command = new("usage", "Requests and tokens by day, key and model") { FirstDay, LastDay, Key, Tenant };
        run.Set(command, async (parsed, edge, screen, cancellationToken) =>
        {
            JsonElement answer = await edge.GetAsync(
                "usage" + Query(("from", parsed.GetValue(FirstDay)), ("to", parsed.GetValue(LastDay)), ("key", parsed.GetValue(Key)), ("tenant", parsed.GetValue(Tenant))), cancellationToken);
            screen.List(
                answer, answer.Items("usage"),
                new("DAY", use => use.Shown("day")), new("TENANT", use => use.Shown("tenant")), new("KEY", use => use.Shown("key")), new("NAME", use => use.Shown("name")), new("MODEL", use => use.Shown("model")),
                new("REQUESTS", use => use.Shown("requests"), true), new("PROMPT TOKENS", use => use.Shown("prompt_tokens"), true), new("OUTPUT TOKENS", use => use.Shown("output_tokens"), true));
            foreach (JsonElement damaged in answer.Items("damaged"))
                screen.Note($"damaged, and not counted whole: {damaged.GetString()} (docs/runbook.md, OllamaMaxUsageDamaged)");
        });
        return command;
    }

    public static Command CreateAudit(RootCommands.Runner run)
    {
        Command command = new("audit", "Administrative acts and denied calls, the oldest first") { From, To, Actor, Limit, Newest };
        run.Set(command, async (parsed, edge, screen, cancellationToken) =>
        {
            JsonElement answer = await edge.GetAsync(
                "audit" + Query(("from", parsed.GetValue(From)), ("to", parsed.GetValue(To)), ("actor", parsed.GetValue(Actor)), ("limit", parsed.GetValue(Limit)?.ToString(System.Globalization.CultureInfo.InvariantCulture)), ("newest", parsed.GetValue(Newest) ? "true" : null)),
                cancellationToken);
            screen.List(
                answer, answer.Items("records"),
                new("AT", act => act.ShownTime("at")), new("ACTOR", act => act.Shown("actor")), new("NAME", act => act.Shown("actor_name")), new("ACT", act => act.Shown("action")), new("SUBJECT", act => act.Shown("subject")),
                new("FROM", act => act.Shown("from")), new("STATUS", act => act.Shown("status"), true), new("REQUEST", act => act.Shown("request_id")));
        });
        return command;
    }

    private static string Query(params (string Name, string? Value)[] parts)
    {
        string query = string.Join('&', parts.Where(part => part.Value is not null).Select(part => $"{part.Name}={Uri.EscapeDataString(part.Value!)}"));
        return query.Length > 0 ? $"?{query}" : "";
    }
}
