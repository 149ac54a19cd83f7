using System.CommandLine;
using System.Text.Json;

namespace OllamaMax.Cli.Commands;

/// <summary><c>status</c>: the cluster at a glance.</summary>
internal static class StatusCommands
{
    public static Command Create(RootCommands.Runner run)
    {
        Command command = new("status", "Who leads, which workers are there, what waits");
        run.Set(command, async (_, edge, screen, cancellationToken) =>
        {
            JsonElement status = await edge.GetAsync("cluster/status", cancellationToken);
            if (screen.IsJson)
            {
                screen.PrintJson(status);
                return;
            }
            foreach ((string name, string value) in Lines(status))
                screen.Line($"{name,-9}{value}");
            JsonElement[] queues = [.. status.Items("queues").Where(queue => queue.Number("messages") > 0)];
            if (queues.Length == 0)
                return;
            screen.Line("");
            screen.List(status, queues, new("WAITS FOR", queue => queue.Text("model") ?? queue.Shown("queue")), new("BAND", queue => queue.Shown("band")), new("ABOUT", queue => queue.Shown("messages"), true));
        });
        return command;
    }

    /// <summary>Names and values, without the queues.</summary>
    public static IEnumerable<(string Name, string Value)> Lines(JsonElement status)
    {
        JsonElement edge = status.Member("edge");
        JsonElement leader = status.Member("leader");
        JsonElement workers = status.Member("workers");
        yield return ("edge", $"{edge.Shown("id")}, version {edge.Shown("version")}, pid {edge.Shown("pid")}");
        yield return ("leader", leader.Text("id") is not { } id ? "none"
            : $"{(id == edge.Text("id") ? "this edge" : id)}, epoch {status.Shown("epoch")}, since {leader.ShownTime("since")}{(leader.Text("lease_expires") is null ? "; its lease has run out" : "")}");
        yield return ("workers", $"{workers.Shown("alive")} alive, {workers.Shown("suspect")} suspect, {workers.Shown("draining")} draining, {workers.Shown("gone")} gone");
        if (status.Text("error") is { } error)
            yield return ("error", error);
    }
}
