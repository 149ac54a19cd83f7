using System.Text.Json;
using Spectre.Console;

namespace OllamaMax.Cli.Models;

/// <summary>Shows the lines of something that takes long: bars on a terminal, each new status otherwise, the lines themselves with <c>--json</c>.</summary>
internal static class ProgressLines
{
    public static async Task ShowAsync(Screen screen, IAsyncEnumerable<JsonElement> lines)
    {
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
