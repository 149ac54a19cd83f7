using System.CommandLine;
using System.Text.Json;

namespace OllamaMax.Cli.Commands;

/// <summary><c>worker …</c>: the GPU boxes.</summary>
internal static class WorkerCommands
{
    private static readonly Argument<string> Worker = new("worker") { Description = "Its id, or its name where no other that is there has it" };

    public static Column[] Columns { get; } =
    [
        new("NAME", worker => worker.Shown("name")),
        new("STATE", worker => worker.Is("drained") ? "drained" : worker.Shown("state")),
        new("SLOTS", worker => $"{worker.Member("slots").Shown("used")}/{worker.Member("slots").Shown("total")}", true),
        new("TOKENS/S", worker => worker.Shown("tokens_per_second"), true),
        new("SITE", worker => worker.Shown("site")),
        new("DEVICES", worker => string.Join(", ", worker.Items("devices").Select(device => device.Shown("name")))),
        new("MODELS", worker => string.Join(", ", worker.Items("models").Where(model => model.Is("loaded")).Select(model => model.Text("name") ?? "?"))),
        new("SEEN", worker => $"{worker.Number("heartbeat_age_seconds") ?? 0:0} s ago", true),
        new("ID", worker => worker.Shown("id")),
    ];

    public static Command Create(RootCommands.Runner run)
    {
        Command command = new("worker", "The boxes that run models");
        Command list = new("list", "Who is there, what each has loaded, and what it gets done");
        run.Set(list, async (_, edge, screen, cancellationToken) =>
        {
            JsonElement answer = await edge.GetAsync("cluster/workers", cancellationToken);
            screen.List(answer, answer.Items("workers"), Columns);
        });
        command.Add(list);

        Command show = new("show", "All that a worker says of itself") { Worker };
        run.Set(show, async (parsed, edge, screen, cancellationToken) =>
            screen.PrintJson(await edge.GetAsync($"cluster/workers/{await IdAsync(edge, parsed.GetRequiredValue(Worker), cancellationToken)}", cancellationToken)));
        command.Add(show);

        Command join = new("join", "Makes a join token, and says the command that joins a box with it");
        run.Set(join, async (_, edge, screen, cancellationToken) =>
        {
            JsonElement token = await edge.PostAsync("cluster/join-tokens", null, cancellationToken);
            if (screen.IsJson)
                screen.PrintJson(token);
            else
                screen.Line($"{Tunnel(edge.Address, token)}OLLAMAMAX_JOIN_TOKEN={token.Shown("token")} dotnet run -c Release --project src/GpuWorker -- run --edge {edge.Address.ToString().TrimEnd('/')}");
            screen.Note($"good once, until {token.ShownTime("expires_at")}; run it on the box, in a checkout");
            if (token.Items("loopback_ports").Any())
            {
                screen.Note("storage and SignalR of this edge listen on its own machine alone: a worker on another box needs the tunnel (ssh) for as long as it runs");
                if (edge.Address.Scheme == Uri.UriSchemeHttps)
                    screen.Note("where its certificate is of its own authority (--https), bring its tls/ca.pem to the box and add --ca ca.pem");
            }
        });
        command.Add(join);

        command.Add(Order("drain", "Has it finish what it runs and take nothing new", run));
        command.Add(Order("undrain", "Takes a drain back", run));

        Command update = new("update", "Says how to update it: nothing reaches a box from outside, so it is done there") { Worker };
        run.Set(update, async (parsed, edge, screen, cancellationToken) =>
        {
            string id = await IdAsync(edge, parsed.GetRequiredValue(Worker), cancellationToken);
            JsonElement worker = await edge.GetAsync($"cluster/workers/{id}", cancellationToken);
            if (screen.IsJson)
            {
                screen.PrintJson(worker);
                return;
            }
            screen.Line($"{worker.Shown("name")} runs version {worker.Shown("version")} on {worker.Shown("host")}. On that box, in the newer published folder (docs/gpu-boxes.md):");
            screen.Line("  sudo ./install.sh update     # Linux: the old one drains, the new one starts under the same identity, with its models");
            screen.Line("  .\\install.ps1 -Update        # Windows, as administrator");
            screen.Note("edges first: a newer edge takes the workers of the version before");
        });
        command.Add(update);

        Command revoke = new("revoke", "Takes back that it was let in: it gets nothing any more and cannot come back under its id") { Worker };
        run.Set(revoke, async (parsed, edge, screen, cancellationToken) =>
        {
            // One that has never reported is in no list, and can be revoked by its id. Of two with one name the gone one may be meant, and what is revoked stays so.
            string asked = parsed.GetRequiredValue(Worker);
            string id = await FindAsync(edge, asked, preferThere: false, cancellationToken) ?? asked;
            JsonElement worker = await edge.CallAsync(HttpMethod.Delete, $"cluster/workers/{Uri.EscapeDataString(id)}", null, cancellationToken);
            screen.List(worker, [worker], Columns);
        });
        command.Add(revoke);
        return command;
    }

