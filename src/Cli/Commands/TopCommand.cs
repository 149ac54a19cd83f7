using System.CommandLine;
using System.Text.Json;
using Spectre.Console;

namespace OllamaMax.Cli.Commands;

/// <summary><c>top</c>: the cluster, live, until Ctrl-C.</summary>
internal static class TopCommand
{
    private static readonly Option<double> Every = new("--every") { Description = "Seconds between two looks", DefaultValueFactory = _ => 2 };

    public static Command Create(RootCommands.Runner run)
    {
        Command command = new("top", "Workers, slots and queues, live") { Every };
        Every.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && result.GetValueOrDefault<double>() is < 0.5 or > 3600)
                result.AddError("--every must be 0.5 to 3600 seconds");
        });
        run.Set(command, async (parsed, edge, screen, cancellationToken) =>
        {
            (JsonElement status, JsonElement workers) = await LookAsync(edge, cancellationToken);
            if (screen.IsJson)
            {
                screen.PrintJson(JsonSerializer.SerializeToElement(new { status, workers = workers.Member("workers") }));
                return;
            }
            if (!screen.Result.Profile.Out.IsTerminal)
            {
                screen.Result.Write(Draw(status, workers));
                return;
            }
            using PeriodicTimer timer = new(TimeSpan.FromSeconds(parsed.GetValue(Every)), TimeProvider.System);
            await screen.Result.Live(Draw(status, workers)).AutoClear(true).StartAsync(async live =>
            {
                while (await timer.WaitForNextTickAsync(cancellationToken))
                {
                    (status, workers) = await LookAsync(edge, cancellationToken);
                    live.UpdateTarget(Draw(status, workers));
                }
            });
        });
        return command;
    }

    private static async Task<(JsonElement Status, JsonElement Workers)> LookAsync(Edge edge, CancellationToken cancellationToken) =>
        (await edge.GetAsync("cluster/status", cancellationToken), await edge.GetAsync("cluster/workers", cancellationToken));

    private static Rows Draw(JsonElement status, JsonElement workers) => new(
    [
        .. StatusCommands.Lines(status).Select(line => new Text($"{line.Name,-9}{line.Value}")),
        .. status.Items("queues").Where(queue => queue.Number("messages") > 0).Select(queue => new Text($"{"waits",-9}{queue.Shown("messages")} for {queue.Text("model") ?? queue.Shown("queue")}, {queue.Shown("band")}")),
        new Text(""),
        Screen.Table(workers.Items("workers"), WorkerCommands.Columns),
    ]);
}