    /// <summary>What carries the ports that listen on the edge's machine alone over to the box, where the addresses that the edge gives out then mean the same; "" where there are none.</summary>
    private static string Tunnel(Uri edge, JsonElement token)
    {
        List<int> ports = [.. token.Items("loopback_ports").Select(port => port.GetInt32())];
        if (ports.Count == 0)
            return "";
        string machine = edge.IsLoopback ? Environment.MachineName : edge.Host;
        if (edge.IsLoopback && !ports.Contains(edge.Port))
            ports.Insert(0, edge.Port);
        return $"ssh -fN {string.Join(' ', ports.Select(port => $"-L {port}:127.0.0.1:{port}"))} {Environment.UserName}@{machine} && ";
    }

    private static Command Order(string order, string description, RootCommands.Runner run)
    {
        Command command = new(order, description) { Worker };
        run.Set(command, async (parsed, edge, screen, cancellationToken) =>
        {
            string id = await IdAsync(edge, parsed.GetRequiredValue(Worker), cancellationToken);
            JsonElement worker = await edge.PostAsync($"cluster/workers/{id}/{order}", null, cancellationToken);
            screen.List(worker, [worker], Columns);
            if (worker.Text("state") == "draining" && worker.Member("drain_requested") is { ValueKind: JsonValueKind.False })
                screen.Note("the drain is taken back: the worker is told, and is alive with its next report, unless it is about to end by itself");
            else if (worker.Text("state") == "draining" && !worker.Is("drained"))
                screen.Note("it runs nothing any more once `ollamamax worker list` shows it as drained");
        });
        return command;
    }

    private static async Task<string> IdAsync(Edge edge, string asked, CancellationToken cancellationToken) =>
        await FindAsync(edge, asked, preferThere: true, cancellationToken)
        ?? throw new EdgeException($"there is no worker '{asked}'; `ollamamax worker list` shows those that are", System.Net.HttpStatusCode.NotFound);

    /// <summary>The id of the one that is listed under it, or alone under this name; null where none is.</summary>
    /// <param name="preferThere">Those that are gone are left out where another has the name: a box that joined anew is listed twice for a week.</param>
    private static async Task<string?> FindAsync(Edge edge, string asked, bool preferThere, CancellationToken cancellationToken)
    {
        JsonElement[] workers = [.. (await edge.GetAsync("cluster/workers", cancellationToken)).Items("workers")];
        if (Array.Exists(workers, worker => worker.Text("id") == asked))
            return asked;
        JsonElement[] named = Array.FindAll(workers, worker => worker.Text("name") == asked);
        JsonElement[] there = Array.FindAll(named, worker => worker.Text("state") != "gone");
        return (preferThere && there.Length > 0 ? there : named) switch
        {
            [var only] => only.Shown("id"),
            [] => null,
            var several => throw new EdgeException($"{several.Length} workers are called '{asked}'; say which by its id: {string.Join(", ", several.Select(worker => worker.Shown("id")))}", System.Net.HttpStatusCode.Conflict),
        };
    }
}
